"""Print the requirements that a lock file has beyond another: `rest.py LOCK OTHER`.

The images of MLflow and of the pipeline install OTHER in a layer that they share: it is
built, stored and pulled once.
"""

import re
import sys
from pathlib import Path

# A line and the indented ones below it.
REQUIREMENT = re.compile(r"^\S.*(?:\n .*)*", re.MULTILINE)


def requirements(lock: str) -> list[str]:
    """Return the entries of a lock file, each with its hashes."""
    text = Path(lock).read_text("utf-8")
    return REQUIREMENT.findall(text)


if __name__ == "__main__":
    lock, other = sys.argv[1:]
    shared = requirements(other)
    for requirement in requirements(lock):
        if requirement not in shared:
            print(requirement)
