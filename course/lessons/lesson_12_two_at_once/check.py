"""Checks of lesson 12: two publications of one commit, and a test of the race."""

from course.check import Check
from course.copy import Copy
from course.grading import history, mutate, sandbox, template_tests
from course.grading.history import Publication
from course.grading.mutate import Mutant
from course.grading.result import Verdict, failed, passed

TEST = "tests/course/test_race.py"
LOOP = "pipeline/publish/loop.py"
SECONDS = 300
PUSH = "            self.remote.push(self.commit, self.branch)\n"
FORCED = """\
            target = f"{self.commit}:refs/heads/{self.branch}"
            git(root, "push", "--force", "--quiet", self.remote.name, target)
"""
TREE = "        tree = state.write_tree()\n"
KEPT = """\
        tree = self.__dict__.setdefault("tree", state.write_tree())
"""
ATTEMPTS = "ATTEMPTS = 60\n"
FAULTS = (
    Mutant("it gives up after the first attempt", LOOP, ATTEMPTS, "ATTEMPTS = 1\n"),
    Mutant("it pushes the files of the first attempt again", LOOP, TREE, KEPT),
    Mutant("it overwrites what others have pushed", LOOP, PUSH, FORCED),
)
# The same behaviour in other words: a test that reads the source fails here.
REWORDED = Mutant("reworded", LOOP, ATTEMPTS, "# Plenty.\nATTEMPTS = 50 + 9\n")


class TwoPublished(Check):
    """Train one commit in two clones, and publish in both."""

    name = "one commit was published twice"

    def run(self, copy: Copy) -> Verdict:
        """Look for two publications of one source that each trained the same task."""
        before: dict[tuple[str, str], Publication] = {}
        for publication in history.publications(copy):
            for task in _trained(copy, publication):
                key = (publication.source, task)
                if key in before:
                    history.require_publication_is_whole(copy, before[key])
                    history.require_publication_is_whole(copy, publication)
                    pair = f"{before[key].commit[:7]} and {publication.commit[:7]}"
                    return passed(f"{pair} both trained {task}")
                before[key] = publication
        return failed(
            "no commit was trained and published twice since the course began",
            "two publications with the same commit behind `Mlops-Publish`",
        )


def _trained(copy: Copy, publication: Publication) -> list[str]:
    """Return the tasks whose training a publication added."""
    folders = copy.git("ls-tree", "--name-only", f"{publication.commit}:mlruns")
    tasks = []
    for task in folders.splitlines():
        if history.training(copy, publication, task):
            tasks.append(task)
    return tasks


class HistoryIsWhole(Check):
    """Undo what was changed by hand below `mlruns/`, or begin again from a new copy."""

    name = "nothing was lost"
    requires = (TwoPublished,)

    def run(self, copy: Copy) -> Verdict:
        """Verify the history, and that it has only grown."""
        history.require_append_only(copy)
        history.require_verified(copy)
        return passed("all runs are there, as they were published")


class TestPasses(Check):
    """Write `tests/course/test_race.py`, and commit it."""

    name = "your test passes with the template's code"

    def run(self, copy: Copy) -> Verdict:
        """Run it with the code as it is, and with the same code in other words."""
        if not copy.has(TEST):
            return failed(f"the last commit has no file {TEST}")
        command = template_tests.command(TEST)
        with template_tests.template(copy, [TEST]) as tree:
            outcome = sandbox.run(command, tree, SECONDS)
            if not outcome.succeeded:
                return failed(template_tests.reason(outcome))
            if not mutate.survivors(tree, [REWORDED], command, SECONDS):
                return failed(
                    "it fails when the same code is written in other words",
                    "a test of what the code does",
                )
        return passed(TEST)


class TestCatches(Check):
    """Add what is missing to your test: look at the origin after both have landed."""

    name = "your test fails with each spoilt loop"
    requires = (TestPasses,)

    def run(self, copy: Copy) -> Verdict:
        """Run it with one fault after the other."""
        command = template_tests.command(TEST)
        with template_tests.template(copy, [TEST]) as tree:
            missed = mutate.survivors(tree, FAULTS, command, SECONDS)
        if missed:
            caught = len(FAULTS) - len(missed)
            names = "; ".join(fault.name for fault in missed)
            return failed(f"{caught} of {len(FAULTS)} caught; missed: {names}")
        return passed(f"{len(FAULTS)} of {len(FAULTS)} caught")


CHECKS = (TwoPublished, HistoryIsWhole, TestPasses, TestCatches)
