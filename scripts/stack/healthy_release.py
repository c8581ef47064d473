"""The release whose containers were healthy last, which `--follow` remembers."""

from contextlib import suppress

from core.files import write_atomic
from scripts.stack import released
from scripts.stack.released import Release
from scripts.stack.settings import ROOT, StackError

PATH = ROOT / "build" / "healthy-release.json"


def remember(release: Release) -> None:
    """Write the release into its file."""
    write_atomic(PATH, release.render())


def recall() -> Release | None:
    """Return the release of the file; None if there is none that can be read."""
    if PATH.is_file():
        with suppress(StackError):
            return released.parse(PATH.read_bytes())
    return None
