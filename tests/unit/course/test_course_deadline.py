"""The commit that counts for a lesson: as recorded, by the server, or by its date."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.git import git
from course.classroom import Classroom
from course.teacher import deadline, server
from course.teacher.deadline import COMMIT_TIME, NOW, RECORDED, SERVER
from course.teacher.mirror import Mirror
from course.teacher.roster import Row
from course.teacher.server import Push
from tests.support.forged_copies import begun

DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LESSON = 3
DAY = "2027-03-01"
COLLECTED = "refs/collected/20270301T110000Z"
IN_A_CLASS = {
    "name": "a",
    "salt": "b",
    "template": "c",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A copy whose commits say that they are from before and after the deadline."""
    source = begun(tmp_path / "copy", "ann")
    return Mirror(source / ".git", "ann")


def commit(mirror: Mirror, time: datetime) -> str:
    """Add a commit with a date to `main`."""
    variables = {"GIT_COMMITTER_DATE": time.isoformat()}
    tree = mirror.git("rev-parse", "main^{tree}")
    command = ("commit-tree", tree, "-p", "main", "-m", f"at {time}")
    new = git(mirror.path, *command, variables=variables)
    mirror.git("update-ref", "refs/heads/main", new)
    return new


def chosen(mirror: Mirror, *pushes: Push, now: datetime = DUE + HOUR) -> list[str]:
    """Return the commit that counts, and why."""
    result = deadline.submission(mirror, DUE, LESSON, pushes, now)
    return [result.commit, result.why]


def test_before_the_deadline_the_newest_commit_counts(mirror: Mirror) -> None:
    newest = commit(mirror, DUE - HOUR)
    assert chosen(mirror, now=DUE) == [newest, NOW]
    without_deadline = deadline.submission(mirror, None, LESSON, (), DUE)
    assert without_deadline.commit == newest
    assert mirror.at_deadline(LESSON, DAY) == ""


def test_a_commit_counts_by_its_date_and_is_recorded(mirror: Mirror) -> None:
    in_time = commit(mirror, DUE - HOUR)
    commit(mirror, DUE + HOUR)
    assert chosen(mirror) == [in_time, COMMIT_TIME]
    commit(mirror, DUE - HOUR)
    assert chosen(mirror) == [in_time, RECORDED]
    name = f"refs/deadline/{LESSON}/ann/{DAY}"
    assert mirror.git("rev-parse", name) == in_time


def test_a_date_is_not_believed_where_the_server_recorded_pushes(
    mirror: Mirror,
) -> None:
    in_time = commit(mirror, DUE - 2 * HOUR)
    forged = commit(mirror, DUE - HOUR)
    push_in_time = Push(DUE - HOUR, in_time)
    late_push = Push(DUE + HOUR, forged)
    assert chosen(mirror, push_in_time, late_push) == [in_time, SERVER]


def test_nothing_counts_that_was_pushed_late_alone(mirror: Mirror) -> None:
    forged = commit(mirror, DUE - HOUR)
    late_push = Push(DUE + HOUR, forged)
    assert chosen(mirror, late_push) == ["", SERVER]


def test_what_was_fetched_in_time_counts_whatever_its_date(mirror: Mirror) -> None:
    fetched = commit(mirror, DUE + 5 * HOUR)
    mirror.git("update-ref", COLLECTED, fetched)
    commit(mirror, DUE + 6 * HOUR)
    assert chosen(mirror) == [fetched, COMMIT_TIME]


def test_a_history_that_was_rewritten_with_dates_in_time_does_not_count(
    mirror: Mirror,
) -> None:
    begin = mirror.main
    fetched = commit(mirror, DUE - 3 * HOUR)
    mirror.git("update-ref", COLLECTED, fetched)
    mirror.git("update-ref", "refs/heads/main", begin)
    commit(mirror, DUE - 2 * HOUR)
    assert chosen(mirror) == [fetched, COMMIT_TIME]


def test_dates_that_run_backwards_are_named(mirror: Mirror) -> None:
    commit(mirror, DUE)
    assert deadline.backwards(mirror) == ""
    commit(mirror, DUE - HOUR)
    assert "2027-03-01 11:00" in deadline.backwards(mirror)


def test_late_days_and_the_time_zone_count() -> None:
    due = {LESSON: date(2027, 3, 1)}
    classroom = Classroom(**IN_A_CLASS, due=due)
    two_days_left = Row("ann", "", 2)
    last = deadline.last_moment(classroom, LESSON, two_days_left)
    assert last
    in_utc = last.astimezone(UTC)
    assert in_utc.isoformat() == "2027-03-03T22:59:59.999999+00:00"
    no_days_left = Row("ann", "")
    assert deadline.last_moment(classroom, 0, no_days_left) is None
    in_no_zone = IN_A_CLASS | {"timezone": "Berlin"}
    with pytest.raises(ValidationError, match="no time zone 'Berlin'"):
        Classroom(**in_no_zone)


def test_a_bare_repository_in_a_folder_has_a_record(tmp_path: Path) -> None:
    source = begun(tmp_path / "copy", "ann")
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    address = str(bare)
    assert server.pushes(address) == []
    git(bare, "config", "core.logAllRefUpdates", "true")
    git(source, "push", "--quiet", address, "main")
    head = git(source, "rev-parse", "HEAD")
    (push,) = server.pushes(address)
    assert push.commit == head
