"""Updates of forks and of copies with a history of their own.

The template's code is merged, and its runs are not.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.errors import UsageError
from core.git import git
from pipeline.cli import app
from pipeline.copies.init import init
from tests.support import copies
from tests.support.copies import Project

Work = Callable[[Project], object]
Make = Callable[[Project, Path], Project]


def own_task(copy: Project) -> None:
    copy.write("pipeline/tasks/own.yaml", "title: Own\n")
    params = copy.text("params.yaml")
    copy.write("params.yaml", params + "  own:\n    folds: 2\n")
    copy.promote("own")


def emptied(copy: Project) -> None:
    init(copy.repo, name="Churn", empty=True, yes=True)
    copy.promote()


def promoted(project: Project) -> None:
    project.promote()
    project.promote("credit")


def new_task(template: Project) -> None:
    template.write("pipeline/tasks/wine.yaml", "title: Wine\n")
    params = template.text("params.yaml")
    template.write("params.yaml", params + "  wine:\n    folds: 4\n")
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
def test_code_is_merged_and_the_history_stays(
    template: Project, tmp_path: Path, make: Make, here: str, there: str
) -> None:
    assert_two_updates_work(template, make(template, tmp_path / "copy"), here, there)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("there", THERE)
@pytest.mark.parametrize("here", HERE)
@pytest.mark.parametrize("make", [copies.fork, copies.copy])
def test_every_combination_of_changes_on_both_sides(
    template: Project, tmp_path: Path, make: Make, here: str, there: str
) -> None:
    assert_two_updates_work(template, make(template, tmp_path / "copy"), here, there)


def assert_two_updates_work(
    template: Project, copy: Project, here: str, there: str
) -> None:
    HERE[here](copy)
    for change in (THERE[there], Project.run):
        change(template)
        template.write("docs/why.md", f"# Why\n\nBecause of {template.head}.\n")
        head = copy.head
        own = copy.own()
        outcome = copy.update(template)
        assert outcome.commit == copy.head
        assert copy.own() == own
        assert copy.faults() == []
        parents = git(copy.root, "log", "-1", "--format=%P")
        assert parents.split() == [head, template.head]
        code = git(template.root, "ls-files", "pipeline", "docs")
        for path in code.splitlines():
            assert copy.text(path) == template.text(path)
        assert git(copy.root, "status", "--porcelain") == ""
        copy.promote()  # publishing still works
        assert copy.faults() == []


def test_untracked_files_are_left_alone(template: Project, copy: Project) -> None:
    template.write("docs/new.md", "new\n")
    (copy.root / ".DS_Store").write_text("of the system")
    copy.update(template)
    assert copy.text("docs/new.md") == "new\n"
    assert copy.text(".DS_Store") == "of the system"


def test_uncommitted_changes_stop_the_update(template: Project, copy: Project) -> None:
    (copy.root / "docs" / "why.md").write_text("unsaved")
    message = r"there are uncommitted changes \(docs/why.md\): commit or stash"
    with pytest.raises(UsageError, match=message):
        copy.update(template)
    assert copy.text("docs/why.md") == "unsaved"


def test_the_commit_lists_what_was_merged(template: Project, copy: Project) -> None:
    template.promote()
    template.write("docs/why.md", "# Why\n\nSo.\n", "docs: say why")
    template.write("VERSION", "1.1.0\n", "chore: version 1.1.0")
    copy.update(template)
    commit = template.head[:7]
    assert git(copy.root, "log", "-1", "--format=%B") == (
        f"chore: update to version 1.1.0 of the template ({commit})\n\n"
        "New commits:\n- chore: version 1.1.0\n- docs: say why"
    )


def test_a_dry_run_only_shows_what_would_be_merged(
    template: Project, copy: Project
) -> None:
    copy.write("docs/why.md", "# Why\n\nMine.\n", "docs: our reason")
    template.write("docs/why.md", "# Why\n\nTheirs.\n", "docs: their reason")
    head = copy.head
    text = copy.update(template, dry_run=True).text
    assert text.splitlines()[:2] == ["New commits:", "- docs: their reason"]
    assert (
        'docs/why.md: changed here by "docs: our reason",'
        ' changed in the template by "docs: their reason"'
    ) in text
    assert copy.head == head
    assert git(copy.root, "worktree", "list").count("\n") == 0


def test_the_commands_say_what_they_did(template: Project, copy: Project) -> None:
    def run(*arguments: str) -> Result:
        command = ["--repo", str(copy.root), *arguments]
        return CliRunner().invoke(app, command)

    named = run("init", "--name", "Churn", "--holder", "ACME")
    assert named.exit_code == 0
    assert named.stdout.strip() == copy.head
    assert "review it, then push it" in named.stderr
    assert git(copy.root, "log", "-1", "--format=%B") == (
        "chore: start the project Churn\n\nThis project was created from a template."
    )
    template.write("docs/why.md", "# Why\n\nSo.\n", "docs: say why")
    preview = run("update", "--from", str(template.root), "--dry-run")
    assert preview.stdout == "New commits:\n- docs: say why\nThere are no conflicts.\n"
    done = run("update")
    assert done.exit_code == 0
    assert done.stdout.startswith("chore: update to version 1.0.0 of the template")
    assert done.stdout.endswith("\nReview and test the new commit, then push it.\n")
    wrong = run("update", "--continue", "--to", "v1")
    assert isinstance(wrong.exception, UsageError)
