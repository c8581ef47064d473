"""A Git repository with a history, and changes that people make to it."""

import re
import shlex
from pathlib import Path

from core.git import git
from history import layout, registry, runfile
from history.runfile import Run
from tests.conftest import commit_all
from tests.support.history_factories import (
    Workspace,
    add_run,
    model_id,
    new_workspace,
    promote,
    verify,
)

IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
MODEL = {"model.onnx": b"onnx"}


class Checkout:
    """A repository with a history of one run and one promotion."""

    def __init__(self, root: Path) -> None:
        self.repo = new_workspace(root)
        self.root = self.repo.root
        git(self.root, "init", "--quiet", "-b", "main")
        git(self.root, "config", "user.name", "Tester")
        git(self.root, "config", "user.email", "tester@example.org")
        (self.root / "results").mkdir()
        (self.root / "results" / "table.csv").write_text("a\n")
        self.run = add_run(
            self.repo.mlruns, {"note.txt": b"a\r\nb\n"}, {model_id(): MODEL}
        )
        promote(self.repo, self.run)
        self.commit("begin")
        self.file = self.run_file(self.run)

    def commit(self, message: str) -> str:
        return commit_all(self.root, message)

    def publish(self, content: bytes) -> Run:
        """Add a run whose model becomes the next version, and commit that."""
        run = add_run(self.repo.mlruns, {}, {model_id(): {"model.onnx": content}})
        promote(self.repo, run)
        self.commit("publish")
        return run

    def better(self, path: Path | None = None) -> None:
        """Edit a run's metric to a better value; the file stays well-formed."""
        path = path or self.file
        metrics = {"rmse": [(0.1, 0, 0)]}
        run = runfile.load(path).model_copy(update={"metrics": metrics})
        path.write_bytes(runfile.dump(run).encode())

    def better_promotion(self, version: int = 1) -> Path:
        path = registry.path_of(self.repo.mlruns, "housing", version)
        promotion = registry.load(path).model_copy(update={"metrics": {"rmse": 0.1}})
        path.write_bytes(registry.dump(promotion).encode())
        return path

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")[:12]

    def faults(self) -> list[str]:
        return [str(fault) for fault in verify(self.repo)]

    def only_fault(self) -> str:
        (fault,) = self.faults()
        return fault

    def place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def run_file(self, run: Run) -> Path:
        """Return the `run.json` of a run."""
        return layout.run_folders(self.repo.mlruns)[run.run_id] / layout.RUN_FILE

    def follow_all(self, faults: list[str]) -> None:
        """Do what the texts of some faults say."""
        for fault in faults:
            self.follow(fault)

    def follow(self, advice: str) -> None:
        """Run the command in a fault's text, and commit the result."""
        command = re.search(r"`(git [^`]+)`", advice)
        assert command, advice
        _, *arguments = shlex.split(command[1])
        options = ("--no-edit",) if arguments[0] == "revert" else ()
        self.git(*IDENTITY, *arguments, *options)
        if self.git("status", "--porcelain"):
            self.commit("mend")


def faults_and_notices(repo: Workspace) -> tuple[list[str], str]:
    """Verify a history; return its faults, and the notices as one text."""
    notices: list[str] = []
    faults = verify(repo, notice=notices.append)
    return [str(fault) for fault in faults], " ".join(notices)
