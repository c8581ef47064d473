"""A copy of this project that trains three tasks in seconds, and real DVC in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from core.git import git
from pipeline import tasks
from pipeline.data import table as tables
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.generated_rows import rows

TASKS = ("housing", "iris", "credit")
STAGES = ("prepare", "features", "train", "evaluate", "validate", "register")
CODE = ("core", "history", "pipeline")
FILES = (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", "dvc.yaml")
REQUIREMENTS = "requirements/pipeline.txt"
CANDIDATES = {
    "housing": {"dummy": {}, "gradient_boosting": {"n_estimators": 5, "max_depth": 2}},
    "iris": {
        "dummy": {},
        "logistic_regression": {"C": 1},
        "linear_discriminant": {},
    },
    "credit": {"dummy": {}, "random_forest": {"n_estimators": 5}},
}
ROWS = 300


class Project:
    """A repository, and the programs that are run in it.

    Attributes:
        root: the repository.
        home: an empty folder in place of the user's own.
        variables: the environment of the programs.
    """

    def __init__(self, root: Path, programs: Path, home: Path) -> None:
        self.root = root
        self.home = home
        python = Path(sys.executable).parent
        self.variables = os.environ | {
            # Where the packages of both are installed, Python is the project's.
            "PATH": os.pathsep.join([str(python), os.environ["PATH"], str(programs)]),
            "HOME": str(home),
            "USERPROFILE": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_AUTHOR_NAME": "Tester",
            "GIT_AUTHOR_EMAIL": "tester@example.org",
            "GIT_COMMITTER_NAME": "Tester",
            "GIT_COMMITTER_EMAIL": "tester@example.org",
        }

    def run(self, *command: str, status: int = 0) -> str:
        """Return what a program prints; fail if it ends with another status."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.variables,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=1800,
        )
        output = done.stdout + done.stderr
        assert done.returncode == status, output[-5_000:]
        return output

    def dvc(self, *arguments: str) -> str:
        """Return what a command of DVC prints."""
        return self.run("dvc", *arguments)

    def pipeline(self, *arguments: str, status: int = 0) -> str:
        """Return what a command of the pipeline prints."""
        return self.run("python", "-m", "pipeline", *arguments, status=status)

    def clone(self, name: str) -> "Project":
        """Clone the repository into a folder beside it, without DVC's cache."""
        target = self.root.with_name(name)
        git(self.root.parent, "clone", "--quiet", str(self.root), str(target))
        cloned = Project(target, Path(), self.home)
        cloned.variables = self.variables
        return cloned

    def set_parameter(self, task: str, algorithm: str, **values: object) -> None:
        """Change parameters of a candidate."""
        path = self.root / "params.yaml"
        content = yaml.safe_load(path.read_text("utf-8"))
        content["tasks"][task]["candidates"][algorithm].update(values)
        path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def make(root: Path, programs: Path, home: Path) -> Project:
    """Make a repository with the code, generated tables, and small candidates."""
    root.mkdir(parents=True)
    home.mkdir(exist_ok=True)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in CODE:
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in (*FILES, REQUIREMENTS):
        target = root / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    sections = {}
    for name in TASKS:
        path = root / "data" / f"{name}.csv.gz"
        tables.write(path, rows(tasks.load(name), ROWS))
        without_slices(root / "pipeline" / "tasks" / f"{name}.yaml")
        sections[name] = {
            "folds": 3,
            "exclude": [],
            "holdout_sample": None,
            "row_limits": {},
            "candidates": CANDIDATES[name],
        }
    # The real flowers, for a model that the gate promotes.
    shutil.copyfile(ROOT / "data" / "iris.csv.gz", root / "data" / "iris.csv.gz")
    content = {
        "seed": 7,
        "holdout_share": 0.2,
        "tasks": sections,
    }
    text = yaml.safe_dump(content, sort_keys=False)
    (root / "params.yaml").write_text(text, "utf-8")
    git(root, "init", "--quiet", "-b", "main")
    commit_all(root, "feat: begin")
    return Project(root, programs, home)


def without_slices(path: Path) -> None:
    """Take the slices out of a task, of whose groups there are too few rows here."""
    content = yaml.safe_load(path.read_text("utf-8"))
    for key in ("slices", "fairness"):
        content.pop(key, None)
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
