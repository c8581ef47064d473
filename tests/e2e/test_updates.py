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


def write(file: Path, text: str) -> None:
    """Write a file with the ends of lines that Git has, on every system."""
    file.write_text(text, "utf-8", newline="\n")


class Project:
    """A repository with a bare remote, a person's changes, and the pipeline's commits."""

    def __init__(
        self,
        folder: Path,
        branch: str,
    ) -> None:
        self.folder = folder
        self.branch = branch
        self.count = 0
        self.root = folder / "clone"

    @property
    def title(self) -> str:
        return self.folder.name.title()

    def clone(self) -> None:
        source = str(ROOT)
        target = str(self.root)
        git(self.folder, "clone", "--quiet", "--no-hardlinks", source, target)
        git(self.root, "remote", "remove", "origin")
        self._begin()

    def use_template(self, template: "Project") -> None:
        """Begin as GitHub does, with the template's files in one commit of their own."""
        ignored = shutil.ignore_patterns(".git", "build")
        shutil.copytree(
            template.root,
            self.root,
            symlinks=True,
            ignore=ignored,
        )
        git(self.root, "init", "--quiet", "-b", self.branch)
        commit_all(self.root, "Initial commit")
        self._begin()

    def _begin(self) -> None:
        origin = str(self.folder / "origin.git")
        git(self.folder, "init", "--quiet", "--bare", "-b", self.branch, origin)
        git(self.root, "checkout", "--quiet", "-B", self.branch)
        git(self.root, "remote", "add", "origin", origin)
        git(self.root, "config", "user.name", "Ann")
        git(self.root, "config", "user.email", "ann@example.org")
        self.repo = Repo.open(self.root)
        self.push()

    def append(
        self,
        path: str,
        text: str,
    ) -> None:
        file = self.root / path
        before = ""
        if file.is_file():
            before = file.read_text("utf-8")
        write(file, before + text)

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
        test = f"def test_{copy.count}() -> None: ...\n"
        copy.append("tests/unit/test_own.py", test)
        commit_all(copy.root, "feat: work of our own")
        copy.publish(noise)


def new_version(template: Project, number: int) -> None:
    """Change code, pages and tests in the template, which has runs of its own as well."""
    test = f"\n\ndef test_new_{number}() -> None: ...\n"
    constant = f"\n\nNEW_{number} = {number}\n"
    reason = f"\nReason {number}.\n"
    template.append("core/errors.py", constant)
    template.append("docs/why.md", reason)
    template.append("tests/unit/core/test_files.py", test)
    readme = template.root / "README.md"
    text = readme.read_text("utf-8")
    sentence = "\nOne Git repository"
    numbered = f"\n{number}. One Git repository"
    write(readme, text.replace(sentence, numbered))
    version = f"9.{number}.0"
    write(template.root / "VERSION", f"{version}\n")
    commit_all(template.root, f"feat: version {version}")
    noise = 0.3 / number
    template.publish(noise)


def new_project(folder: Path, branch: str) -> Project:
    """Return a project in a new folder."""
    folder.mkdir()
    return Project(folder, branch)


def test_two_copies_take_two_versions(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("two")
    template = new_project(folder / "template", "main")
    kept = new_project(folder / "kept", "trunk")
    emptied = new_project(folder / "emptied", "trunk")
    template.clone()
    copies = [kept, emptied]
    for copy in copies:
        copy.use_template(template)
        is_empty = copy is emptied
        init(
            copy.repo,
            name=copy.title,
            empty=is_empty,
        )
        work(copy)
    for number in (1, 2):
        new_version(template, number)
        for copy in copies:
            takes_it(copy, template)


def owned_files(copy: Project) -> str:
    """Return the files that are the copy's alone, with their digests."""
    return git(copy.root, "ls-tree", "-r", "HEAD", "--", *OWNED)


def run_ids(copy: Project) -> set[str]:
    folders = layout.run_folders(copy.repo.mlruns)
    return set(folders)


def readme_of(project: Project) -> str:
    file = project.root / "README.md"
    return file.read_text("utf-8")


def takes_it(copy: Project, template: Project) -> None:
    own = owned_files(copy)
    runs = run_ids(copy)
    outcome = update(copy.repo, str(template.root))
    assert outcome.commit
    assert owned_files(copy) == own
    assert run_ids(copy) == runs
    assert verify(copy.repo) == []
    for path in UPDATED:
        file = copy.root / path
        template_file = template.root / path
        assert file.read_bytes() == template_file.read_bytes()
    readme = readme_of(copy)
    template_readme = readme_of(template)
    title, _, rest = readme.partition("\n")
    _, badge, template_rest = template_readme.split("\n", 2)
    assert title == f"# {copy.title}"
    # A copy that is not on GitHub drops the badge of the workflow.
    assert "badge.svg" in badge
    assert rest == template_rest
    copy.publish()
    assert verify(copy.repo) == []
