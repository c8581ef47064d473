"""Proposes the release of one environment for another one, as a branch to merge.

An environment is a branch `release/NAME`, which machines follow. Each of its commits has
the tree of a commit that declares a release, and both as parents: nothing is merged by
content, so nothing can conflict, not even on the way back to an older release.
"""

from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError, UsageError
from core.file_names import RELEASE
from core.git import GitError, git, git_bytes, is_ancestor, succeeds
from pipeline.publish.commit import commit_tree
from pipeline.publish.push_errors import explain
from pipeline.publish.remote import Remote
from pipeline.publish.workspace import workspace
from pipeline.release.schema import Release
from pipeline.repo import Repo

PREFIX = "release/"
PROPOSALS = "promote/"


@dataclass(frozen=True)
class Promotion:
    """A release that is proposed for an environment.

    Attributes:
        branch: the branch of the environment.
        head: the branch to merge into it; empty if the environment is new, and its
            branch was created with the release.
        title: one line for people.
        text: what the release consists of.
    """

    branch: str
    head: str
    title: str
    text: str


def promote(
    repo: Repo,
    environment: str,
    source: str | None,
    commit: str | None,
    remote_name: str,
) -> Promotion:
    """Push a branch that puts a release into an environment once it is merged.

    Args:
        environment: the environment, such as `production`.
        source: the environment that the release comes from; None means the default
            branch of the remote.
        commit: the release, by the commit that declares it or a later one; None means
            the newest.
        remote_name: the remote, by its name or address.

    Raises:
        UsageError: the name cannot be that of a branch, there is no such release, or
            the environment has it already.
        PipelineError: the release is damaged, the remote refuses, or a publish runs in
            this clone.
    """
    branch = _branch_of(repo.root, environment)
    remote = Remote(repo.root, remote_name)
    with workspace(repo):  # a publish notes the tips that it fetches in the same ref
        declaring = _declaring(remote, source, commit)
        release = _checked(repo.root, declaring)
        present = remote.fetch(branch)
        head = ""
        if present is None:
            _push(remote, declaring, branch)
        else:
            head = _propose(remote, environment, declaring, present)
    title = _title(declaring, environment)
    return Promotion(branch, head, title, _described(declaring, release))


def _title(declaring: str, environment: str) -> str:
    return f"chore(release): promote {declaring[:12]} to {environment}"


def _described(declaring: str, release: Release) -> str:
    models = []
    for task in sorted(release.models):
        version = release.models[task].version
        models.append(f"{task} v{version}")
    listed = ", ".join(models)
    short = declaring[:12]
    commit = release.commit[:12]
    return f"Release {short} of commit {commit}: {listed}."


def _branch_of(root: Path, environment: str) -> str:
    branch = PREFIX + environment
    if not succeeds(root, "check-ref-format", f"refs/heads/{branch}"):
        raise UsageError(
            f"{environment!r} cannot be the name of an environment: choose one such as"
            " production."
        )
    return branch


def _declaring(remote: Remote, source: str | None, commit: str | None) -> str:
    """Return the commit that declares the release to promote."""
    branch = remote.default_branch()
    if source:
        branch = _branch_of(remote.root, source)
    tip = remote.fetch(branch) if branch else None
    if branch is None or tip is None:
        raise UsageError(f"{remote.shown} has no branch {branch or 'yet'}: push first.")
    remote.complete(branch)
    until = tip
    if commit:
        until = _resolved(remote.root, commit, tip, branch)
    declaring = git(remote.root, "log", "-1", "--format=%H", until, "--", RELEASE)
    if not declaring:
        raise UsageError(
            f"{branch} declares no release yet: the workflow does after its first one."
        )
    return declaring


def _resolved(root: Path, commit: str, tip: str, branch: str) -> str:
    name = f"{commit}^{{commit}}"
    try:
        ancestor = git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", name
        )
    except GitError:
        ancestor = ""
    if not ancestor or not is_ancestor(root, ancestor, tip):
        raise UsageError(
            f"{commit} is no commit of {branch}: `git log -- {RELEASE}` lists the"
            " releases."
        )
    return ancestor


def _checked(root: Path, declaring: str) -> Release:
    """Return the release that a commit declares."""
    try:
        content = git_bytes(root, "cat-file", "blob", f"{declaring}:{RELEASE}")
    except GitError as error:
        raise PipelineError(
            f"{RELEASE} was deleted by {declaring[:12]}: name an earlier release."
        ) from error
    release = Release.parse(content.decode(errors="replace"))
    release.require_models(root)
    return release


def _propose(remote: Remote, environment: str, declaring: str, present: str) -> str:
    """Push the branch to merge, unless it is there; return its name."""
    root = remote.root
    tree = git(root, "rev-parse", f"{declaring}^{{tree}}")
    if git(root, "rev-parse", f"{present}^{{tree}}") == tree:
        raise UsageError(f"{environment} has release {declaring[:12]} already.")
    commits = f"{declaring[:9]}-{present[:9]}"
    head = f"{PROPOSALS}{environment}-{commits}"
    if remote.fetch(head) is None:
        message = _title(declaring, environment)
        merge = commit_tree(root, tree, message, [present, declaring])
        _push(remote, merge, head)
    return head


def _push(remote: Remote, commit: str, branch: str) -> None:
    try:
        remote.push(commit, branch)
    except GitError as error:
        failure = f"{remote.shown} rejected the push to {branch}"
        raise PipelineError(explain(error.output, failure)) from error
