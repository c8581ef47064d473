"""`pipeline promote-release`: a release goes from one environment to another."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.errors import PipelineError, UsageError
from core.file_names import RELEASE
from core.git import git, succeeds
from pipeline.cli import app
from pipeline.publish.workspace import workspace
from pipeline.reconcile.clone import Clone
from pipeline.repo import Repo
from scripts.ci.promotion import released
from tests.conftest import commit_all
from tests.support.released_models import commit_model, repository, write_release

PRODUCTION = "release/production"
MESSAGE = "chore(release): iris\n\nMlops-Release: {commit}\n"
PERSON = (
    "-c",
    "user.name=P",
    "-c",
    "user.email=p@example.org",
)


class Environments:
    """An origin that releases, and a clone of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = repository(folder / "clone")
        self.origin = folder / "origin.git"
        source = str(self.root)
        self.url = str(self.origin)
        git(folder, "clone", "--quiet", "--bare", source, self.url)
        git(self.root, "remote", "add", "origin", self.url)

    def release(self, version: int) -> str:
        """Publish a model and declare its release; return the declaring commit."""
        commit = commit_model(self.root, "iris", version)
        write_release(self.root, commit)
        message = MESSAGE.format(commit=commit)
        declaring = commit_all(self.root, message)
        git(self.root, "push", "--quiet", "origin", "HEAD:main")
        return declaring

    def call(self, *arguments: str) -> Result:
        """Run the command."""
        command = [
            "--repo",
            str(self.root),
            "promote-release",
            *arguments,
        ]
        runner = CliRunner()
        return runner.invoke(app, command)

    def propose(self, *arguments: str) -> str:
        """Propose a release; return the branch to merge."""
        done = self.call(*arguments)
        assert done.exit_code == 0, done.exception
        _, _, sentence = done.stdout.partition("Merge the branch ")
        branch, _, _ = sentence.partition(" ")
        return branch

    def merge(
        self,
        head: str,
        into: str,
    ) -> None:
        """Merge a pull request, as GitHub does."""
        work = self.folder / "merge"
        if not work.exists():
            git(self.folder, "clone", "--quiet", self.url, str(work))
        git(work, "fetch", "--quiet", "origin")
        git(work, "checkout", "--quiet", "--detach", f"origin/{into}")
        merge = (
            "merge",
            "--quiet",
            "--no-ff",
            "--no-edit",
            f"origin/{head}",
        )
        git(work, *PERSON, *merge)
        target = f"HEAD:refs/heads/{into}"
        git(work, "push", "--quiet", "origin", target)

    def propose_and_merge(self, *arguments: str) -> None:
        """Propose a release for production, and merge it."""
        head = self.propose("production", *arguments)
        self.merge(head, PRODUCTION)

    def followed(self, branch: str) -> str:
        """Return the declaring commit that a follower of a branch finds."""
        folder = self.folder / "follower"
        clone = Clone(folder, self.url, branch)
        tip = clone.fetch()
        return clone.declaring_commit(tip)

    def tree(self, commit: str) -> str:
        """Return the tree of a commit in the origin."""
        return git(self.origin, "rev-parse", f"{commit}^{{tree}}")


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    return Environments(tmp_path)


def test_a_release_is_promoted_by_a_merge_and_back(environments: Environments) -> None:
    first = environments.release(2)
    created = environments.call("production")
    assert "Created the branch release/production" in created.stdout
    assert environments.followed(PRODUCTION) == first

    second = environments.release(3)
    head = environments.propose("production")
    head_again = environments.propose("production")
    assert head_again == head  # it is there already
    assert environments.followed(PRODUCTION) == first
    environments.merge(head, PRODUCTION)
    assert environments.followed(PRODUCTION) == second
    assert environments.tree(PRODUCTION) == environments.tree(second)

    third = environments.release(4)
    environments.propose_and_merge()
    assert environments.followed(PRODUCTION) == third
    # The way back is a promotion, too, and nothing conflicts on the way forth again.
    environments.propose_and_merge("--release", second)
    assert environments.followed(PRODUCTION) == second
    environments.propose_and_merge()
    assert environments.followed(PRODUCTION) == third


def test_an_environment_can_take_what_another_one_has(
    environments: Environments,
) -> None:
    first = environments.release(2)
    environments.propose("staging")
    environments.release(3)
    environments.propose("production", "--from", "staging")
    assert environments.followed(PRODUCTION) == first


def test_the_workflow_accepts_a_promotion_and_nothing_else(
    environments: Environments,
) -> None:
    environments.release(2)
    environments.propose("production")
    second = environments.release(3)
    head = environments.propose("production")
    origin = environments.origin
    proposed = git(origin, "rev-parse", head)
    assert released(origin, proposed, "main") == second

    root = environments.root
    git(root, "fetch", "--quiet", "origin", head)
    git(root, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    params = root / "params.yaml"
    params.write_text("seed: 43\n")
    message = MESSAGE.format(commit=second)
    edited = commit_all(root, message)
    undeclared = git(root, "rev-parse", f"{second}~1")
    for commit in (edited, undeclared):
        with pytest.raises(PipelineError, match="run `python -m pipeline promote-rel"):
            released(root, commit, "main")
    unknown = "f" * 40
    with pytest.raises(PipelineError, match="push the branch here, not to a fork"):
        released(root, unknown, "main")


def test_wrong_usage_is_one_sentence(environments: Environments) -> None:
    def refusal(*arguments: str) -> str:
        done = environments.call(*arguments)
        assert isinstance(done.exception, UsageError)
        return str(done.exception)

    assert "main declares no release yet" in refusal("production")
    environments.release(2)
    assert "'a..b' cannot be the name of an environment" in refusal("a..b")
    assert "has no branch release/staging" in refusal("production", "--from", "staging")
    assert "cafe is no commit of main" in refusal("production", "--release", "cafe")
    environments.propose("production")
    assert "production has release" in refusal("production")
    assert not succeeds(environments.origin, "rev-parse", "--verify", "promote")


def test_a_release_that_is_no_text_is_one_sentence(environments: Environments) -> None:
    environments.release(2)
    (environments.root / RELEASE).write_bytes(b"\xff\xfe")
    commit_all(environments.root, "chore: damage the release")
    git(environments.root, "push", "--quiet", "origin", "HEAD:main")
    done = environments.call("production")
    assert isinstance(done.exception, PipelineError)
    assert str(done.exception).startswith(f"{RELEASE}: ")


def test_a_publish_in_the_same_clone_is_not_disturbed(
    environments: Environments,
) -> None:
    environments.release(2)
    with workspace(Repo.open(environments.root)):
        done = environments.call("production")
    assert isinstance(done.exception, PipelineError)
    assert "is running in this clone: wait until it ends" in str(done.exception)
    assert "Created the branch" in environments.call("production").stdout
