"""`pipeline init`: make a copy of the template a project of its own, in one commit."""

import re
import shutil
from datetime import UTC, datetime

from core.errors import UsageError
from core.git import GitError, git, succeeds
from history import layout
from pipeline import report
from pipeline.copies import identity
from pipeline.copies.identity import Identity
from pipeline.repo import Repo
from pipeline.report.pushes import COMMIT, History

# `owner/name` at the end of a remote's address, on GitHub or on a server of the same
# kind.
_ADDRESS = re.compile(r"github[^/:]*[:/](?:\d+/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
# Where the template and a fork's source are looked for, to tell their runs from the
# copy's own.
_REMOTES = ("template", "upstream")


def init(
    repo: Repo,
    name: str | None = None,
    holder: str | None = None,
    repository: str | None = None,
    empty: bool = False,
    yes: bool = False,
) -> str:
    """Give a copy its own names and, with `empty`, an empty history; return the new
    commit.

    What is not named comes from an earlier `init`, else from the remote `origin`, the
    folder's name and Git's `user.name`. Nothing is pushed.

    Raises:
        UsageError: there are uncommitted changes, nothing would change, a name cannot
            be used, or `empty` would remove runs of the copy's own and `yes` is not
            given.
    """
    require_clean(repo)
    named = _identity(repo, name, holder, repository)
    if empty and not yes:
        _require_no_own_runs(repo)
    paths = identity.write(repo.root, named)
    if empty:
        paths += _empty(repo)
    git(repo.root, "add", "--all", "--", *paths)
    if succeeds(repo.root, "diff", "--cached", "--quiet"):
        raise UsageError(
            f"this is {named.name} already, and nothing else was asked for."
        )
    words = ["start a project of our own", "with an empty history"]
    message = (
        f"chore: {' '.join(words[: 1 + empty])}\n\n{named.name}, made of a template."
    )
    git(repo.root, "commit", "--quiet", "--no-verify", "--file=-", stdin=message)
    return git(repo.root, "rev-parse", "HEAD")


def require_clean(repo: Repo) -> None:
    """Refuse to make a commit in a checkout with changes, or of somebody whom Git does
    not know.

    Raises:
        UsageError: there are changes, or Git has no name and address for the commit.
    """
    if not succeeds(repo.root, "var", "GIT_COMMITTER_IDENT"):
        raise UsageError(
            "Git does not know who makes the commit: set `git config user.name` and "
            "`git config user.email` first."
        )
    if changed := git(
        repo.root, "status", "--porcelain", "--untracked-files=no"
    ).splitlines():
        raise UsageError(
            f"{len(changed)} files are not as in the last commit ({changed[0][3:]}):"
            " commit or stash them first, so that the new commit holds nothing else."
        )


def _identity(
    repo: Repo, name: str | None, holder: str | None, repository: str | None
) -> Identity:
    before, found = identity.read(repo.root), _of_origin(repo)
    given = {"name": name, "holder": holder, "repository": repository}
    known = before.model_dump(exclude_none=True) if before else {}
    fallback = {
        "name": (found or repo.root.name).rpartition("/")[2],
        "repository": found,
        "holder": (
            _setting(repo, "user.name") or (found or "").partition("/")[0] or None
        ),
        "year": datetime.now(UTC).year,
    }
    chosen = {key: value for key, value in given.items() if value is not None}
    return identity.make(**{**fallback, **known, **chosen})


def _of_origin(repo: Repo) -> str | None:
    match = _ADDRESS.search(_setting(repo, "remote.origin.url"))
    return match[1] if match else None


def _setting(repo: Repo, name: str) -> str:
    try:
        return git(repo.root, "config", "--get", name)
    except GitError:
        return ""


def _require_no_own_runs(repo: Repo) -> None:
    """Refuse to remove runs that were made of commits of this copy, as far as Git can
    tell.
    """
    own = set(git(repo.root, "rev-list", "HEAD").splitlines())
    for remote in _REMOTES:
        own -= set(git(repo.root, "rev-list", f"--remotes={remote}").splitlines())
    history = History.read(repo.mlruns)
    runs = [run for run in history.runs.values() if run.tags.get(COMMIT) in own]
    if runs:
        newest = max(runs, key=lambda run: run.started)
        raise UsageError(
            f"{len(runs)} of the {len(history.runs)} runs were made of commits that"
            f" this clone holds, such as {newest.run_id[:8]} of"
            f" {newest.tags[COMMIT][:7]}: an empty history starts without them. If that"
            " is meant, add --yes; earlier commits keep them."
        )


def _empty(repo: Repo) -> list[str]:
    """Remove runs, registry, models and results; write the empty leaderboard; return
    the paths.
    """
    for experiment in layout.folders(repo.mlruns):
        if experiment != layout.LOCAL:
            shutil.rmtree(repo.mlruns / experiment)
    for folder in (repo.models, repo.results):
        shutil.rmtree(folder, ignore_errors=True)
    report.write(repo)
    repo.models.mkdir(parents=True)
    (repo.models / ".gitkeep").touch()  # the API and the images look for the folder
    folders = (repo.mlruns, repo.models, repo.results)
    return [folder.relative_to(repo.root).as_posix() for folder in folders]
