"""Two copies of this very repository, each with pushes of its own, take two versions of
it.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from core.file_names import OWNED
from core.git import git
from history import layout
from pipeline.copies.init import init
from pipeline.copies.update import update
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.support import factories
from tests.support.service import ROOT

pytestmark = pytest.mark.slow


class Project:
    """A repository with a bare remote, somebody who changes it, and the pipeline's
    answer.
    """

    def __init__(self, folder: Path, branch: str) -> None:
        self.folder, self.branch, self.count = folder, branch, 0
        self.root = folder / "clone"

    def clone(self) -> "Project":
        git(
            self.folder, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(self.root)
        )
        return self._begin()

    def use_template(self, template: "Project") -> "Project":
        """Begin as GitHub does: the files of the template in one commit of another
        history.
        """
        ignored = shutil.ignore_patterns(".git", "build")
        shutil.copytree(template.root, self.root, symlinks=True, ignore=ignored)
        subprocess.run(
            ["git", "init", "--quiet", "-b", self.branch, self.root], check=True
        )
        commit_all(self.root, "Initial commit")
        return self._begin()

    def _begin(self) -> "Project":
        bare = self.folder / "origin.git"
        git(self.folder, "init", "--quiet", "--bare", "-b", self.branch, str(bare))
        git(self.root, "checkout", "--quiet", "-B", self.branch)
        known = git(self.root, "remote").split()
        git(
            self.root,
            "remote",
            *(["set-url"] if known else ["add"]),
            "origin",
            str(bare),
        )
        for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
            git(self.root, "config", key, value)
        self.repo = Repo.open(self.root)
        self.push()
        return self

    def append(self, path: str, text: str) -> None:
        file = self.root / path
        before = file.read_text("utf-8") if file.is_file() else ""
        file.write_text(before + text, "utf-8", newline="\n")

    def push(self) -> None:
        git(self.root, "push", "--quiet", "origin", self.branch)

    def publish(self, noise: float = 0.3) -> None:
        """Push what is committed, and take the pipeline's commit as it comes back."""
        self.count += 1
        self.push()
        bundle = self.folder / f"bundle-{self.count}"
        factories.bundle(
            bundle, git(self.root, "rev-parse", "HEAD"), {"iris": noise}, self.count
        )
        publish(self.repo, bundle, "origin", self.branch)
        git(self.root, "pull", "--quiet", "--ff-only", "origin", self.branch)


def work(copy: Project) -> None:
    """Push three changes of one's own: code, a page, parameters; each is answered with
    runs.
    """
    copy.append("pipeline/own.py", '"""Our own code."""\n')
    copy.append("docs/own.md", "# Ours\n")
    copy.append("params.yaml", "  # Ours.\n")
    for noise in (3.0, 0.3, 0.05):
        copy.append("tests/unit/test_own.py", f"def test_{copy.count}() -> None: ...\n")
        commit_all(copy.root, "feat: work of our own")
        copy.publish(noise)


def new_version(template: Project, number: int) -> None:
    """Change code, pages, tests and names in the template, which has runs of its own as
    well.
    """
    template.append("core/errors.py", f"\n\nNEW_{number} = {number}\n")
    template.append("docs/why.md", f"\nReason {number}.\n")
    template.append(
        "tests/unit/core/test_files.py", f"\n\ndef test_new_{number}() -> None: ...\n"
    )
    readme = template.root / "README.md"
    text = readme.read_text("utf-8").replace(
        "\nOne Git repository", f"\n{number}. One Git repository"
    )
    readme.write_text(text, "utf-8", newline="\n")
    (template.root / "VERSION").write_text(f"9.{number}.0\n", "utf-8", newline="\n")
    commit_all(template.root, f"feat: version 9.{number}.0")
    template.publish(0.3 / number)


def test_two_copies_take_two_versions(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, projects = tmp_path_factory.mktemp("two"), []
    for name in ("template", "kept", "emptied"):
        (folder / name).mkdir()
        projects.append(
            Project(folder / name, "main" if name == "template" else "trunk")
        )
    template, *copies = projects
    template.clone()
    for copy in copies:
        copy.use_template(template)
        init(
            copy.repo,
            name=copy.folder.name.title(),
            empty=copy.folder.name == "emptied",
        )
        work(copy)
    for number in (1, 2):
        new_version(template, number)
        for copy in copies:
            takes_it(copy, template)


def takes_it(copy: Project, template: Project) -> None:
    own = git(copy.root, "ls-tree", "-r", "HEAD", "--", *OWNED)
    runs = set(layout.run_folders(copy.repo.mlruns))
    assert update(copy.repo, str(template.root)).commit
    assert git(copy.root, "ls-tree", "-r", "HEAD", "--", *OWNED) == own
    assert verify(copy.repo) == [] and set(layout.run_folders(copy.repo.mlruns)) == runs
    for path in (
        "core/errors.py",
        "docs/why.md",
        "tests/unit/core/test_files.py",
        "VERSION",
    ):
        assert (copy.root / path).read_bytes() == (template.root / path).read_bytes()
    title, _, rest = (copy.root / "README.md").read_text("utf-8").partition("\n")
    assert title == f"# {copy.folder.name.title()}"
    _, badge, template_rest = (
        (template.root / "README.md").read_text("utf-8").split("\n", 2)
    )
    # The badge of the workflow is dropped by a copy that is not on GitHub.
    assert "badge.svg" in badge and rest == template_rest
    copy.publish()
    assert verify(copy.repo) == []
