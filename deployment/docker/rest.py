"""Print what a lock file has beyond another: `rest.py LOCK OTHER`.

The images of MLflow and of the pipeline so have a layer in common, which is built, kept
and pulled once.
"""

import re
import sys
from pathlib import Path

ENTRY = re.compile(
    r"^\S.*(?:\n .*)*", re.MULTILINE
)  # a line and the indented ones below it

lock, other = (ENTRY.findall(Path(name).read_text("utf-8")) for name in sys.argv[1:3])
print("\n".join(entry for entry in lock if entry not in other))
