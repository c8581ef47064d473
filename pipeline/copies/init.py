"""`pipeline init`: make a copy of the template a project of its own, in one commit."""

import re
import shutil
from datetime import UTC, datetime

from core.errors import UsageError
from core.file_names import RELEASE
from core.git import GitError, git, succeeds
from history import History, layout
from pipeline import report
from pipeline.copies import identity
from pipeline.copies.identity import Identity
from pipeline.repo import Repo
from pipeline.report.day_summaries import COMMIT

# `owner/name` at the end of a remote's address, on GitHub or a similar server.
_ADDRESS = re.compile(r"github[^/:]*[:/](?:\d+/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
# The usual names for the template and for a fork's source, whose runs are not the
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
    """Give a copy its own names and, with `empty`, an empty history, in a commit.

    Returns the commit, which is not pushed. Names that are not given come from an
    earlier `init`, else from the remote `origin`, the folder's name and Git's
    `user.name`.

    Raises:
        UsageError: there are uncommitted changes, nothing would change, a name cannot
            be used, or `empty` would remove runs of the copy's own and `yes` is not
            given.
    """
    require_clean(repo)
    named = _identity(repo, name, holder, repository)
    if empty and not yes:
        _require_no_own_runs(repo)
    paths = _remove_templates_release(repo)
    paths += identity.write(repo.root, named)
    if empty:
        paths += _empty(repo)
    git(repo.root, "add", "--all", "--", *paths)
    if succeeds(repo.root, "diff", "--cached", "--quiet"):
        raise UsageError(
            f"there is nothing to change, because the files already have the name"
            f" {named.name}: choose other names with --name, --holder or --repository."
        )
    subject = f"chore: start the project {named.name}"
    if empty:
        subject += " with an empty history"
    message = f"{subject}\n\nThis project was created from a template."
    git(repo.root, "commit", "--quiet", "--no-verify", "--file=-", stdin=message)
    return git(repo.root, "rev-parse", "HEAD")


def require_clean(repo: Repo) -> None:
    """Check that a commit can be made that contains nothing but our changes.

    Raises:
        UsageError: there are changes, or Git has no name and address for the commit.
    """
    if not succeeds(repo.root, "var", "GIT_COMMITTER_IDENT"):
        raise UsageError(
            "Git has no name and address for the author of the commit: set them with"
            " `git config user.name NAME` and `git config user.email ADDRESS`."
        )
    status = git(repo.root, "status", "--porcelain", "--untracked-files=no")
    changed = [line[3:] for line in status.splitlines()]
    if changed:
        names = changed[0]
        if len(changed) > 1:
            names += f" and {len(changed) - 1} more"
        raise UsageError(
            f"there are uncommitted changes ({names}): commit or stash them first, so"
            " that the new commit contains nothing else."
        )


def _identity(
    repo: Repo, name: str | None, holder: str | None, repository: str | None
) -> Identity:
    """Return the given names, completed by earlier ones, Git's settings and the date."""
    origin = _of_origin(repo)
    full_name = origin or repo.root.name
    owner, _, own_name = full_name.rpartition("/")
    names: dict[str, object] = {
        "name": own_name,
        "repository": origin,
        "holder": _setting(repo, "user.name") or owner or None,
        "year": datetime.now(UTC).year,
    }
    before = identity.read(repo.root)
    if before:
        names |= before.model_dump(exclude_none=True)
    given = {
        "name": name,
        "holder": holder,
        "repository": repository,
    }
    for key, value in given.items():
        if value is not None:
            names[key] = value
    return identity.make(**names)


def _of_origin(repo: Repo) -> str | None:
    match = _ADDRESS.search(_setting(repo, "remote.origin.url"))
    return match[1] if match else None


def _setting(repo: Repo, name: str) -> str:
    try:
        return git(repo.root, "config", "--get", name)
    except GitError:
        return ""


def _require_no_own_runs(repo: Repo) -> None:
    """Refuse to remove runs that were trained from commits of this copy, if Git knows."""
    commits = git(repo.root, "rev-list", "HEAD")
    own = set(commits.splitlines())
    for remote in _REMOTES:
        commits = git(repo.root, "rev-list", f"--remotes={remote}")
        own.difference_update(commits.splitlines())
    runs = list(History.open(repo.mlruns).runs())
    own_runs = []
    for run in runs:
        if run.tags.get(COMMIT) in own:
            own_runs.append(run)
    if own_runs:
        newest = max(own_runs, key=lambda run: run.started)
        raise UsageError(
            f"--empty would remove runs of your own ({len(own_runs)} of the {len(runs)}"
            f" runs, such as {newest.run_id[:8]} from commit {newest.tags[COMMIT][:7]}):"
            " add --yes to remove them; earlier commits keep them."
        )


def _remove_templates_release(repo: Repo) -> list[str]:
    """Remove the release with which a copy begins, which has the template's images.

    Returns its path, if there was one. A later `init` keeps that of the copy.
    """
    path = repo.root / RELEASE
    if identity.read(repo.root) or not path.is_file():
        return []
    path.unlink()
    return [RELEASE]


def _empty(repo: Repo) -> list[str]:
    """Remove runs, registry, models and results; return the folders that changed."""
    for experiment in layout.folders(repo.mlruns):
        if experiment != layout.LOCAL:
            shutil.rmtree(repo.mlruns / experiment)
    shutil.rmtree(repo.models, ignore_errors=True)
    shutil.rmtree(repo.results, ignore_errors=True)
    report.write(repo, History.open(repo.mlruns))
    repo.models.mkdir(parents=True)
    (repo.models / ".gitkeep").touch()  # the API and the images need the folder
    folders = (repo.mlruns, repo.models, repo.results)
    return [folder.relative_to(repo.root).as_posix() for folder in folders]
