"""The folder of the site: whose it is, and how a new site takes its place."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UsageError
from core.files import TEMPORARY_PREFIX, emptied

MARKER = "site.json"
PROGRAM = "pipeline report --site"
_ADVICE = "name a folder that is new, empty or an earlier site"


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` when the block succeeds.

    If it fails, `target` stays as it was.

    Raises:
        UsageError: `target` is a file, or a folder with something else in it.
    """
    _require_ours(target)
    final = target.resolve()
    unfinished = final.with_name(f"{TEMPORARY_PREFIX}{final.name}")
    with emptied(unfinished):
        yield unfinished
        _replace(unfinished, final)


def _require_ours(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file: {_ADVICE}.")
    is_empty = next(target.iterdir(), None) is None
    if not is_empty and not _is_site(target):
        raise UsageError(
            f"{target} is not empty, and not a site that this command wrote: {_ADVICE}."
        )


def _is_site(folder: Path) -> bool:
    try:
        content = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("program") == PROGRAM


def _replace(unfinished: Path, final: Path) -> None:
    """Move a finished folder to where another one may be."""
    if not final.exists():
        unfinished.rename(final)
        return
    earlier = final.with_name(f"{TEMPORARY_PREFIX}{final.name}-earlier")
    shutil.rmtree(earlier, ignore_errors=True)
    final.rename(earlier)
    unfinished.rename(final)
    shutil.rmtree(earlier)
