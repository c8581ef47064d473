"""Commands, options and variables that have a new name; the old ones keep working.

Standard library only.
"""

import sys


def notice(old: str, new: str) -> None:
    """Say on standard error that a name is outdated, and what it is called now."""
    print(
        f"notice: {old} is called {new} now; the old name still works.",
        file=sys.stderr,
        flush=True,
    )
