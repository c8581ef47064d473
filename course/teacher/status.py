"""`course status ROSTER`: who of a class is stuck where."""

from collections.abc import Iterator

from course.grading.result import State
from course.teacher.collect import COPY, Collection


def lines(collection: Collection) -> Iterator[tuple[str, str, str]]:
    """Yield a student, the number of lessons done, and where the student is.

    The place is the first lesson that is not done, with its first red check.
    """
    grader = collection.grader
    for row in collection.rows:
        kept = []
        for lesson in collection.lessons:
            content = grader.kept(row.handle, f"{lesson.number:02}")
            kept.append((lesson, content.get("result", {})))
        done = sum(result.get("passed", False) for _, result in kept)
        place = grader.kept(row.handle, COPY).get("error", "")
        for lesson, result in kept:
            if not place and not result.get("passed", False):
                place = f"lesson {lesson.number}: {_first_red(result)}"
        yield row.handle, f"{done} of {len(kept)}", place or "all is done"


def _first_red(result: dict[str, list[dict[str, str]]]) -> str:
    for check in result.get("checks", []):
        if check["state"] != State.PASSED:
            return f"{check['name']}: {check['seen']}"
    return "not graded"
