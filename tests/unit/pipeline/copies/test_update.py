"""Updates of forks and of copies with a history of their own: code comes in, runs do
not.
"""

import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.errors import PipelineError, UsageError
from core.git import git
from pipeline.cli import app
from pipeline.copies.init import init
from pipeline.copies.sides import GENERATED
from pipeline.copies.update import resume, update
from tests.support import copies
from tests.support.copies import Project
from tools import reference

Work = Callable[[Project], object]
Make = Callable[[Project, Path], Project]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copies.template(tmp_path_factory.mktemp("made") / "template").root


@pytest.fixture
def template(made: Path, tmp_path: Path) -> Project:
    """A template that a test may change."""
    return Project(Path(shutil.copytree(made, tmp_path / "template")))


@pytest.fixture
def copy(template: Project, tmp_path: Path) -> Project:
    return copies.copy(template, tmp_path / "copy")


def own_task(copy: Project) -> None:
    copy.write("pipeline/tasks/own.yaml", "title: Own\n")
    copy.write("params.yaml", copy.text("params.yaml") + "  own:\n    folds: 2\n")
    copy.promote("own")


def emptied(copy: Project) -> None:
    init(copy.repo, name="Churn", empty=True, yes=True)
    copy.promote()


def promoted(project: Project) -> None:
    project.promote()
    project.promote("credit")


def new_task(template: Project) -> None:
    template.write("pipeline/tasks/wine.yaml", "title: Wine\n")
    template.write(
        "params.yaml", template.text("params.yaml") + "  wine:\n    folds: 4\n"
    )
    template.write("data/wine.csv.gz", "rows of wine\n")
    template.promote("wine")


def deleted_task(template: Project) -> None:
    template.remove("pipeline/tasks/credit.yaml")
    template.replace("params.yaml", "  credit:\n    folds: 5\n", "")
    template.remove("mlruns/registry/credit", "deployment/models/credit")


HERE: dict[str, Work] = {
    "own runs": lambda copy: copy.run(),
    "own promotions": promoted,
    "emptied": emptied,
    "own task": own_task,
}
THERE: dict[str, Work] = {
    "runs": lambda template: template.run(),
    "promotion": promoted,
    "new task": new_task,
    "deleted task": deleted_task,
}


@pytest.mark.parametrize(
    "make, here, there",
    [
        (copies.fork, "own runs", "promotion"),
        (copies.copy, "own promotions", "runs"),
        (copies.copy, "emptied", "new task"),
        (copies.fork, "own task", "deleted task"),
    ],
)
def test_code_comes_in_and_the_history_stays(
    template: Project, tmp_path: Path, make: Make, here: str, there: str
) -> None:
    takes_two_updates(template, make(template, tmp_path / "copy"), here, there)


@pytest.mark.slow
@pytest.mark.parametrize("there", THERE)
@pytest.mark.parametrize("here", HERE)
@pytest.mark.parametrize("make", [copies.fork, copies.copy])
def test_whatever_happens_on_both_sides(
    template: Project, tmp_path: Path, make: Make, here: str, there: str
) -> None:
    takes_two_updates(template, make(template, tmp_path / "copy"), here, there)


def takes_two_updates(template: Project, copy: Project, here: str, there: str) -> None:
    HERE[here](copy)
    for change in (THERE[there], copies.Project.run):
        change(template)
        template.write("docs/why.md", f"# Why\n\nBecause of {template.head}.\n")
        head = copy.head
        own = copy.own()
        outcome = copy.update(template)
        assert outcome.commit == copy.head
        assert copy.own() == own
        assert copy.faults() == []
        assert git(copy.root, "log", "-1", "--format=%P").split() == [
            head,
            template.head,
        ]
        listed = git(template.root, "ls-files", "pipeline", "docs").splitlines()
        assert [path for path in listed if copy.text(path) != template.text(path)] == []
        assert git(copy.root, "status", "--porcelain") == ""
        copy.promote()  # and publishing goes on
        assert copy.faults() == []


def test_both_new_tasks_have_their_section(template: Project, copy: Project) -> None:
    own_task(copy)
    new_task(template)
    copy.replace("params.yaml", "  iris:\n    folds: 3\n", "  iris:\n    folds: 9\n")
    copy.update(template)
    assert copy.text("params.yaml") == (
        "seed: 42\ntasks:\n  iris:\n    folds: 9\n  credit:\n    folds: 5\n"
        "  own:\n    folds: 2\n  wine:\n    folds: 4\n"
    )


def test_a_task_that_was_removed_here_stays_removed(
    template: Project, copy: Project
) -> None:
    copy.remove("pipeline/tasks/credit.yaml")
    copy.replace("params.yaml", "  credit:\n    folds: 5\n", "")
    template.write("pipeline/tasks/credit.yaml", "title: Loans\n")
    template.write("docs/why.md", "# Why\n\nSo.\n")
    copy.update(template)
    assert not (copy.root / "pipeline/tasks/credit.yaml").exists()
    assert copy.text("docs/why.md") == "# Why\n\nSo.\n"


def test_the_copy_s_names_are_never_a_conflict(
    template: Project, copy: Project
) -> None:
    init(copy.repo, name="Churn", holder="ACME", repository="ACME/churn")
    template.replace(
        "README.md", "# MLOps GitOps template\n\nWhat", "# The template\n\nAll that"
    )
    template.replace("LICENSE", "Copyright (c) 2026 The", "Copyright (c) 2026-2027 The")
    template.replace("pyproject.toml", "dependencies = []", 'dependencies = ["numpy"]')
    copy.update(template)
    title, badge, *rest = copy.text("README.md").splitlines()
    assert title == "# Churn" and "ACME/churn" in badge and rest[1] == "All that it is."
    assert 'name = "churn"\ndependencies = ["numpy"]' in copy.text("pyproject.toml")
    holders = [
        line for line in copy.text("LICENSE").splitlines() if "Copyright" in line
    ]
    assert [line.split()[-1] for line in holders] == ["ACME", "maintainers"]
    assert "2026-2027" in holders[1]


def test_what_is_generated_is_made_again(template: Project, copy: Project) -> None:
    copy.write("source.txt", "mine\n")
    copy.write("docs/api.md", "made of: mine\n")
    template.write("docs/api.md", "made in a new way of: one\n")
    template.replace("tools/reference.py", "made of: ", "made in a new way of: ")
    copy.update(template)
    assert copy.text("docs/api.md") == "made in a new way of: mine\n"


def test_what_cannot_be_made_again_is_said(template: Project, copy: Project) -> None:
    template.write("tools/reference.py", "import a_package_that_is_not_here\n")
    outcome = copy.update(template)
    assert outcome.commit
    assert "run `nox -s docs`" in outcome.text
    assert "No module named 'a_package_that_is_not_here'" in outcome.text


def test_locks_are_the_template_s_unless_packages_were_added_here(
    template: Project, copy: Project
) -> None:
    copy.write("requirements/dev.txt", "numpy==1.1\n")  # by hand, without a reason
    template.write("requirements/dev.txt", "numpy==2\n")
    copy.update(template)
    assert copy.text("requirements/dev.txt") == "numpy==2\n"
    copy.replace("pyproject.toml", "dependencies = []", 'dependencies = ["pandas"]')
    copy.write("requirements/dev.txt", "numpy==2\npandas==3\n")
    template.write("requirements/dev.txt", "numpy==4\n")
    copy.update(template)
    assert copy.text("requirements/dev.txt") == "numpy==2\npandas==3\n"


def test_the_commit_says_what_came_in(template: Project, copy: Project) -> None:
    template.promote()
    template.write("docs/why.md", "# Why\n\nSo.\n", "docs: say why")
    template.write("VERSION", "1.1.0\n", "chore: version 1.1.0")
    copy.update(template)
    assert git(copy.root, "log", "-1", "--format=%B") == (
        f"chore: update to the template's 1.1.0 ({template.head[:7]})\n\n"
        "New commits:\n- chore: version 1.1.0\n- docs: say why"
    )


def test_a_dry_run_only_says_what_would_come_in(
    template: Project, copy: Project
) -> None:
    copy.write("docs/why.md", "# Why\n\nMine.\n", "docs: our reason")
    template.write("docs/why.md", "# Why\n\nTheirs.\n", "docs: their reason")
    head = copy.head
    text = copy.update(template, dry_run=True).text
    assert text.splitlines()[:2] == ["New commits:", "- docs: their reason"]
    line = (
        'docs/why.md: here changed by "docs: our reason"; in the template changed by '
    )
    assert line + '"docs: their reason"' in text
    assert copy.head == head
    assert git(copy.root, "worktree", "list").count("\n") == 0


def test_a_conflict_is_resolved_by_a_person(template: Project, copy: Project) -> None:
    copy.write("docs/why.md", "# Why\n\nMine.\n")
    template.write("docs/why.md", "# Why\n\nTheirs.\n")
    head = copy.head
    with pytest.raises(
        PipelineError, match="1 files were changed here and in the template"
    ):
        copy.update(template)
    assert copy.head == head
    assert git(copy.root, "status", "--porcelain") == ""
    with pytest.raises(UsageError, match="an update is open"):
        copy.update(template)
    with pytest.raises(PipelineError, match="docs/why.md"):
        resume(copy.repo)
    (copy.repo.build / "update" / "docs" / "why.md").write_text("# Why\n\nBoth.\n")
    assert resume(copy.repo).commit == copy.head != head
    assert copy.text("docs/why.md") == "# Why\n\nBoth.\n" and copy.faults() == []
    with pytest.raises(UsageError, match="no update is open"):
        resume(copy.repo)
    assert "Nothing to merge" in copy.update(template).text


def test_a_squashed_copy_is_told_the_nearest_commit(
    template: Project, tmp_path: Path
) -> None:
    made_of = template.head
    copy = copies.fork(template, tmp_path / "copy")
    git(copy.root, "checkout", "--quiet", "--orphan", "fresh")
    copy.write("docs/why.md", "# Why\n\nMine from the start.\n")
    template.run()
    template.replace("README.md", "How to use it.", "How it is used.")
    git(copy.root, "branch", "-D", "main")
    git(copy.root, "remote", "remove", "origin")
    with pytest.raises(UsageError, match=rf"1 files differ.*--base {made_of[:12]}"):
        copy.update(template)
    assert copy.update(template, base=made_of).commit
    assert "How it is used." in copy.text("README.md")


def test_a_version_is_named_and_the_address_is_remembered(
    template: Project, copy: Project
) -> None:
    template.write("VERSION", "1.1.0\n")
    git(template.root, "tag", "v1.1.0")
    template.write("VERSION", "1.2.0\n")
    copy.update(template, ref="v1.1.0")
    assert copy.text("VERSION") == "1.1.0\n"
    assert update(copy.repo).commit
    assert copy.text("VERSION") == "1.2.0\n"
    assert git(copy.root, "tag") == ""  # the copy's tags are its own
    with pytest.raises(UsageError, match="no branch, tag or commit 'v9'"):
        update(copy.repo, ref="v9")


def test_files_that_git_does_not_know_are_left_alone(
    template: Project, copy: Project
) -> None:
    template.write("docs/new.md", "new\n")
    (copy.root / ".DS_Store").write_text(
        "of the system"
    )  # in the ignore file of many a user
    copy.update(template)
    assert copy.text("docs/new.md") == "new\n"
    assert (copy.root / ".DS_Store").read_text("utf-8") == "of the system"


def test_what_is_not_committed_is_not_risked(template: Project, copy: Project) -> None:
    (copy.root / "docs" / "why.md").write_text("unsaved")
    with pytest.raises(
        UsageError, match=r"1 files differ from the last commit \(docs/why.md\)"
    ):
        copy.update(template)
    assert copy.text("docs/why.md") == "unsaved"


def test_without_an_address_there_is_a_sentence(copy: Project) -> None:
    with pytest.raises(UsageError, match="--from ADDRESS"):
        update(copy.repo)


def test_every_page_that_is_generated_is_known() -> None:
    paths = [path.relative_to(reference.ROOT).as_posix() for path in reference.pages()]
    assert [p for p in paths if not any(fnmatch(p, known) for known in GENERATED)] == []


def test_the_commands_say_what_they_did(template: Project, copy: Project) -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--repo", str(copy.root), *arguments])

    begun = run("init", "--name", "Churn", "--holder", "ACME")
    assert begun.exit_code == 0
    assert begun.stdout.strip() == copy.head
    template.write("docs/why.md", "# Why\n\nSo.\n", "docs: say why")
    tried = run("update", "--from", str(template.root), "--dry-run")
    assert tried.stdout == "New commits:\n- docs: say why\nThere is no conflict.\n"
    taken = run("update")
    assert taken.exit_code == 0
    assert taken.stdout.startswith("chore: update to the template's 1.0.0")
    assert isinstance(run("update", "--continue", "--to", "v1").exception, UsageError)
