"""`pipeline update`: merge the template's later changes, without its runs."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import PipelineError, UsageError
from core.file_names import OWNED, RELEASE
from core.files import write_atomic
from core.git import GitError, git
from history.faults import listed
from pipeline.copies import conflicts, identity, join, sides
from pipeline.copies.generated import make_again
from pipeline.copies.init import require_clean
from pipeline.repo import Repo
from pipeline.verification import verify

SHOWN = 50
NOTHING_NEW = "Nothing to merge: this copy has every change of the template already."
# Everything in the template but its own history.
_EXCLUDED = [f":(exclude){folder}" for folder in (*OWNED, RELEASE)]


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
        UsageError: there are uncommitted changes, an update is in progress, or the
            template or the commit that the copy was created from is unknown.
        PipelineError: conflicts are left for a person, who continues with `resume`; or
            the history does not verify.
    """
    require_clean(repo)
    _require_none_in_progress(repo)
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
        return Outcome(None, _preview(repo, wanted, news, left))
    if left:
        state = json.dumps(asdict(wanted))
        write_atomic(_state(repo), f"{state}\n")
        raise PipelineError(_conflict_message(repo, wanted, left))
    return _finish(repo, wanted)


def resume(repo: Repo) -> Outcome:
    """Finish an update whose conflicts a person has resolved in its worktree.

    Raises:
        UsageError: no update is in progress, or the branch has new commits since then.
        PipelineError: conflicts are left, or the history does not verify.
    """
    if not _state(repo).is_file() or not _tree(repo).is_dir():
        raise UsageError("no update is in progress: start one with `pipeline update`.")
    require_clean(repo)
    wanted = Update(**json.loads(_state(repo).read_bytes()))
    if git(repo.root, "rev-parse", "HEAD") != wanted.ours:
        raise UsageError(
            "this branch has new commits since the update began: delete"
            f" {_state(repo)} to abandon it, then run `pipeline update` again."
        )
    left = conflicts.accept_edited(_tree(repo))
    if left:
        raise PipelineError(_conflict_message(repo, wanted, left))
    return _finish(repo, wanted)


def _require_none_in_progress(repo: Repo) -> None:
    if _state(repo).is_file():
        raise UsageError(
            f"an update is in progress in {_tree(repo)}: resolve its conflicts and run"
            f" `pipeline update --continue`, or delete {_state(repo)} to abandon it."
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
    options = ["--no-merges", "--format=- %s"]
    listing = git(repo.root, "log", *options, *commits, "--", ".", *_EXCLUDED)
    lines = listing.splitlines()
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
            "the merge would damage the history, so nothing was changed:"
            f" {listed(faults)}."
        )
    news = _news(repo, wanted)
    version = _version(tree)
    title = f"chore: update to {version} of the template ({wanted.theirs[:7]})"
    message = "\n".join([title, "", "New commits:", *news])
    parents = ["-p", wanted.ours, "-p", wanted.theirs]
    content = git(tree, "write-tree")
    options = [*parents, "-F", "-"]
    commit = git(repo.root, "commit-tree", content, *options, stdin=message)
    git(repo.root, "merge", "--ff-only", "--quiet", commit)
    _remove(repo)
    advice = "Review and test the new commit, then push it."
    text = "\n".join([message, *notes, "", advice])
    return Outcome(commit, text)


def _version(tree: Path) -> str:
    path = tree / "VERSION"
    if not path.is_file():
        return "the newest version"
    number = path.read_text("utf-8").strip()
    return f"version {number}"


def _conflict_list(repo: Repo, wanted: Update, left: list[str]) -> list[str]:
    described = conflicts.describe(
        repo.root, wanted.ours, wanted.theirs, wanted.base, left
    )
    return [f"- {line}" for line in described]


def _preview(repo: Repo, wanted: Update, news: list[str], left: list[str]) -> str:
    """Return what a dry run prints: the new commits and the conflicts."""
    lines = ["New commits:", *news]
    if left:
        lines.append("Conflicts:")
        lines += _conflict_list(repo, wanted, left)
    else:
        lines.append("There are no conflicts.")
    return "\n".join(lines)


def _conflict_message(repo: Repo, wanted: Update, left: list[str]) -> str:
    """Return the error for conflicts that a person has to resolve."""
    lines = "\n".join(_conflict_list(repo, wanted, left))
    return (
        f"these files were changed both here and in the template:\n{lines}\nResolve the"
        f" conflicts in {_tree(repo)}, then run `pipeline update --continue`. Nothing"
        " changes in this checkout until then."
    )
