"""A repository whose commits train in no time: their program copies runs that it holds.

The rest is real: the worktree, the process with its environment, and the comparison.
"""

import json
import shutil
import sys
from pathlib import Path

from core.files import sha256_file
from pipeline.recorded_run import COMMIT_TAG
from pipeline.repo import Repo
from pipeline.reproduce import environment, interpreter
from tests.support.trained_runs import SMALL, TrainedRuns

PROGRAM = """
import gzip, os, shutil, sys
from pathlib import Path

_, _, repo, _, _, task, _, out = sys.argv
if "MLFLOW_TRACKING_URI" in os.environ:
    sys.exit("error: the runs would go to a server.")
table = Path(repo, "data", f"{task}.csv.gz")
if gzip.decompress(table.read_bytes()).count(b"\\n") != 151:
    sys.exit("error: the table has other rows.")
shutil.copytree(Path(repo, "answer"), Path(out, "mlruns"))
Path(repo, "build").mkdir()
"""
LOCK_TAG = "digest.requirements"
PYTHON_TAG = "version.python"


class SmallTrainer:
    """A checkout with a promoted run of iris, whose commit has the small program.

    Attributes:
        repo: the checkout.
        run_id: the run of the candidate.
        training_id: the run of the training.
    """

    def __init__(self, folder: Path) -> None:
        runs = TrainedRuns(folder)
        self.repo = runs.repo
        lock = runs.repo.root / environment.LOCK
        tags = {
            LOCK_TAG: sha256_file(lock),
            PYTHON_TAG: interpreter.running().version,
        }
        # What the program will answer: the same training, with IDs of its own.
        runs.train(SMALL, tags=tags)
        runs.repo.mlruns.rename(folder / "answer")
        package = folder / "pipeline"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(PROGRAM)
        runs.commit("feat: a small program")
        training, candidate = runs.train(SMALL, tags=tags)
        runs.promote(candidate)
        runs.commit("chore: publish v1")
        self.training_id = training.run_id
        self.run_id = candidate.run_id
        self._keep_environment()

    def _keep_environment(self) -> None:
        """Leave an environment as an earlier reproduction does; its Python is ours."""
        digest = sha256_file(self.repo.root / environment.LOCK)
        version = interpreter.running().version
        name = f"{version}-{digest[:12]}"
        folder = self.repo.build / "environments" / name
        python = environment.python_of(folder)
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        (folder / environment.MARKER).touch()

    def edit(self, run_id: str, old: str, new: str) -> None:
        """Replace a text in the file of a run."""
        path = self._run_file(run_id)
        content = path.read_text("utf-8")
        assert old in content
        path.write_text(content.replace(old, new), "utf-8")

    def replace_tag(self, tag: str, value: str) -> None:
        """Give both runs another value of a tag, where they have it."""
        for run_id in (self.run_id, self.training_id):
            path = self._run_file(run_id)
            content = json.loads(path.read_text("utf-8"))
            if tag in content["tags"]:
                content["tags"][tag] = value
            path.write_text(json.dumps(content), "utf-8")

    def forget_the_commit(self) -> None:
        """Let both runs be of a commit that no clone has."""
        self.replace_tag(COMMIT_TAG, "0" * 40)

    def _run_file(self, run_id: str) -> Path:
        (path,) = self.repo.mlruns.glob(f"iris/*/{run_id}/run.json")
        return path


def copy(trainer: SmallTrainer, folder: Path) -> SmallTrainer:
    """Return the same in another folder, for a test that changes it."""
    shutil.copytree(trainer.repo.root, folder, symlinks=True)
    other = object.__new__(SmallTrainer)
    other.repo = Repo.open(folder)
    other.run_id = trainer.run_id
    other.training_id = trainer.training_id
    return other
