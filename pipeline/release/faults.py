"""The faults of a checkout's `deployment/release.json`, for `pipeline history verify`."""

from collections.abc import Callable
from pathlib import Path

from core.errors import PipelineError
from core.file_names import RELEASE
from history.faults import Fault
from pipeline.release.schema import Release, UnknownCommit


def find_faults(root: Path, notice: Callable[[str], None]) -> list[Fault]:
    """Return what is wrong with the release; nothing if there is none.

    Args:
        notice: called with a sentence if the models cannot be checked, because this
            clone does not hold the commit: it is shallow, or a copy of a template.
    """
    path = root / RELEASE
    if not path.is_file():
        return []
    try:
        text = path.read_bytes().decode(errors="replace")
        release = Release.parse(text)
        release.require_models(root)
    except UnknownCommit as error:
        notice(str(error))
    except PipelineError as error:
        sentence = str(error)
        reason = sentence.removeprefix(RELEASE).lstrip(": ")
        fault = Fault(RELEASE, reason.removesuffix("."))
        return [fault]
    return []
