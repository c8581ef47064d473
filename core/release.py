"""The release of the code and the environment that it runs in, for traces."""

import os
from pathlib import Path

VERSION = Path(__file__).resolve().parent.parent / "VERSION"
COMMIT_DIGITS = 12


def version() -> str:
    """Return the release and, where it is known, the commit: `1.2.0+97ed602abc12`."""
    parts = []
    if VERSION.is_file():
        parts.append(VERSION.read_text("utf-8").strip())
    # Images have the one variable, GitHub's runners the other.
    commit = os.environ.get("MLOPS_REVISION") or os.environ.get("GITHUB_SHA")
    if commit:
        parts.append(commit[:COMMIT_DIGITS])
    return "+".join(parts) or "unknown"


def environment() -> str:
    """Return the name in `MLOPS_ENVIRONMENT`; without one, `development`."""
    return os.environ.get("MLOPS_ENVIRONMENT") or "development"
