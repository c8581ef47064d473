"""Copy this Python and the shared libraries it needs into a root file system.

    minimal_root.py ROOT PACKAGES

ROOT is an empty folder, PACKAGES the folder of the packages that will be added to it:
the libraries that they need are copied too. ROOT gets no shell, no package manager, no
compiler and no pip.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

# Parts of the standard library that a server does not import.
UNUSED = [
    "__pycache__",
    "_pyrepl",
    "config-*",
    "dist-packages",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
]
FILES = {
    "etc/passwd": "root:x:0:0::/:/none\nmlops:x:10001:10001::/tmp:/none\n",
    "etc/group": "root:x:0:\nmlops:x:10001:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
LIBRARY = re.compile(r"(/\S+) \(0x")
PROGRAMS = Path("usr/local/bin")


def copy_python(root: Path) -> Path:
    """Copy the interpreter and its standard library; return the interpreter's copy."""
    standard_library = Path(sysconfig.get_path("stdlib"))
    ignore = shutil.ignore_patterns(*UNUSED)
    shutil.copytree(standard_library, below(root, standard_library), ignore=ignore)
    python = Path(sys.executable).resolve()
    copy = below(root, python)
    copy_file(python, copy)
    programs = root / PROGRAMS
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        link = programs / name
        if not link.exists():
            link.symlink_to(python)
    return copy


def copy_libraries(root: Path, binaries: list[Path], packages: Path) -> None:
    """Copy the shared libraries that binaries need and that no package brings along.

    A library is copied under the name that the loader asks for, which may be a link.
    """
    command = ["ldd", *binaries]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    for name in set(LIBRARY.findall(listed.stdout)):
        library = Path(name)
        brought_along = library.is_relative_to(packages)
        if not brought_along and not library.is_relative_to(root):
            copy_file(library, below(root, library))


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, following links, and make the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def below(root: Path, path: Path) -> Path:
    """Return where an absolute path is in the new root."""
    return root / path.relative_to("/")


def shared_objects(folder: Path) -> list[Path]:
    """Return the shared libraries and extension modules below a folder."""
    return [path for path in folder.rglob("*.so*") if path.is_file()]


def main(root: Path, packages: Path) -> None:
    """Fill the root."""
    python = copy_python(root)
    binaries = [python, *shared_objects(root), *shared_objects(packages)]
    copy_libraries(root, binaries, packages)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    temporary = root / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
