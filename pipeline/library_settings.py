"""What the libraries are kept from: sending anything, and writing into the home folder."""

import os
from pathlib import Path

from core import environment
from history import address


def set_up(build: Path) -> None:
    """Set the libraries' variables, unless the user has; call it before they are
    imported.

    Args:
        build: the folder for what can be made again; matplotlib's list of fonts goes
            there.
    """
    environment.prepare()
    address.use_settings()
    # The user's own style would change the pictures' bytes, too.
    os.environ.setdefault("MPLCONFIGDIR", str(build / "matplotlib"))
