"""Two copies of this repository, each with pushes of its own, take two versions of it."""

import shutil
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

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

UPDATED = (
    "core/errors.py",
    "docs/why.md",
    "tests/unit/core/test_files.py",
    "VERSION",
)


class Project:
    """A repository with a bare remote, a person's changes, and the pipeline's commits."""

    def __init__(self, folder: Path, branch: str) -> None:
        self.folder = folder
        self.branch = branch
        self.count = 0
        self.root = folder / "clone"

    @property
    def name(self) -> str:
        return self.folder.name

    def clone(self) -> None:
        options = ("--quiet", "--no-hardlinks")
        git(self.folder, "clone", *options, str(ROOT), str(self.root))
        git(self.root, "remote", "remove", "origin")
        self._begin()

    def use_template(self, template: "Project") -> None:
        """Begin as GitHub does, with the template's files in one commit of their own."""
        ignored = shutil.ignore_patterns(".git", "build")
        shutil.copytree(template.root, self.root, symlinks=True, ignore=ignored)
        git(self.root, "init", "--quiet", "-b", self.branch)
        commit_all(self.root, "Initial commit")
        self._begin()

    def _begin(self) -> None:
        bare = self.folder / "origin.git"
        git(self.folder, "init", "--quiet", "--bare", "-b", self.branch, str(bare))
        git(self.root, "checkout", "--quiet", "-B", self.branch)
        git(self.root, "remote", "add", "origin", str(bare))
        git(self.root, "config", "user.name", "Ann")
        git(self.root, "config", "user.email", "ann@example.org")
        self.repo = Repo.open(self.root)
        self.push()

    def append(self, path: str, text: str) -> None:
        file = self.root / path
        before = file.read_text("utf-8") if file.is_file() else ""
        file.write_text(before + text, "utf-8", newline="\n")

    def push(self) -> None:
        git(self.root, "push", "--quiet", "origin", self.branch)

    def publish(self, noise: float = 0.3) -> None:
        """Push the commits, and pull the one that the pipeline adds."""
        self.count += 1
        self.push()
        bundle = self.folder / f"bundle-{self.count}"
        commit = git(self.root, "rev-parse", "HEAD")
        factories.bundle(bundle, commit, {"iris": noise}, self.count)
        publish(self.repo, bundle, "origin", self.branch)
        git(self.root, "pull", "--quiet", "--ff-only", "origin", self.branch)


def work(copy: Project) -> None:
    """Push three changes, of code, a page and parameters; each is answered with runs."""
    copy.append("pipeline/own.py", '"""Our own code."""\n')
    copy.append("docs/own.md", "# Ours\n")
    copy.append("params.yaml", "  # Ours.\n")
    for noise in (3.0, 0.3, 0.05):
        copy.append("tests/unit/test_own.py", f"def test_{copy.count}() -> None: ...\n")
        commit_all(copy.root, "feat: work of our own")
        copy.publish(noise)


def new_version(template: Project, number: int) -> None:
    """Change code, pages and tests in the template, which has runs of its own as well."""
    test = f"\n\ndef test_new_{number}() -> None: ...\n"
    template.append("core/errors.py", f"\n\nNEW_{number} = {number}\n")
    template.append("docs/why.md", f"\nReason {number}.\n")
    template.append("tests/unit/core/test_files.py", test)
    readme = template.root / "README.md"
    text = readme.read_text("utf-8")
    text = text.replace("\nOne Git repository", f"\n{number}. One Git repository")
    readme.write_text(text, "utf-8", newline="\n")
    (template.root / "VERSION").write_text(f"9.{number}.0\n", "utf-8", newline="\n")
    commit_all(template.root, f"feat: version 9.{number}.0")
    template.publish(0.3 / number)


def test_two_copies_take_two_versions(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("two")
    for name in ("template", "kept", "emptied"):
        (folder / name).mkdir()
    template = Project(folder / "template", "main")
    template.clone()
    copies = [Project(folder / name, "trunk") for name in ("kept", "emptied")]
    for copy in copies:
        copy.use_template(template)
        is_empty = copy.name == "emptied"
        init(copy.repo, name=copy.name.title(), empty=is_empty)
        work(copy)
    for number in (1, 2):
        new_version(template, number)
        for copy in copies:
            takes_it(copy, template)


def owned_files(copy: Project) -> str:
    """Return the files that are the copy's alone, with their digests."""
    return git(copy.root, "ls-tree", "-r", "HEAD", "--", *OWNED)


def takes_it(copy: Project, template: Project) -> None:
    own = owned_files(copy)
    runs = set(layout.run_folders(copy.repo.mlruns))
    outcome = update(copy.repo, str(template.root))
    assert outcome.commit
    assert owned_files(copy) == own
    assert set(layout.run_folders(copy.repo.mlruns)) == runs
    assert verify(copy.repo) == []
    for path in UPDATED:
        content = (copy.root / path).read_bytes()
        assert content == (template.root / path).read_bytes()
    readme = (copy.root / "README.md").read_text("utf-8")
    template_readme = (template.root / "README.md").read_text("utf-8")
    title, _, rest = readme.partition("\n")
    _, badge, template_rest = template_readme.split("\n", 2)
    assert title == f"# {copy.name.title()}"
    # A copy that is not on GitHub drops the badge of the workflow.
    assert "badge.svg" in badge
    assert rest == template_rest
    copy.publish()
    assert verify(copy.repo) == []
