"""`course stick`: a folder from which a class can work without network."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import PipelineError
from core.files import emptied, remove_tree, write_atomic
from core.git import git
from course.classroom import ROOT
from course.grading import process, worktree

LOCKS = ("nox", "dev")
SECONDS = 3600
# Nothing listens there: whatever is asked for over the network fails at once.
NOWHERE = "http://127.0.0.1:9"
README = """\
# Working without network

Copy this folder to your computer, or leave it on the stick. In a terminal, in this folder:

Linux and macOS:

    . ./offline.sh
    git clone template.git mlops-origin.git --bare
    git clone mlops-origin.git mlops
    cd mlops && ./scripts/nox.sh -s course -- start --student YOUR-NAME

Windows (PowerShell):

    . .\\offline.ps1
    git clone template.git mlops-origin.git --bare
    git clone mlops-origin.git mlops
    cd mlops; .\\scripts\\nox.ps1 -s course -- start --student YOUR-NAME

Do the first line again in each new terminal. Packages are there for: {systems}.
"""
SHELL = """\
here=$(pwd)
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$here/wheels"
export UV_NO_INDEX=1 UV_OFFLINE=1 UV_FIND_LINKS="$here/wheels"
"""
POWERSHELL = """\
$env:PIP_NO_INDEX = "1"
$env:PIP_FIND_LINKS = "$PWD\\wheels"
$env:UV_NO_INDEX = "1"
$env:UV_OFFLINE = "1"
$env:UV_FIND_LINKS = "$PWD\\wheels"
"""


def make(folder: Path, report: Callable[[str], None]) -> None:
    """Write the template, the packages for this system and Python, and the pages.

    Run on other systems or Pythons, it adds their packages to the same folder.

    Args:
        folder: the folder, such as that of a stick.
        report: called with what is done next.

    Raises:
        PipelineError: a package cannot be downloaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report("the template")
    write_template(folder)
    report("packages: this takes minutes")
    download(folder / "wheels", LOCKS)
    write_pages(folder, _system())


def write_template(folder: Path) -> None:
    """Write a bare repository with the last commit of this checkout as `main`."""
    commit = git(ROOT, "rev-parse", "HEAD")
    with emptied(folder / "template.part") as part:
        bare = part / "template.git"
        git(part, "init", "--quiet", "--bare", "-b", "main", str(bare))
        git(bare, "fetch", "--quiet", "--no-tags", str(ROOT), "HEAD:refs/heads/main")
        if git(bare, "rev-parse", "main") != commit:
            raise PipelineError("this checkout changed meanwhile: run it again.")
        remove_tree(folder / "template.git")
        bare.rename(folder / "template.git")


def write_pages(folder: Path, system: str) -> None:
    """Write the settings and the page for students.

    Args:
        folder: the stick.
        system: the system whose packages were added, besides those of earlier calls.
    """
    write_atomic(folder / "offline.sh", SHELL)
    write_atomic(folder / "offline.ps1", POWERSHELL)
    file = folder / "systems.txt"
    systems = {system}
    if file.is_file():
        systems.update(file.read_text("utf-8").splitlines())
    write_atomic(file, "".join(f"{line}\n" for line in sorted(systems)))
    text = README.format(systems=", ".join(sorted(systems)))
    write_atomic(folder / "README.md", text)


def _system() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{sys.platform} with Python {version}"


def download(wheels: Path, locks: Sequence[str]) -> None:
    """Download the packages of lock files, each checked against its hash.

    Raises:
        PipelineError: one cannot be downloaded.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    with worktree.folder() as place:
        _run([sys.executable, "-m", "venv", str(place / "pip")], place, {})
        programs = place / "pip" / ("Scripts" if os.name == "nt" else "bin")
        for lock in locks:
            command = [str(programs / "python"), "-m", "pip", "download", "--quiet"]
            command += ["--require-hashes", "--dest", str(wheels.resolve())]
            command += ["-r", str(ROOT / "requirements" / f"{lock}.txt")]
            _run(command, place, dict(os.environ))


def rehearse(folder: Path, *arguments: str) -> str:
    """Clone from the stick and run nox there with the network off.

    Args:
        folder: the stick.
        arguments: those of nox.

    Returns what nox prints.

    Raises:
        PipelineError: something is missing on the stick.
    """
    wheels = str((folder / "wheels").resolve())
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels}
    variables |= {"UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_FIND_LINKS": wheels}
    variables |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    with worktree.folder() as place:
        variables |= {"UV_CACHE_DIR": str(place / "cache")}
        git(place, "clone", "--quiet", str((folder / "template.git").resolve()), "copy")
        command = [sys.executable, "-m", "scripts.run_nox", "course stick", *arguments]
        return _run(command, place / "copy", variables)


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    outcome = process.run(command, folder, SECONDS, variables)
    if not outcome.succeeded:
        raise PipelineError(f"the stick is not ready: {outcome.reason}")
    return outcome.output
