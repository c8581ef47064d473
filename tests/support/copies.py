"""A small template with a history of its own, and copies of it, as Git repositories."""

import shutil
import subprocess
from pathlib import Path

from core.file_names import OWNED
from core.git import git
from pipeline.copies.update import Outcome, update
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.support import history_factories

FILES = {
    "README.md": "# MLOps GitOps template\n\nWhat it is.\n\n## Use\nHow to use it.\n",
    "LICENSE": (
        "MIT License\n\nCopyright (c) 2026 The maintainers\n\nPermission is granted.\n"
    ),
    "pyproject.toml": '[project]\nname = "mlops-gitops-template"\ndependencies = []\n',
    "VERSION": "1.0.0\n",
    ".gitignore": "build/\n__pycache__/\nmlruns/.local/\n",
    ".gitattributes": (
        "* text=auto eol=lf\nmlruns/** -text\ndeployment/models/** -text\n"
    ),
    "params.yaml": "seed: 42\ntasks:\n  iris:\n    folds: 3\n  credit:\n    folds: 5\n",
    "pipeline/tasks/iris.yaml": "title: Iris\n",
    "pipeline/tasks/credit.yaml": "title: Credit\n",
    "docs/why.md": "# Why\n\nBecause.\n",
    "docs/api.md": "from: one\n",
    "source.txt": "one\n",
    "requirements/dev.txt": "numpy==1\n",
    "data/README.md": "Snapshots.\n",
    "data/iris.csv.gz": "rows\n",
    # The generator of the reference pages: like the real one, it reads the copy's files.
    "tools/reference.py": (
        "from pathlib import Path\n"
        "text = 'from: ' + Path('source.txt').read_text('utf-8')\n"
        "Path('docs/api.md').write_text(text, 'utf-8', newline='\\n')\n"
    ),
}


class Project:
    """A checkout, and the changes that people and the pipeline make in it."""

    def __init__(self, root: Path) -> None:
        self.repo = Repo.open(root)
        self.root = self.repo.root
        for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
            git(self.root, "config", key, value)

    def write(self, path: str, text: str, message: str = "") -> str:
        """Write a file, as a person, and commit it."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, "utf-8", newline="\n")
        return self.commit(message or f"feat: change {path}")

    def replace(self, path: str, before: str, after: str) -> str:
        """Change a part of a file and commit it."""
        text = self.text(path)
        assert before in text
        return self.write(path, text.replace(before, after))

    def remove(self, *paths: str) -> str:
        git(self.root, "rm", "-r", "--quiet", "--", *paths)
        return self.commit(f"feat: remove {paths[0]}")

    def commit(self, message: str) -> str:
        return commit_all(self.root, message)

    def run(self, task: str = "iris") -> str:
        """Publish a run that promotes nothing."""
        history_factories.add_run(self.repo.mlruns, experiment=task)
        return self._publish(f"{task} refused")

    def promote(self, task: str = "iris") -> str:
        """Publish a run and its promotion."""
        content = f"{task} {self.head}".encode()
        models = {history_factories.model_id(): {"model.onnx": content}}
        run = history_factories.add_run(
            self.repo.mlruns, models=models, experiment=task
        )
        history_factories.promote(self.repo, run, task)
        return self._publish(f"{task} promoted")

    def _publish(self, message: str) -> str:
        count = len(list(self.repo.mlruns.rglob("run.json")))
        leaderboard = self.repo.mlruns / "README.md"
        leaderboard.write_text(f"{count} runs\n", "utf-8", newline="\n")
        self.repo.results.mkdir(exist_ok=True)
        table = self.repo.results / "model_comparison.csv"
        table.write_text(f"runs\n{count}\n", "utf-8", newline="\n")
        return self.commit(f"mlops: {message}")

    def update(self, template: "Project", **options: str | bool) -> Outcome:
        return update(self.repo, str(template.root), **options)  # type: ignore[arg-type]

    def text(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    @property
    def head(self) -> str:
        return git(self.root, "rev-parse", "HEAD")

    def own(self, commit: str = "HEAD") -> str:
        """Return Git's listing of the folders that belong to the copy alone."""
        return git(self.root, "ls-tree", "-r", commit, "--", *OWNED)

    def faults(self) -> list[str]:
        return [str(fault) for fault in verify(self.repo)]


def template(folder: Path) -> Project:
    """Return a template with three promotions and two other runs."""
    subprocess.run(["git", "init", "--quiet", "-b", "main", folder], check=True)
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8", newline="\n")
    project = Project(folder)
    project.commit("feat: begin")
    for task in ("iris", "credit", "iris"):
        project.promote(task)
    project.run()
    project.run("credit")
    return project


def fork(source: Project, folder: Path) -> Project:
    """Return a clone: it shares the template's history."""
    git(folder.parent, "clone", "--quiet", str(source.root), str(folder))
    return Project(folder)


def copy(source: Project, folder: Path) -> Project:
    """Return a copy made by "Use this template": the same files in a single commit."""
    shutil.copytree(source.root, folder, ignore=shutil.ignore_patterns(".git", "build"))
    subprocess.run(["git", "init", "--quiet", "-b", "trunk", folder], check=True)
    project = Project(folder)
    project.commit("Initial commit")
    return project
