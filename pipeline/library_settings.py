"""Keeps libraries from sending statistics and from writing to the home folder."""

import os
from pathlib import Path

from core import environment
from history import address


def set_up(build: Path) -> None:
    """Set the libraries' variables before they are imported, unless the user has.

    Args:
        build: the folder for generated files, such as matplotlib's list of fonts.
    """
    environment.prepare()
    address.use_settings()
    # Also keeps out the user's own style, which would change the bytes of charts.
    os.environ.setdefault("MPLCONFIGDIR", str(build / "matplotlib"))
