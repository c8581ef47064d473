"""A clone that can start the local stack: with this project's code, nothing to install."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.repo import Repo
from tests.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS
from tools.documents import environment

PARTS = ("app", "core", "history", "pipeline", "scripts", "requirements", "monitoring")
STARTED = "Ctrl-C or --stop ends it"
NOTHING: Mapping[str, str] = {}
POSIX = os.name != "nt"


def prepare(repo: Repo) -> None:
    """Give a clone this project's code, and an environment that is installed already."""
    for part in PARTS:
        shutil.copytree(ROOT / part, repo.root / part, dirs_exist_ok=True)
    shutil.copy(ROOT / "docker-compose.yml", repo.root)
    if POSIX:
        environment.lend(repo.root)
        return
    _link_this_environment(repo.root / ".venv")
    installed = repo.root / ".venv" / "installed.txt"
    shutil.copy(repo.root / "requirements" / "local.txt", installed)


def _link_this_environment(folder: Path) -> None:
    """Create an environment as `venv` does, with the packages of this Python."""
    home = Path(sys.base_prefix)
    programs = folder / "Scripts"
    programs.mkdir(parents=True)
    for file in home.iterdir():
        if file.is_file():
            shutil.copy(file, programs)
    # A Python without an installer has its library in a zip file beside it.
    root = programs
    if (home / "Lib" / "os.py").is_file():
        root = folder
        (folder / "pyvenv.cfg").write_text(f"home = {home}\n", "utf-8")
    packages = root / "Lib" / "site-packages"
    packages.mkdir(parents=True)
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "tests.pth").write_text("\n".join(paths), "utf-8")


class LocalStack:
    """The start command in a clone, with ports that are higher by an offset."""

    def __init__(
        self,
        repo: Repo,
        offset: int,
        variables: Mapping[str, str] = NOTHING,
    ) -> None:
        self.repo = repo
        self.offset = offset
        own = {"PYTHONPATH": ""} | dict(variables)
        self.environment = os.environ | own

    def open(self, *flags: str) -> subprocess.Popen[str]:
        """Run the start command with some flags; Ctrl-C ends it, as in a terminal."""
        module = ("-m", "scripts.start", "--port-offset", str(self.offset))
        return subprocess.Popen(
            [sys.executable, *module, *flags],
            cwd=self.repo.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            preexec_fn=_accept_ctrl_c if POSIX else None,
        )

    def run(self, *flags: str) -> tuple[int, str]:
        """Run the start command to its end; return the exit code and the output."""
        process = self.open(*flags)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, output

    @contextmanager
    def started(self) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Start the stack; the block gets the process and what it wrote until then."""
        process = self.open("--local")
        assert process.stdout
        output = ""
        try:
            while STARTED not in output:
                line = process.stdout.readline()
                assert line, output
                output += line
            yield process, output
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT if POSIX else signal.SIGTERM)
                process.wait(timeout=PATIENCE_SECONDS)


def _accept_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
