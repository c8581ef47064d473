"""Whether the history of a copy was only ever added to: a part of each collection."""

from course.check import Check
from course.copy import Copy
from course.grading import history
from course.grading.result import Verdict, failed, passed


class Begun(Check):
    """Begin the course: `python -m course start --student NAME`."""

    name = "the course was begun"

    def run(self, copy: Copy) -> Verdict:
        """Look for the commit with the student's name."""
        if not copy.started:
            return failed("no commit has course/student.yaml")
        return passed(f"with commit {copy.started[:7]}")


class AppendOnly(Check):
    """Undo the change with `git revert`, or begin again from a new copy."""

    name = "runs and promotions were only added"
    requires = (Begun,)

    def run(self, copy: Copy) -> Verdict:
        """Look at each commit since the beginning."""
        history.require_append_only(copy)
        return passed("by publications alone")


class PublicationsAreWhole(Check):
    """Publish with `python -m pipeline publish` alone."""

    name = "each publication follows the commit that it was made from"
    requires = (Begun,)

    def run(self, copy: Copy) -> Verdict:
        """Look at each publication."""
        publications = history.publications(copy)
        for publication in publications:
            history.require_publication_is_whole(copy, publication)
        return passed(f"{len(publications)} publications")


class Verified(Check):
    """Run `python -m pipeline history verify`, and follow its advice."""

    name = "models, runs and registry agree"

    def run(self, copy: Copy) -> Verdict:
        """Run the grader's `history verify` over the copy's files."""
        history.require_verified(copy)
        return passed("`history verify` sees no fault")


CHECKS: tuple[type[Check], ...] = (Begun, AppendOnly, PublicationsAreWhole, Verified)
