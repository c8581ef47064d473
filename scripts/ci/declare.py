"""Commit `deployment/release.json`, which says what should be in service.

    python3 -m scripts.ci.declare

The last step of a release: the images are tested and are `latest`. The commit is made
on top of the branch's newest state and changes this file only. If somebody else pushes
in between, it is made again. It needs the standard library alone.

From the environment: DIGESTS (the images' addresses with their digests, separated by
spaces; empty if `latest` stayed where it is), BRANCH, PUBLISH_BRANCH, GITHUB_TOKEN and
PUBLISH_KEY as for `scripts.ci.publish`. With a PUBLISH_KEY, the commit is signed by it.
"""

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from core.errors import PipelineError
from core.file_names import RELEASE
from core.git import GitError, git, is_ancestor, succeeds
from core.git_trees import changed_tree
from pipeline.publish.commit import identity
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import explain
from pipeline.release import content
from pipeline.workflow import run_url
from scripts import console
from scripts.ci import api, own_commits
from scripts.ci.origin import KEY_FILE, Origin
from scripts.ci.outputs import put
from scripts.images.build import short

ATTEMPTS = 60
LONGEST_WAIT_SECONDS = 10.0


class Declaration:
    """A release on its way to a branch of the origin.

    Attributes:
        commit: the commit that is released, which is checked out.
        text: the text of `deployment/release.json`.
    """

    def __init__(
        self, root: Path, origin: Origin, branch: str, images: dict[str, str]
    ) -> None:
        self._root = root
        self._origin = origin
        self._branch = branch
        self._ref = f"refs/heads/{branch}"
        self.commit = git(root, "rev-parse", "HEAD")
        self._models = content.models_at(root, self.commit)
        self.text = content.render(self.commit, images, self._models)

    def land(self, key: Path) -> str:
        """Push the release until it lands, and return the branch's tip.

        Nothing is pushed if the branch declares this release, or a newer one.

        Args:
            key: the file of the key that signs the commit; it may be missing.

        Raises:
            PipelineError: the branch does not contain the commit, the origin refuses
                the push or cannot be reached, or other pushes land first each time.
        """
        for attempt in range(ATTEMPTS):
            try:
                tip = self._fetch()
                reason = self._why_not(tip)
                if reason:
                    print(f"{RELEASE} stays as it is: {reason}")
                    return tip
                new = self._make(tip, key)
                update = f"{new}:{self._ref}"
                push = ("push", "--quiet", "--no-verify", update)
                self._origin.git(self._root, *push)
                return new
            except GitError as error:
                self._stop_or_wait(error, attempt)
        raise PipelineError(
            f"gave up after {ATTEMPTS} attempts: other pushes to {self._branch} landed"
            " first each time; run the failed jobs again."
        )

    def _fetch(self) -> str:
        self._origin.git(self._root, "fetch", "--quiet", "--no-tags", self._ref)
        return git(self._root, "rev-parse", "FETCH_HEAD")

    def _why_not(self, tip: str) -> str:
        """Return why nothing needs to be pushed; empty if the release has to be.

        Raises:
            PipelineError: the branch does not contain the commit.
        """
        if not is_ancestor(self._root, self.commit, tip):
            raise PipelineError(
                f"{self._branch} does not contain {self.commit[:12]}, so it cannot be"
                " released: the history of the branch was rewritten; push again."
            )
        file = f"{tip}:{RELEASE}"
        if not succeeds(self._root, "cat-file", "-e", file):
            return ""
        content = git(self._root, "cat-file", "blob", file)
        text = f"{content}\n"
        if text == self.text:
            return "it declares this release already."
        earlier = _commit_in(text)
        is_other = earlier != self.commit
        if is_other and is_ancestor(self._root, self.commit, earlier):
            return f"it declares {earlier[:9]}, which is newer."
        return ""

    def _make(self, tip: str, key: Path) -> str:
        """Make the commit on top of a tip, and return it; no checkout is involved."""
        blob = git(self._root, "hash-object", "-w", "--stdin", stdin=self.text)
        tree = changed_tree(self._root, tip, {RELEASE: blob})
        options = ["commit-tree", "-p", tip]
        settings = []
        if key.is_file():
            settings = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key}"]
            options.append("-S")
        return git(
            self._root,
            *settings,
            *options,
            tree,
            stdin=self._message(),
            variables=identity(self._root),
        )

    def _message(self) -> str:
        names = []
        for task, model in sorted(self._models.items()):
            names.append(f"{task} v{model['version']}")
        reason = f"Commit {self.commit[:12]} was linted, tested, started and released."
        if run_url():
            reason += f"\n{run_url()}"
        return (
            f"chore(release): {', '.join(names)}\n\n{reason}\n\n"
            f"{own_commits.RELEASED}: {self.commit}\n"
        )

    def _stop_or_wait(self, error: GitError, attempt: int) -> None:
        """Wait before the next attempt.

        Raises:
            PipelineError: another attempt cannot succeed, or this was the last one.
        """
        cause = classify(error.output)
        is_temporary = cause in (Cause.RACE, Cause.TRANSIENT)
        if attempt == ATTEMPTS - 1 or not is_temporary:
            failure = f"the release could not be pushed to {self._branch}"
            raise PipelineError(explain(error.output, failure)) from error
        doubled = 0.1 * 2 ** min(attempt, 10)
        time.sleep(random.uniform(0, min(LONGEST_WAIT_SECONDS, doubled)))


def _commit_in(text: str) -> str:
    """Return the commit that a release file names; empty if it cannot be read."""
    try:
        release = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(release, dict):
        return ""
    return str(release.get("commit", ""))


def _images(addresses: str) -> dict[str, str]:
    """Return the images' addresses by their short names."""
    images = {}
    for address in addresses.split():
        name, _, _ = address.partition("@")
        images[short(name)] = address
    return images


def main() -> int:
    """Declare the release, and write the output `declared`, the branch's tip."""
    images = _images(os.environ.get("DIGESTS", ""))
    if not images:
        print("`latest` was not moved: there is nothing to declare.")
        return 0
    try:
        branch = os.environ.get("PUBLISH_BRANCH") or api.needed("BRANCH")
        with tempfile.TemporaryDirectory(prefix="release-") as name:
            folder = Path(name)
            origin = Origin.read(folder)
            declaration = Declaration(Path().resolve(), origin, branch, images)
            tip = declaration.land(folder / KEY_FILE)
        put(declared=tip)
    except (PipelineError, api.ApiError, api.MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, api.MissingVariable) else 1
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
