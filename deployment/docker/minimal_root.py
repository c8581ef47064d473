"""Copy the Python that runs this into an empty root, with the shared libraries that it
needs.

    minimal_root.py ROOT        packages already below ROOT count too

What is not copied is not in the image: no shell, no package manager, no compiler, no
pip.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

UNUSED = "__pycache__ test tests idlelib tkinter turtledemo ensurepip lib2to3 pydoc_data".split()
UNUSED += ["site-packages", "dist-packages", "config-*", "_pyrepl"]
USERS = {
    "etc/passwd": "root:x:0:0::/:/none\nmlops:x:10001:10001::/tmp:/none\n",
    "etc/group": "root:x:0:\nmlops:x:10001:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


def libraries(binaries: list[Path]) -> set[Path]:
    """Return the files that a program's loader asks for, links as they are named."""
    said = subprocess.run(
        ["ldd", *binaries], capture_output=True, text=True, check=False
    ).stdout
    return {Path(name) for name in re.findall(r"(/\S+) \(0x", said)}


def copy(root: Path) -> None:
    """Fill the root."""
    python, standard = Path(sys.executable).resolve(), Path(
        sysconfig.get_path("stdlib")
    )
    shutil.copytree(
        standard, _in(root, standard), ignore=shutil.ignore_patterns(*UNUSED)
    )
    _in(root, python).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(python, _in(root, python))
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        link = root / "usr/local/bin" / name
        if not link.exists():
            link.symlink_to(python)
    binaries = [python, *(path for path in root.rglob("*.so*") if path.is_file())]
    for library in libraries(binaries):
        if not library.is_relative_to(root):
            target = root / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(
                library, target
            )  # a link's content, under the name that is asked for
    for name, text in USERS.items():
        (root / "etc").mkdir(exist_ok=True)
        (root / name).write_text(text)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def _in(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


copy(Path(sys.argv[1]))
