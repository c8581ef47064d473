"""A team that trains forged bundles and publishes them to an origin."""

from pathlib import Path

from core.git import git
from history import registry
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.support import factories

# How noisy the rows are that a model learns from; more noise makes a worse model.
WORSE = 3.0
GOOD = 0.3
BETTER = 0.05


class Team:
    """A clone that publishes, and what the origin then contains."""

    def __init__(self, clone: Clone, tmp_path: Path) -> None:
        self.repo = clone("team")
        self._clone = clone
        self._tmp = tmp_path
        self._count = 0

    def publish(self, **noises: float) -> tuple[str, str]:
        """Forge a bundle and publish it; return the commit and its message."""
        return self.publish_bundle(self.write_bundle(**noises))

    def publish_bundle(self, folder: Path) -> tuple[str, str]:
        return publish(self.repo, folder, "origin", "main")

    def write_bundle(self, **noises: float) -> Path:
        """Write a bundle of the commit that is checked out; return its folder.

        Args:
            noises: the noise of the rows that each task's model learns from.
        """
        self._count += 1
        folder = self._tmp / f"bundle-{self._count}"
        commit = git(self.repo.root, "rev-parse", "HEAD")
        factories.bundle(folder, commit, noises, seed=self._count)
        return folder

    def promote(
        self, task: str, version: int | None = None, reason: str = ""
    ) -> tuple[str, str]:
        return promote(self.repo, task, version, reason, "origin", "main")

    @property
    def origin(self) -> Repo:
        """A fresh clone of the origin."""
        self._count += 1
        return self._clone(f"look-{self._count}")


def champions(repo: Repo) -> dict[str, int]:
    """Return the version of each task's champion."""
    versions = {}
    for name in registry.models(repo.mlruns):
        versions[name] = len(registry.versions(repo.mlruns, name))
    return versions
