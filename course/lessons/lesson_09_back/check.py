"""Checks of lesson 9: an earlier model was put back, and nothing was rewritten."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from course.check import Check
from course.copy import Copy
from course.grading import history, probe
from course.grading.history import Publication
from course.grading.result import Red, Verdict, failed, passed

LEAST_WORDS = 4
DEFAULT = "manual rollback"


@dataclass(frozen=True)
class Back:
    """A model that somebody put back into service.

    Attributes:
        publication: the commit.
        task: the task.
        entry: the entry of the registry that it added.
    """

    publication: Publication
    task: str
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        """The task and the new version, such as `orchard v3`."""
        return f"{self.task} v{self.entry['version']}"


def newest(copy: Copy) -> Back:
    """Return the newest model that was put back since the course began.

    Raises:
        Red: there is none.
    """
    for publication in reversed(history.publications(copy)):
        if not publication.is_promotion_of_a_person:
            continue
        for path in _added(copy, publication):
            entry = copy.json(path, publication.commit)
            if entry.get("decided_by") == "hand":
                task = path.split("/")[2]
                return Back(publication, task, entry)
    raise Red(
        "nobody has put an earlier version back since the course began",
        "an entry of the registry that was decided by hand, made by `pipeline promote`",
    )


def _added(copy: Copy, publication: Publication) -> list[str]:
    """Return the entries of the registry that a publication added."""
    output = copy.git(
        "diff-tree",
        "-r",
        "--name-only",
        "--diff-filter=A",
        "--no-commit-id",
        publication.parent,
        publication.commit,
        "--",
        "mlruns/registry",
    )
    return output.splitlines()


class PutBack(Check):
    """Run `python -m pipeline promote TASK --version N --reason "..."`, then `git pull`."""

    name = "an earlier version was put back by hand"

    def run(self, copy: Copy) -> Verdict:
        """Look for the newest entry that a person decided."""
        back = newest(copy)
        return passed(f"{back.name}, by {back.publication.commit[:7]}")


class BytesAreEarlier(Check):
    """Choose a version that was in service before, and is not now."""

    name = "the model in service is that version's, byte for byte"
    requires = (PutBack,)

    def run(self, copy: Copy) -> Verdict:
        """Compare the file in service with the entries of the registry."""
        back = newest(copy)
        commit = back.publication.commit
        path = f"deployment/models/{back.task}/model.onnx"
        digest = hashlib.sha256(copy.content(path, commit)).hexdigest()
        earlier = copy.registry(back.task, back.publication.parent)
        same = [entry for entry in earlier if entry["sha256"] == digest]
        if not same:
            return failed("the file in service is of no earlier version")
        version = same[-1]["version"]
        if same[-1] is earlier[-1]:
            return failed(f"version {version} was in service already")
        return passed(f"that of version {version}")


class ReasonIsGiven(Check):
    """Give a reason of a few words with `--reason`: somebody will ask in a year."""

    name = "it says why"
    requires = (PutBack,)

    def run(self, copy: Copy) -> Verdict:
        """Read the reason in the registry."""
        reason = str(newest(copy).entry.get("reason", ""))
        if reason.startswith(DEFAULT) or len(reason.split()) < LEAST_WORDS:
            return failed(f"the reason is {reason!r}", "what was wrong, in some words")
        return passed(reason)


class NothingWasRewritten(Check):
    """Do not undo commits of the pipeline: go on from them."""

    name = "the history has only grown"
    requires = (PutBack,)

    def run(self, copy: Copy) -> Verdict:
        """Verify the history, and that runs and versions were only ever added."""
        history.require_append_only(copy)
        history.require_verified(copy)
        return passed("runs and versions were only ever added")


class ApiServesIt(Check):
    """Run `git pull`, and see which version the API of your copy names."""

    name = "the API serves that version"
    requires = (BytesAreEarlier,)

    def run(self, copy: Copy) -> Verdict:
        """Start the API of the commit, and ask for the model."""
        back = newest(copy)
        with probe.api(copy, back.publication.commit) as api:
            status, text = api.get(f"/models/{back.task}")
        if status != 200:
            return failed(f"it answers with {status}")
        version = json.loads(text)["version"]
        if version != back.entry["version"]:
            return failed(f"it serves {back.task} v{version}", back.name)
        return passed(back.name)


CHECKS = (PutBack, BytesAreEarlier, ReasonIsGiven, NothingWasRewritten, ApiServesIt)
