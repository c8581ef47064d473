"""Which commit of a copy counts for a lesson."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.git import is_ancestor
from course.classroom import Classroom
from course.teacher.mirror import Mirror
from course.teacher.roster import Row
from course.teacher.server import Push

NOW = "as it is now"
RECORDED = "as recorded at the deadline"
SERVER = "by the server's record"
COMMIT_TIME = "by commit time"


@dataclass(frozen=True)
class Submission:
    """What counts for a lesson.

    Attributes:
        commit: the commit; empty if there was none in time.
        why: how it was chosen.
        due: the last moment; None if the lesson has none.
    """

    commit: str
    why: str
    due: datetime | None


def last_moment(classroom: Classroom, lesson: int, row: Row) -> datetime | None:
    """Return the end of the last day of a lesson for a student, if it has one."""
    day = classroom.due.get(lesson)
    if day is None:
        return None
    day += timedelta(days=row.late_days)
    return datetime.combine(day, time.max, ZoneInfo(classroom.timezone))


def submission(
    mirror: Mirror,
    due: datetime | None,
    lesson: int,
    pushes: Sequence[Push],
    now: datetime,
) -> Submission:
    """Return what counts for a lesson, and record it once its last day is over.

    Args:
        mirror: the mirror, just updated.
        due: the last moment.
        lesson: the lesson's number.
        pushes: the server's record, the oldest first.
        now: the time of the collection.
    """
    if due is None or now <= due:
        return Submission(mirror.main, NOW, due)
    day = f"{due:%Y-%m-%d}"
    commit = mirror.at_deadline(lesson, day)
    if commit:
        return Submission(commit, RECORDED, due)
    commit, why = _at(mirror, due, pushes)
    if commit:
        mirror.record_deadline(lesson, day, commit)
    return Submission(commit, why, due)


def _at(mirror: Mirror, due: datetime, pushes: Sequence[Push]) -> tuple[str, str]:
    """Return what `main` was at a moment, and how that is known."""
    by_time = _by_commit_time(mirror, due)
    before = [fetch.commit for fetch in mirror.fetched() if fetch.time <= due]
    if before and not (by_time and is_ancestor(mirror.path, before[-1], by_time)):
        # It was there when we looked, whatever dates say that were written afterwards.
        by_time = before[-1]
    if not pushes:
        return by_time, COMMIT_TIME
    in_time = [push.commit for push in pushes if push.time <= due]
    for commit in reversed(in_time):
        if is_ancestor(mirror.path, commit, mirror.main):
            return commit, SERVER
    return "", SERVER


def _by_commit_time(mirror: Mirror, due: datetime) -> str:
    """Return the newest commit of `main` whose date is not after a moment."""
    listed = mirror.git("log", "--first-parent", "--format=%H %ct", mirror.main)
    for line in listed.splitlines():
        commit, seconds = line.split(" ")
        if int(seconds) <= due.timestamp():
            return commit
    return ""


def backwards(mirror: Mirror) -> str:
    """Return a sentence if a commit of `main` is older than the one before it."""
    listed = mirror.git("log", "--first-parent", "--format=%h %ct", mirror.main)
    later = None
    for line in listed.splitlines():
        commit, seconds = line.split(" ")
        if later and int(seconds) > later[1] + 60:
            day = datetime.fromtimestamp(later[1], UTC)
            return f"commit dates run backwards: {later[0]} says {day:%Y-%m-%d %H:%M}"
        later = (commit, int(seconds))
    return ""
