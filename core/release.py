"""Which release of the code this is, and where it runs, as traces say it."""

import os
from pathlib import Path

VERSION = Path(__file__).resolve().parent.parent / "VERSION"


def version() -> str:
    """Return the release and, where it is known, the commit: `1.2.0+97ed602abc12`."""
    release = VERSION.read_text("utf-8").strip() if VERSION.is_file() else ""
    # An image carries it; GitHub names it to its runners.
    commit = os.environ.get("MLOPS_REVISION") or os.environ.get("GITHUB_SHA") or ""
    return "+".join(part for part in (release, commit[:12]) if part) or "unknown"


def environment() -> str:
    """Return what `MLOPS_ENVIRONMENT` names: `development` if it names nothing."""
    return os.environ.get("MLOPS_ENVIRONMENT") or "development"
