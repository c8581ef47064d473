"""Checks of lesson 0: the computer, the name, the copy."""

from course import begin, classroom, doctor, student
from course.check import Check
from course.copy import Copy
from course.grading.result import Verdict, failed, passed


class ComputerIsReady(Check):
    """Install what is missing, then run the check again."""

    name = "this computer can follow the course"

    def run(self, copy: Copy) -> Verdict:
        """Look at what the course cannot do without."""
        if not copy.here:
            return passed("looked at on the student's computer")
        findings = doctor.examine(copy.root)
        for finding in findings:
            if finding.needed and not finding.ok:
                expected = f"{finding.name} as the course needs it"
                return failed(
                    f"{finding.name}: {finding.seen}",
                    expected,
                    f"To do: {finding.remedy}.",
                )
        seen = [f"{each.name} {each.seen}" for each in findings if each.needed]
        return passed(", ".join(seen))


class NameIsCommitted(Check):
    """Run `python -m course start --student NAME`, then commit and push what it wrote."""

    name = "your name is in the copy"

    def run(self, copy: Copy) -> Verdict:
        """Compare the file in the last commit with the first one."""
        if not copy.has(student.FILE):
            return failed(
                f"{student.FILE} is in no commit", "a commit that begins the course"
            )
        now = student.parse(copy.text(student.FILE, "HEAD")).handle
        first = student.parse(copy.text(student.FILE, copy.started)).handle
        if now != first:
            return failed(
                f"the copy was begun by {first}, and now says {now}",
                "one name from the first commit to the last",
                "Begin with a copy of your own.",
            )
        return passed(now)


class NameIsYours(Check):
    """Begin with your own name, the one that owns the copy."""

    name = "it is the name of the copy's owner"
    requires = (NameIsCommitted,)

    def run(self, copy: Copy) -> Verdict:
        """Compare the name with the owner that GitHub or the teacher knows."""
        handle = copy.student.handle
        owner = copy.owner or begin.origin(copy).partition("/")[0]
        if not owner:
            return passed(f"{handle}; only a copy on GitHub or a class knows its owner")
        if owner.lower() != handle.lower():
            return failed(
                f"the copy belongs to {owner}, and {student.FILE} says {handle}",
                f"the name {owner}",
            )
        return passed(handle)


class CopyIsYours(Check):
    """Make a copy with "Use this template", clone that one, and work there."""

    name = "the copy is not the template"
    requires = (NameIsCommitted,)

    def run(self, copy: Copy) -> Verdict:
        """Compare the address that is pushed to with the template's."""
        address = begin.address(copy)
        if not address:
            return failed(
                "this folder has no remote `origin`", "one that you can push to"
            )
        template = classroom.load().template
        if address.removesuffix(".git") == template.removesuffix(".git"):
            return failed(f"`origin` is the template, {address}", "a copy of your own")
        return passed("`origin` is another repository")


CHECKS = (ComputerIsReady, NameIsCommitted, NameIsYours, CopyIsYours)
