"""`pipeline update`: merge the template's later changes, without its runs."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import PipelineError, UsageError
from core.file_names import OWNED
from core.files import write_atomic
from core.git import GitError, git
from history.faults import listed
from pipeline.copies import conflicts, identity, join, sides
from pipeline.copies.generated import make_again
from pipeline.copies.init import require_clean
from pipeline.repo import Repo
from pipeline.verification import verify

SHOWN = 50
NOTHING_NEW = "Nothing to merge: the template has no newer commits than this copy."
# Everything in the template but its own history.
_EXCLUDED = [f":(exclude){folder}" for folder in OWNED]


@dataclass(frozen=True)
class Update:
    """One update: the copy's commit, the template's, and the one that both come from."""

    ours: str
    theirs: str
    base: str


@dataclass(frozen=True)
class Outcome:
    """The result of an update: the merge commit if one was made, and the message."""

    commit: str | None
    text: str


def update(
    repo: Repo,
    address: str | None = None,
    ref: str | None = None,
    base: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Merge the template's newer version into the current branch; push nothing.

    The merge is made in a worktree below `build/`: until it is complete and verified,
    the checkout stays as it is.

    Raises:
        UsageError: there are uncommitted changes, an update is open, or the template or
            the commit that the copy was made from is unknown.
        PipelineError: conflicts are left for a person, who continues with `resume`; or
            the history does not verify.
    """
    require_clean(repo)
    _require_none_open(repo)
    theirs = join.fetch(repo, address, ref)
    wanted = Update(
        ours=git(repo.root, "rev-parse", "HEAD"),
        theirs=theirs,
        base=join.base(repo, theirs, base),
    )
    news = _news(repo, wanted)
    if not news:
        return Outcome(None, NOTHING_NEW)
    left = _merge(repo, wanted)
    if dry_run:
        _remove(repo)
        lines = _describe(repo, wanted, left)
        return Outcome(None, "\n".join(["New commits:", *news, *lines]))
    if left:
        state = json.dumps(asdict(wanted))
        write_atomic(_state(repo), f"{state}\n")
        raise PipelineError(_open(repo, wanted, left))
    return _finish(repo, wanted)


def resume(repo: Repo) -> Outcome:
    """Finish an update whose conflicts a person has resolved in its worktree.

    Raises:
        UsageError: no update is open, or the branch has moved on since it began.
        PipelineError: conflicts are left, or the history does not verify.
    """
    if not _state(repo).is_file() or not _tree(repo).is_dir():
        raise UsageError("no update is open: begin one with `pipeline update`.")
    require_clean(repo)
    wanted = Update(**json.loads(_state(repo).read_bytes()))
    if git(repo.root, "rev-parse", "HEAD") != wanted.ours:
        raise UsageError(
            "there are new commits since this update began: abandon it (delete "
            f"{_state(repo)}) and run `pipeline update` again."
        )
    left = conflicts.accept_edited(_tree(repo))
    if left:
        raise PipelineError(_open(repo, wanted, left))
    return _finish(repo, wanted)


def _require_none_open(repo: Repo) -> None:
    if _state(repo).is_file():
        raise UsageError(
            f"an update is open in {_tree(repo)}: resolve it and run `pipeline update"
            f" --continue`, or abandon it: delete {_state(repo)}."
        )


def _state(repo: Repo) -> Path:
    return repo.build / "update.json"


def _tree(repo: Repo) -> Path:
    return repo.build / "update"


def _remove(repo: Repo) -> None:
    shutil.rmtree(_tree(repo), ignore_errors=True)
    _state(repo).unlink(missing_ok=True)
    git(repo.root, "worktree", "prune")


def _news(repo: Repo, wanted: Update) -> list[str]:
    """Return the template's new commits with more than its own runs, newest first."""
    commits = (wanted.theirs, f"^{wanted.base}", "^HEAD")
    listed = git(
        repo.root,
        "log",
        "--no-merges",
        "--format=- %s",
        *commits,
        "--",
        ".",
        *_EXCLUDED,
    )
    lines = listed.splitlines()
    more = len(lines) - SHOWN
    if more > 0:
        lines = lines[:SHOWN]
        lines.append(f"- and {more} more")
    return lines


def _merge(repo: Repo, wanted: Update) -> list[str]:
    """Merge in a worktree of the update's own; return the paths with conflicts."""
    _remove(repo)
    repo.build.mkdir(parents=True, exist_ok=True)
    tree = _tree(repo)
    git(
        repo.root,
        "worktree",
        "add",
        "--quiet",
        "--detach",
        "--no-checkout",
        str(tree),
        "HEAD",
    )
    names = identity.read(repo.root)
    merge = sides.make(tree, wanted.base, wanted.ours, wanted.theirs, names)
    git(tree, "checkout", "--quiet", "--force", "--detach", merge.ours)
    options = (
        "--no-commit",
        "--no-ff",
        "--no-verify",
        "--no-verify-signatures",
        "--quiet",
    )
    try:
        git(tree, "-c", "merge.directoryRenames=false", "merge", *options, merge.theirs)
    except GitError:
        if not conflicts.unmerged(tree):
            raise
    return conflicts.resolve(tree)


def _finish(repo: Repo, wanted: Update) -> Outcome:
    """Generate files again, verify, commit, and move the branch to the commit."""
    tree = _tree(repo)
    notes = make_again(tree)
    faults = verify(Repo.open(tree))
    if faults:
        raise PipelineError(
            "the history does not verify after the merge, so nothing was changed: "
            f"{listed(faults)}."
        )
    news = _news(repo, wanted)
    version = _version(tree)
    title = f"chore: update to the template's {version} ({wanted.theirs[:7]})"
    message = "\n".join([title, "", "New commits:", *news])
    parents = ("-p", wanted.ours, "-p", wanted.theirs)
    content = git(tree, "write-tree")
    options = (*parents, "-F", "-")
    commit = git(repo.root, "commit-tree", content, *options, stdin=message)
    git(repo.root, "merge", "--ff-only", "--quiet", commit)
    _remove(repo)
    return Outcome(
        commit, "\n".join([message, *notes, "", "Review it, test it, and push it."])
    )


def _version(tree: Path) -> str:
    path = tree / "VERSION"
    return path.read_text("utf-8").strip() if path.is_file() else "newest version"


def _describe(repo: Repo, wanted: Update, left: list[str]) -> list[str]:
    if not left:
        return ["There is no conflict."]
    described = conflicts.describe(
        repo.root, wanted.ours, wanted.theirs, wanted.base, left
    )
    lines = ["Conflicts:"]
    for line in described:
        lines.append(f"- {line}")
    return lines


def _open(repo: Repo, wanted: Update, left: list[str]) -> str:
    lines = "\n".join(_describe(repo, wanted, left)[1:])
    return (
        f"{len(left)} files were changed here and in the template:\n{lines}\nEdit them"
        f" in {_tree(repo)}, then run `pipeline update --continue`; nothing has changed"
        " here until then."
    )
