"""A program that limits its memory and files, and then becomes another one.

`python -I limits.py MEMORY_BYTES FILE_BYTES COMMAND...`; a child takes over the limits.
"""

import os
import resource
import sys


def main() -> None:
    """Set the limits and run the command in this process."""
    memory, file_size, *command = sys.argv[1:]
    for limit, value in (
        (resource.RLIMIT_AS, int(memory)),
        (resource.RLIMIT_FSIZE, int(file_size)),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
