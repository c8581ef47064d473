"""What an update leaves to a person: conflicts, the base, the version and the address."""

from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from pipeline.copies.update import resume, update
from tests.support import copies
from tests.support.copies import Project


@pytest.fixture
def conflict(template: Project, copy: Project) -> Path:
    """Start an update with a conflict; return the file that a person has to edit."""
    copy.write("docs/why.md", "# Why\n\nMine.\n")
    template.write("docs/why.md", "# Why\n\nTheirs.\n")
    head = copy.head
    message = "(?s)both here and in the template:.*docs/why.md.*--continue"
    with pytest.raises(PipelineError, match=message):
        copy.update(template)
    assert copy.head == head
    assert git(copy.root, "status", "--porcelain") == ""
    return copy.repo.build / "update" / "docs" / "why.md"


@pytest.mark.usefixtures("conflict")
def test_an_update_with_a_conflict_waits_for_a_person(
    template: Project, copy: Project
) -> None:
    with pytest.raises(UsageError, match="an update is in progress"):
        copy.update(template)
    with pytest.raises(PipelineError, match="docs/why.md"):
        resume(copy.repo)


def test_an_update_continues_once_the_conflict_is_resolved(
    template: Project, copy: Project, conflict: Path
) -> None:
    head = copy.head
    conflict.write_text("# Why\n\nBoth.\n")
    outcome = resume(copy.repo)
    assert outcome.commit == copy.head
    assert copy.head != head
    assert copy.text("docs/why.md") == "# Why\n\nBoth.\n"
    assert copy.faults() == []
    with pytest.raises(UsageError, match="no update is in progress"):
        resume(copy.repo)
    again = copy.update(template)
    assert "Nothing to merge" in again.text


@pytest.mark.usefixtures("conflict")
def test_an_update_is_not_continued_after_other_commits(copy: Project) -> None:
    copy.write("docs/other.md", "new\n")
    message = "new commits since the update began: delete .*update.json"
    with pytest.raises(UsageError, match=message):
        resume(copy.repo)


def test_the_nearest_commit_is_suggested_for_a_squashed_copy(
    template: Project, tmp_path: Path
) -> None:
    origin = template.head
    copy = copies.fork(template, tmp_path / "copy")
    git(copy.root, "checkout", "--quiet", "--orphan", "fresh")
    copy.write("docs/why.md", "# Why\n\nMine from the start.\n")
    template.run()
    template.replace("README.md", "How to use it.", "How it is used.")
    git(copy.root, "branch", "-D", "main")
    git(copy.root, "remote", "remove", "origin")
    with pytest.raises(UsageError, match=rf"differing files: 1.*--base {origin[:12]}"):
        copy.update(template)
    assert copy.update(template, base=origin).commit
    assert "How it is used." in copy.text("README.md")


def test_a_version_is_chosen_and_the_address_is_stored(
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


def test_without_an_address_the_error_asks_for_it(copy: Project) -> None:
    with pytest.raises(UsageError, match="--from ADDRESS"):
        update(copy.repo)
