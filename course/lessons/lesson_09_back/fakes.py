"""Ways to cheat in lesson 9."""

import json

from course.lessons.lesson_09_back import solution
from course.lessons.lesson_09_back.check import (
    NothingWasRewritten,
    PutBack,
    ReasonIsGiven,
)
from course.work import Fake, Work


def copied(work: Work) -> None:
    """Copy the file of an earlier version over the one in service."""
    task, version = solution.choose(work)
    path = f"deployment/models/{task}/model.onnx"
    first = work.git("log", "--format=%H", "--reverse", "--", path).split()[0]
    work.git("checkout", "--quiet", first, "--", path)
    work.commit(f"fix: go back from version {version}")


def reverted(work: Work) -> None:
    """Revert the commit that promoted the newest version."""
    task, version = solution.choose(work)
    path = f"mlruns/registry/{task}/{version}.json"
    commit = work.git("log", "-1", "--format=%H", "--", path)
    work.git("revert", "--no-edit", commit)


def rewritten(work: Work) -> None:
    """Put a version back, and remove the one that was bad from the history."""
    task, version = solution.choose(work)
    solution.solve(work)
    work.remove(f"mlruns/registry/{task}/{version}.json")
    work.commit("chore: remove what was bad")


def by_pen(work: Work) -> None:
    """Write the registry's next entry oneself."""
    task, version = solution.choose(work)
    new = version + 1
    first = work.copy.registry(task)[0]
    entry = first | {
        "version": new,
        "replaces": version,
        "decided_by": "hand",
        "reason": solution.REASON.format(version=version),
        "checks": [],
    }
    text = json.dumps(entry, indent=1, sort_keys=True)
    work.write(f"mlruns/registry/{task}/{new}.json", f"{text}\n")
    work.commit(f"chore(publish): {task} v{new} promoted manually")


def silent(work: Work) -> None:
    """Give no reason."""
    task, _ = solution.choose(work)
    solution.put_back(work, task, "")


FAKES = (
    Fake("a copied file", copied, PutBack, "nobody has put"),
    Fake("a reverted publication", reverted, PutBack, "nobody has put"),
    Fake("an entry that was written by hand", by_pen, PutBack, "nobody has put"),
    Fake("a version that was removed", rewritten, NothingWasRewritten, "was changed"),
    Fake("no reason", silent, ReasonIsGiven, "manual rollback"),
)
