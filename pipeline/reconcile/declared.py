"""The release that a branch declares, checked before anything is applied."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError
from core.file_names import RELEASE
from history.faults import listed
from pipeline.reconcile.clone import Clone
from pipeline.reconcile.served_files import manifests
from pipeline.release.schema import Release
from pipeline.repo import Repo
from pipeline.verification import verify


@dataclass(frozen=True)
class Declared:
    """A release, and the commit that declares it.

    Attributes:
        commit: the commit that changed `deployment/release.json` last.
        released: the commit that the release names, which holds the models.
    """

    commit: str
    released: str


def read(clone: Clone, tip: str, commit: str, signers: Path | None) -> Declared:
    """Check the release at a tip, and return it.

    Args:
        commit: the commit that declares it.
        signers: the file of those who may sign that commit; None means that it need
            not be signed.

    Raises:
        PipelineError: the file is damaged; its commit is not on the branch, or has
            other models, or a damaged history or manifest; or the commit is not signed
            as it should be.
    """
    if signers:
        clone.require_signature(commit, signers)
    text = clone.release_text(tip)
    if text is None:
        raise PipelineError(
            f"{RELEASE} was deleted from the branch: `git revert {commit[:12]}` brings"
            " it back."
        )
    release = Release.parse(text)
    if not clone.contains(tip, release.commit):
        raise PipelineError(
            f"{RELEASE} names the commit {release.commit[:12]}, which is not on the"
            " branch: release a commit of the branch."
        )
    release.require_models(clone.root)
    clone.check_out(release.commit)
    faults = verify(Repo.open(clone.root))
    if faults:
        raise PipelineError(
            f"the history at the released commit {release.commit[:12]} is damaged:"
            f" {listed(faults)}."
        )
    manifests(clone.models(release.commit))
    return Declared(commit, release.commit)
