"""Commands, options and variables that have a new name; the old ones keep working.

Standard library only.
"""

import sys


def notice(old: str, new: str) -> None:
    """Print the new name of something on standard error, as its old one was used."""
    print(
        f"notice: {old} is now called {new}; the old name still works.",
        file=sys.stderr,
        flush=True,
    )
