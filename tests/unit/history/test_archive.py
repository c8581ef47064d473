"""Years that are moved into a tag: what moves, what stays, and how it comes back."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from history import History, Run, build_database, layout
from history.archive import archive, extract
from tests.conftest import commit_all
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    add_run,
    model_id,
    promote,
    verify,
)
from tests.support.promoted_history import MODEL_FILES, PromotedHistory

NOW = datetime(2026, 11, 29, tzinfo=UTC)
# The runs of the factories are of 2026.
IN_2025 = STARTED - 365 * DAY_MS
LAST_HOUR_OF_2025 = datetime(2025, 12, 31, 23, tzinfo=UTC)
LAST_DAY_OF_2025 = int(LAST_HOUR_OF_2025.timestamp() * 1000)


class Years:
    """A repository with runs of 2025 and 2026."""

    def __init__(self, folder: Path) -> None:
        self.promoted = PromotedHistory(folder)
        self.repo = self.promoted.repo
        self.root = self.repo.root
        git(self.root, "init", "--quiet", "-b", "main")
        git(self.root, "config", "user.name", "Tester")
        git(self.root, "config", "user.email", "tester@example.org")
        ignored = self.root / ".gitignore"
        ignored.write_text("/mlruns/.local/\n/build/\n")
        self.parent = self.add(files={"note.txt": b"old"})
        self.child = self.add(parent=self.parent.run_id)

    def add(self, **changes: object) -> Run:
        defaults = {"started": IN_2025}
        return add_run(self.repo.mlruns, **(defaults | changes))

    def commit(self) -> str:
        return commit_all(self.root, "feat: a history")

    def history(self) -> History:
        return self.repo.history()

    def move(self) -> set[str]:
        """Archive 2025; return the runs that have moved."""
        before = set(self.history().folders)
        archive(self.history(), "2025", NOW)
        after = set(self.history().folders)
        return before - after

    def stored(self) -> dict[str, str]:
        """Return the address of each run in the database that is built."""
        path = self.repo.build / "mlflow.db"
        build_database(self.repo.mlruns, path)
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT run_uuid, artifact_uri FROM runs")
            return dict(rows.fetchall())


@pytest.fixture
def years(tmp_path: Path) -> Years:
    return Years(tmp_path / "clone")


def test_one_commit_moves_the_year_and_the_tag_has_it(years: Years) -> None:
    before = years.commit()
    result = archive(years.history(), "2025", NOW)
    assert result.moved == 2
    assert result.stay == 0
    assert result.tag == "history/2025"
    tagged = git(years.root, "rev-parse", "history/2025^{commit}")
    assert tagged == before
    log = git(years.root, "log", "-2", "--format=%H")
    assert log.split() == [result.commit, before]
    changes = git(years.root, "diff", "--name-status", before, "HEAD")
    lines = changes.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("D\tmlruns/housing/2025-")
    assert git(years.root, "status", "--porcelain") == ""
    assert verify(years.repo) == []


def test_what_is_promoted_or_belongs_with_later_runs_stays(years: Years) -> None:
    used = model_id()
    over_new_year = years.add(started=LAST_DAY_OF_2025)
    first_day_of_2026 = LAST_DAY_OF_2025 + DAY_MS
    years.add(parent=over_new_year.run_id, started=first_day_of_2026)
    lender = years.add(models={used: MODEL_FILES})
    years.add(model_inputs=[used], started=STARTED)
    champion = years.add(models={model_id(): MODEL_FILES})
    sibling = years.add(parent=champion.run_id)
    promote(years.repo, champion)
    years.commit()
    moved = years.move()
    assert moved == {years.parent.run_id, years.child.run_id}
    stay = {
        over_new_year.run_id,
        lender.run_id,
        champion.run_id,
        sibling.run_id,
    }
    assert stay < set(years.history().folders)
    assert verify(years.repo) == []


def test_extracted_runs_are_in_the_database_with_their_files(years: Years) -> None:
    years.commit()
    everything = years.stored().keys()
    moved = years.move()
    assert years.stored().keys() == everything - moved
    assert extract(years.history(), "2025") == 2
    stored = years.stored()
    assert stored.keys() == everything
    place = ".local/archived/2025/housing"
    address = stored[years.parent.run_id]
    assert address.startswith(f"mlflow-artifacts:/{place}/2025-")
    path = address.removeprefix("mlflow-artifacts:/")
    note = years.repo.mlruns / path / "note.txt"
    assert note.read_bytes() == b"old"
    assert git(years.root, "status", "--porcelain") == ""
    assert verify(years.repo) == []
    # Those of a year that is not wanted any more leave the database, too.
    archived = years.repo.mlruns / ".local" / "archived"
    archived.rename(years.root / "build" / "aside")
    assert years.stored().keys() == everything - moved


def test_a_clone_without_the_tag_says_how_to_get_it(
    years: Years,
    tmp_path: Path,
) -> None:
    years.commit()
    years.move()
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(years.root), "other")
    notices: list[str] = []
    clone = History.open(other / "mlruns")
    assert clone.verify(notice=notices.append) == []
    (notice,) = notices
    assert "`git fetch origin tag history/2025` brings it" in notice
    with pytest.raises(UsageError, match="there is no tag history/2025 here"):
        extract(clone, "2025")
    git(other, "fetch", "--quiet", "origin", "tag", "history/2025")
    assert extract(clone, "2025") == 2


def test_a_shallow_clone_with_the_tag_has_no_fault(
    years: Years, tmp_path: Path
) -> None:
    years.commit()
    years.move()
    shallow = ("--depth=1", "--no-tags", years.root.as_uri(), "other")
    git(tmp_path, "clone", "--quiet", *shallow)
    git(tmp_path / "other", "fetch", "--quiet", "origin", "tag", "history/2025")
    clone = History.open(tmp_path / "other" / "mlruns")
    assert clone.verify() == []
    assert extract(clone, "2025") == 2


def test_a_tag_that_was_moved_is_a_fault(years: Years) -> None:
    years.commit()
    years.move()
    git(years.root, "tag", "--force", "history/2025", "HEAD")
    (fault,) = verify(years.repo)
    assert fault.file == "refs/tags/history/2025"
    assert "names another commit than" in fault.reason


def test_a_call_that_was_killed_is_finished_by_the_next(years: Years) -> None:
    years.commit()
    git(years.root, "tag", "history/2025")
    assert len(years.move()) == 2
    assert verify(years.repo) == []


@pytest.mark.parametrize(
    ("year", "message"),
    [
        ("last", "'last' is no year: name one such as 2025"),
        ("2026", "2026 has not ended"),
        ("2024", "no run of 2024 can be archived: 0 runs of that year are here"),
    ],
)
def test_a_year_that_cannot_be_archived_is_refused(
    years: Years,
    year: str,
    message: str,
) -> None:
    before = years.commit()
    with pytest.raises(UsageError, match=message):
        archive(years.history(), year, NOW)
    assert git(years.root, "rev-parse", "HEAD") == before
    assert git(years.root, "tag") == ""


def test_a_year_is_archived_once(years: Years) -> None:
    years.commit()
    years.move()
    with pytest.raises(UsageError, match="2025 was archived already"):
        archive(years.history(), "2025", NOW)


def test_uncommitted_changes_are_not_archived(years: Years) -> None:
    years.commit()
    years.add()
    with pytest.raises(UsageError, match="has changes that are not committed"):
        archive(years.history(), "2025", NOW)
    assert git(years.root, "tag") == ""


def test_a_damaged_year_is_not_archived(years: Years) -> None:
    folder = years.history().folder(years.parent.run_id)
    note = folder / "artifacts" / "note.txt"
    note.write_bytes(b"new")
    years.commit()
    with pytest.raises(PipelineError, match="nothing was archived"):
        archive(years.history(), "2025", NOW)
    assert git(years.root, "tag") == ""


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    mlruns = tmp_path / "mlruns"
    add_run(mlruns, started=IN_2025)
    with pytest.raises(UsageError, match="is not a Git repository with a commit"):
        archive(History.open(mlruns), "2025", NOW)


def test_addresses_of_archived_runs_are_those_of_the_history() -> None:
    day = Path("mlruns/.local/archived/2025/housing/2025-01-31")
    run_id = "a" * 32
    address = layout.artifact_uri(day, run_id, "artifacts")
    assert layout.is_history_uri(address)
    elsewhere = address.replace("archived/2025", "notebooks")
    assert not layout.is_history_uri(elsewhere)
