"""Ways to cheat in lesson 13."""

from course.lessons.lesson_13_supply_chain import solution
from course.lessons.lesson_13_supply_chain.check import (
    LOCK,
    AuditorsAgree,
    HashesAreTrue,
    PackageIsLocked,
    RulesAreKept,
    WorkflowIsAsAsked,
)
from course.lessons.lesson_13_supply_chain.wanted import WORKFLOW, Wanted
from course.work import Fake, Work

IGNORED = "actions/checkout@v7 # zizmor: ignore[unpinned-uses]"


def write(work: Work, before: str, after: str) -> None:
    """Write a workflow that differs in a place from the solution's."""
    text = solution.text(Wanted(work.personal))
    work.write(WORKFLOW, text.replace(before, after))
    work.commit(solution.MESSAGE)


def ignored(work: Work) -> None:
    """Tell the auditor to look away."""
    write(work, solution.CHECKOUT, IGNORED)


def tagged(work: Work) -> None:
    """Name an action by a tag, which its owner can move."""
    write(work, solution.CHECKOUT, "actions/checkout@v7")


def shell(work: Work) -> None:
    """Put shell code into a step."""
    session = Wanted(work.personal).session
    command = f"run: ./scripts/nox.sh -s {session}"
    write(work, command, f"{command} || true")


def all_rights(work: Work) -> None:
    """Leave the rights by default as they are."""
    write(work, "permissions: {}\n\n", "")


def by_pen(work: Work) -> None:
    """Write the lock's entry by hand, without a hash."""
    solution.add_package(work)
    package = Wanted(work.personal).package
    work.write(LOCK, work.read(LOCK) + f"{package}==1.0\n")
    work.commit(solution.MESSAGE)


def other_hash(work: Work) -> None:
    """Write the lock's entry by hand, with a hash that belongs to nothing."""
    solution.add_package(work)
    package = Wanted(work.personal).package
    version = "0.9.0" if package == "tabulate" else "1.0.0"
    entry = f"{package}=={version} --hash=sha256:{'0' * 64}\n"
    work.write(LOCK, work.read(LOCK) + entry)
    work.commit(solution.MESSAGE)


FAKES = (
    Fake("an auditor that looks away", ignored, AuditorsAgree, "zizmor"),
    Fake("an action by its tag", tagged, AuditorsAgree, "zizmor"),
    Fake("shell code", shell, RulesAreKept, ""),
    Fake("all rights", all_rights, WorkflowIsAsAsked, "rights by default"),
    Fake("a lock written by hand", by_pen, PackageIsLocked, "no hash"),
    Fake("a hash of nothing", other_hash, HashesAreTrue, "its hash is another one"),
)
