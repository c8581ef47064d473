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
    entry = work.copy.registry(task)[0]
    pattern = f"mlruns/{task}/**/{entry['model_id']}/**/model.onnx"
    source = next(work.root.glob(pattern), None)
    target = work.root / "deployment" / "models" / task / "model.onnx"
    target.write_bytes(source.read_bytes() if source else b"copied")
    work.commit(f"fix: go back from version {version}")


def reverted(work: Work) -> None:
    """Revert the commit that promoted the newest version."""
    task, version = solution.choose(work)
    path = f"mlruns/registry/{task}/{version}.json"
    commit = work.git("log", "-1", "--format=%H", "--", path)
    if work.git("log", "-1", "--format=%P", commit):
        work.git("revert", "--no-edit", commit)
    else:
        work.remove(path)
        work.commit("Revert the newest version")


def rewritten(work: Work) -> None:
    """Put a version back, and remove the one that was bad from the history."""
    task, version = solution.choose(work)
    solution.solve(work)
    work.remove(f"mlruns/registry/{task}/{version}.json")
    work.commit("chore: remove what was bad")


def by_pen(work: Work) -> None:
    """Write the registry's next entry oneself."""
    task, version = solution.choose(work)
    entry = work.copy.registry(task)[0]
    entry |= {"version": version + 1, "replaces": version, "decided_by": "hand"}
    entry |= {"reason": solution.REASON.format(version=version), "checks": []}
    path = f"mlruns/registry/{task}/{version + 1}.json"
    work.write(path, json.dumps(entry, indent=1, sort_keys=True) + "\n")
    work.commit(f"chore(publish): {task} v{version + 1} promoted manually")


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
