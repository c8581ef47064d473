"""The history of a copy: its publications, and whether anything was changed afterwards."""

from dataclasses import dataclass
from typing import Any

from core.file_names import OWNED, is_owned
from core.git import is_ancestor
from course.classroom import ROOT
from course.copy import Copy
from course.grading import process
from course.grading.result import Red

PUBLISH = "Mlops-Publish"
VERIFY_SECONDS = 120
_FORMAT = f"%H%x00%P%x00%(trailers:key={PUBLISH},valueonly,separator=%x20)%x00%B%x1e"


@dataclass(frozen=True)
class Publication:
    """A commit of the pipeline.

    Attributes:
        commit: the commit.
        parent: the one before it on the branch.
        source: the commit that was trained or promoted from.
        message: the text of the commit.
    """

    commit: str
    parent: str
    source: str
    message: str

    @property
    def is_promotion_of_a_person(self) -> bool:
        """Whether `pipeline promote` made it: no data was trained on."""
        return "Mlops-Data:" not in self.message


def publications(copy: Copy) -> list[Publication]:
    """Return the pipeline's commits since the course began in the copy, oldest first."""
    since = _since_the_start(copy)
    output = copy.git("log", "--reverse", f"--format={_FORMAT}", since)
    listed = []
    for record in output.split("\x1e"):
        commit, _, rest = record.strip().partition("\0")
        if not rest:
            continue
        parents, source, message = rest.split("\0", 2)
        source = source.strip()
        if source:
            parent, _, _ = parents.partition(" ")
            publication = Publication(commit, parent, source, message)
            listed.append(publication)
    return listed


def _since_the_start(copy: Copy) -> str:
    """Return the commits since the course began in the copy, as `git log` takes them."""
    if copy.started:
        return f"{copy.started}..HEAD"
    return "HEAD"


def runs(copy: Copy, publication: Publication, task: str) -> list[dict[str, Any]]:
    """Return the runs of a task that a publication added, as `run.json` has them.

    The run of the training itself, whose tags have the gate's decision, has no parent.
    """
    names = ("diff-tree", "-r", "--name-only", "--diff-filter=A", "--no-commit-id")
    output = copy.git(*names, publication.parent, publication.commit)
    folder = f"mlruns/{task}/"
    listed = []
    for path in output.splitlines():
        is_of_task = path.startswith(folder)
        if is_of_task and path.endswith("/run.json"):
            run = copy.json(path, publication.commit)
            listed.append(run)
    return listed


def training(copy: Copy, publication: Publication, task: str) -> dict[str, Any] | None:
    """Return the run of the training of a task that a publication added, if it did."""
    for run in runs(copy, publication, task):
        has_parent = run.get("parent") is not None
        tags = run.get("tags", {})
        if "gate" in tags and not has_parent:
            return run
    return None


def changed_settings(copy: Copy, publication: Publication) -> list[str]:
    """Return the files of people that differ between two publications' sources.

    They are those between the source and the publication before it, or the start.
    """
    before = copy.started
    for other in publications(copy):
        if other.commit == publication.commit:
            break
        before = other.source
    names = copy.git("diff", "--name-only", before, publication.source)
    return [name for name in names.splitlines() if not is_owned(name)]


def require_append_only(copy: Copy) -> None:
    """Check that nothing in the history was changed after it was published.

    Runs and promotions are only ever added, by the pipeline's own commits, whose other
    changes are in the folders that it owns. An `init --empty`, which removes all of the
    template's, is the only commit that may remove.

    Raises:
        Red: a commit does anything else.
    """
    options = ("log", "-m", "--format=%x1e%H", "--name-status", "--no-renames")
    since = _since_the_start(copy)
    output = copy.git(*options, since, "--", "mlruns")
    published = {publication.commit for publication in publications(copy)}
    for record in output.split("\x1e"):
        lines = [line for line in record.splitlines() if line]
        if not lines:
            continue
        commit, *changes = lines
        parted = [change.split("\t", 1) for change in changes]
        _require_additions(copy, commit, parted, published)


def _require_additions(
    copy: Copy, commit: str, changes: list[list[str]], published: set[str]
) -> None:
    records = []
    for status, path in changes:
        if _is_recorded(path):
            records.append((status, path))
    removed = [path for status, path in records if status == "D"]
    only_removes = removed and len(removed) == len(records)
    if only_removes and _empties(copy, commit):
        return
    for status, path in records:
        if status != "A":
            raise Red(
                f"{path} was changed by {commit[:7]} after it was published",
                "runs and promotions are only ever added",
                "Undo that commit with `git revert`, or begin again from a new copy.",
            )
        parents = copy.git("show", "--no-patch", "--format=%P", commit)
        is_merge = " " in parents
        if commit not in published and not is_merge:
            raise Red(
                f"{path} was added by {commit[:7]}, which `pipeline publish` did not make",
                "only `pipeline publish` and `pipeline promote` write there",
            )


def _is_recorded(path: str) -> bool:
    """Return whether a file in `mlruns` is a run or a promotion."""
    if path.startswith("mlruns/registry/"):
        return True
    return path.endswith("run.json")


def _empties(copy: Copy, commit: str) -> bool:
    """Return whether a commit leaves no run and no promotion at all."""
    for path in copy.paths("mlruns", commit):
        if _is_recorded(path):
            return False
    return True


def require_publication_is_whole(copy: Copy, publication: Publication) -> None:
    """Check that a publication touches the pipeline's folders alone, after its source.

    Raises:
        Red: it does not.
    """
    output = copy.git("diff", "--name-only", publication.parent, publication.commit)
    names = output.splitlines()
    others = [name for name in names if not is_owned(name)]
    if others:
        owned = ", ".join(OWNED)
        raise Red(
            f"the commit {publication.commit[:7]} says that the pipeline made it, and"
            f" changes {others[0]}",
            f"it changes {owned} alone",
        )
    if not is_ancestor(copy.root, publication.source, publication.commit):
        raise Red(
            f"the commit {publication.commit[:7]} was published from"
            f" {publication.source[:7]}, which is not in this history",
            "its source is an earlier commit of the same branch",
        )


def require_verified(copy: Copy) -> None:
    """Check the history's files, digests, links and numbers: `pipeline history verify`.

    It is the grader's own program, over the files of the copy.

    Raises:
        Red: it has a fault.
    """
    command = process.python("-m", "pipeline", "--repo", str(copy.root))
    command += ["history", "verify"]
    outcome = process.run(command, ROOT, VERIFY_SECONDS)
    if not outcome.succeeded:
        raise Red(f"`pipeline history verify` says: {outcome.reason}")
