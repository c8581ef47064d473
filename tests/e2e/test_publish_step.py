"""The step that publishes, as the workflow runs it, against a repository that acts like
GitHub's.

Each of the three ways out of a protected branch is gone for real: hooks refuse what
GitHub's rules would refuse, and the deploy key comes over ssh.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all, posix
from tests.support import factories
from tests.support.small_project import shared_sessions
from tests.support.ssh_server import SSHD, ssh_server
from tools.rehearse import origin
from tools.rehearse.act import REPOSITORY, TOKEN
from tools.rehearse.github import GitHub, github

pytestmark = [pytest.mark.slow, posix]
PROTECTED = """\
while read old new ref; do
  if [ "$ref" = refs/heads/trunk ] && [ -z "$DEPLOY_KEY" ]; then
    echo "error: GH013: Repository rule violations found for refs/heads/trunk." >&2
    echo "- Changes must be made through a pull request." >&2
    exit 1
  fi
done
"""
# What .github/rulesets/main.json asks for: no deletion, nothing but fast-forward.
RULESET = """\
while read old new ref; do
  case $new in *[!0]*) ;; *) echo "GH013: Cannot delete this branch" >&2; exit 1;; esac
  case $old in *[!0]*) git merge-base --is-ancestor $old $new || exit 1;; esac
done
"""


class Team:
    """A repository on GitHub whose default branch is `trunk`, and a run of its
    workflow.
    """

    def __init__(self, folder: Path, api: GitHub) -> None:
        self.folder, self.api, self.origin = folder, api, origin.make(folder, "trunk")
        self.clone, self.output = folder / "clone", folder / "output"
        git(folder, "clone", "--quiet", str(self.origin), str(self.clone))
        self.environment = shared_sessions(folder)
        self.runs = 0

    def commit(self, message: str = "feat: an idea") -> str:
        """Bring a commit of a person's to the default branch, past any rule."""
        (self.clone / "params.yaml").write_text(f"# {message}\n{factories.PARAMS % 1}")
        commit = commit_all(self.clone, message)
        git(self.origin, "fetch", "--quiet", str(self.clone), "+HEAD:refs/heads/trunk")
        return commit

    def train(self, noise: float) -> None:
        """Put a bundle of iris where the job that trains has left it."""
        head = git(self.clone, "rev-parse", "HEAD")
        factories.bundle(
            self.clone / "build" / "bundle", head, {"iris": noise}, self.runs
        )

    def publish(
        self, *more: str, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run the step in the checkout, as a new run of the workflow."""
        self.runs += 1
        self.output.unlink(missing_ok=True)
        given = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com",
        }
        given |= {
            "GITHUB_RUN_ID": str(self.runs),
            "GITHUB_ACTIONS": "true",
            "BRANCH": "trunk",
        }
        given |= {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": self.api.address}
        given |= {"GITHUB_OUTPUT": str(self.output)}
        return subprocess.run(
            [sys.executable, "-m", "scripts.ci.publish", *more],
            cwd=self.clone,
            env=os.environ | self.environment | given | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """What the step has put out."""
        return dict(
            line.split("=", 1) for line in self.output.read_text("utf-8").splitlines()
        )

    def hook(self, text: str) -> None:
        """Give the origin what decides on a push."""
        path = self.origin / "hooks" / "pre-receive"
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    def tip(self, branch: str = "trunk") -> str:
        """The commit that a branch of the origin is at."""
        return git(self.origin, "rev-parse", branch)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with github() as api:
        made = Team(tmp_path, api)
        made.commit()
        made.train(0.3)
        yield made


def landed(
    team: Team, done: "subprocess.CompletedProcess[str]", branch: str = "trunk"
) -> str:
    """Check that a publication is the tip of a branch, and good; return it."""
    assert done.returncode == 0, done.stdout
    commit = team.outputs["commit"]
    assert commit == team.tip(branch)
    look = team.folder / f"look-{team.runs}-{commit[:9]}"
    git(
        team.folder, "clone", "--quiet", "--branch", branch, str(team.origin), str(look)
    )
    assert verify(Repo.open(look)) == []
    return commit


def test_a_rule_is_named_with_the_ways_out_and_nothing_is_lost(team: Team) -> None:
    team.hook(PROTECTED)
    before = team.tip()
    done = team.publish()
    assert done.returncode == 1 and team.tip() == before
    assert "must be made through a pull request" in team.outputs["failure"]
    assert (
        "Settings > Rules" in team.outputs["failure"]
        and "deploy key" in team.outputs["failure"]
    )
    assert (team.clone / "build/bundle/bundle.json").is_file()


def test_first_way_the_rules_that_the_template_brings_let_it_pass(team: Team) -> None:
    team.hook(RULESET)
    # What is installed and run never sees the token.
    seen = team.folder / "seen.json"
    noxfile = (team.clone / "noxfile.py").read_text("utf-8")
    spy = f"import json\nopen({str(seen)!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    (team.clone / "noxfile.py").write_text(f"{noxfile}\n{spy}", "utf-8")
    head = team.commit("feat: a spy")
    team.train(0.3)
    commit = landed(team, team.publish())
    assert git(team.origin, "rev-parse", f"{commit}~1") == head
    assert team.outputs["ship"] == "true" and team.outputs["headline"].startswith(
        "iris v"
    )
    assert team.api.statuses[commit]["context"] == "Published"
    environment = json.loads(seen.read_text("utf-8"))
    assert environment["GITHUB_RUN_ID"] == "1"
    assert not [name for name, value in environment.items() if TOKEN in value]
    assert not {"GIT_ASKPASS", "PUBLISH_KEY", "GIT_SSH_COMMAND"} & set(environment)

    # All jobs run again, with new runs: the same workflow run does not publish twice.
    team.train(0.25)
    (team.clone / "build" / "report.md").unlink()
    assert landed(team, team.publish(GITHUB_RUN_ID="1")) == commit
    assert commit[:9] in (team.clone / "build" / "report.md").read_text("utf-8")


def test_second_way_a_branch_of_its_own_push_after_push(team: Team) -> None:
    team.hook(PROTECTED)
    mine = landed(team, team.publish(PUBLISH_BRANCH="published"), "published")
    assert team.outputs["ship"] == "true" and team.tip() == git(
        team.clone, "rev-parse", "HEAD"
    )
    report = (team.clone / "build" / "report.md").read_text("utf-8")
    assert f"https://github.com/{REPOSITORY}/tree/published/mlruns/" in report

    pushed = team.commit("feat: another idea")
    team.train(0.2)
    second = landed(team, team.publish(PUBLISH_BRANCH="published"), "published")
    for commit in (mine, pushed):
        assert git(team.origin, "merge-base", commit, second) == commit
    assert "another idea" in git(team.origin, "show", f"{second}:params.yaml")
    assert team.outputs["ship"] == "true" and team.outputs["left"] == ""


@pytest.mark.skipif(
    not SSHD, reason="there is no sshd: `apt-get install openssh-server`"
)
def test_third_way_a_deploy_key_that_the_rule_lets_pass(team: Team) -> None:
    team.hook(PROTECTED)
    with ssh_server(team.folder, team.origin) as server:
        team.api.shows |= {
            f"/repos/{REPOSITORY}": {"ssh_url": f"{server.address}/any.git"},
            "/meta": {"ssh_keys": [server.public]},
        }
        done = team.publish(PUBLISH_KEY=server.key)
        landed(team, done)
        secret = server.key.splitlines()[1]
        kept = [
            path
            for path in team.clone.rglob("*")
            if path.is_file() and path.stat().st_size
        ]
        assert not [path for path in kept if secret.encode() in path.read_bytes()]
        assert secret not in done.stdout

        # A server that GitHub does not know is not spoken to.
        team.api.shows["/meta"] = {
            "ssh_keys": [" ".join(server.public.split()[:1] + ["AAAA"])]
        }
        team.commit("feat: another idea")
        team.train(0.2)
        refused = team.publish(PUBLISH_KEY=server.key)
        assert (
            refused.returncode == 1 and "Host key verification failed" in refused.stdout
        )


def test_a_push_in_between_is_built_upon_and_its_images_are_left_to_its_run(
    team: Team,
) -> None:
    other = team.folder / "other"
    git(team.folder, "clone", "--quiet", str(team.origin), str(other))
    (other / "README.md").write_text("faster\n")
    theirs = commit_all(other, "docs: faster")
    git(team.origin, "fetch", "--quiet", str(other), "HEAD:refs/heads/theirs")
    # The server fails for a moment; and while our next push is on its way, another one
    # lands.
    team.hook(
        "[ -e failed ] || { touch failed; echo 'Internal Server Error' >&2; exit 1; }\n"
        "[ -e raced ] && exit 0\ntouch raced\nunset GIT_QUARANTINE_PATH\n"
        f"git update-ref refs/heads/trunk {theirs}\n"
    )
    done = team.publish()
    commit = landed(team, done)
    assert "failed for the moment" in done.stdout and "pushed first" in done.stdout
    assert git(team.origin, "rev-parse", f"{commit}~1") == theirs
    assert team.outputs["ship"] == "false"
    assert f"contains {theirs[:9]} of another push" in team.outputs["left"]


def test_without_a_model_in_service_nothing_is_shipped(team: Team) -> None:
    git(team.clone, "rm", "-rq", "mlruns", "deployment/models", "results")
    team.commit("chore: begin anew")
    team.train(30.0)  # the gate refuses it
    landed(team, team.publish())
    assert (
        team.outputs["ship"] == "false"
        and "No model is in service" in team.outputs["left"]
    )
    team.commit("feat: better")
    team.train(0.05)
    landed(team, team.publish())
    assert team.outputs["ship"] == "true", team.outputs
