"""The step that publishes, as the workflow runs it, against a repository that acts like
GitHub's.

Each of the three ways out of a protected branch is gone for real: hooks refuse what
GitHub's rules would refuse, and the deploy key comes over ssh.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from tests.conftest import commit_all, posix
from tests.support.publish_step import PROTECTED, RULESET, Team
from tests.support.ssh_server import SSHD, ssh_server
from tools.rehearse.act import REPOSITORY, TOKEN
from tools.rehearse.github import github

pytestmark = [pytest.mark.slow, pytest.mark.nightly, posix]
SECRETS = {
    "GIT_ASKPASS",
    "GIT_SSH_COMMAND",
    "PUBLISH_KEY",
}
# The server fails once; and while the next push is on its way, another one lands.
RACE = """\
[ -e failed ] || { touch failed; echo 'Internal Server Error' >&2; exit 1; }
[ -e raced ] && exit 0
touch raced
unset GIT_QUARANTINE_PATH
git update-ref refs/heads/trunk %s
"""


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with github() as api:
        team = Team(tmp_path, api)
        team.commit()
        team.train(0.3)
        yield team


def test_a_rule_is_named_with_the_ways_out_and_nothing_is_lost(team: Team) -> None:
    team.set_rule(PROTECTED)
    before = team.tip()
    done = team.publish()
    assert done.returncode == 1
    assert team.tip() == before
    failure = team.outputs["failure"]
    assert "must be made through a pull request" in failure
    assert "Settings > Rules" in failure
    assert "deploy key" in failure
    assert (team.clone / "build/bundle/bundle.json").is_file()


def write_environment(team: Team, path: Path) -> None:
    """Make the noxfile write the environment in which it runs to a file."""
    noxfile = team.clone / "noxfile.py"
    text = noxfile.read_text("utf-8")
    spy = f"import json\nopen({str(path)!r}, 'w').write(json.dumps(dict(os.environ)))"
    noxfile.write_text(f"{text}\n{spy}\n", "utf-8")


def test_first_way_the_rules_that_the_template_brings_let_it_pass(team: Team) -> None:
    team.set_rule(RULESET)
    seen = team.folder / "seen.json"
    write_environment(team, seen)
    head = team.commit("feat: a spy")
    team.train(0.3)
    commit = team.published()
    assert team.parent_of(commit) == head
    assert team.outputs["ship"] == "true"
    assert team.outputs["headline"].startswith("iris v")
    assert team.api.statuses[commit]["context"] == "Published"

    # The code that is installed and run never sees the token.
    environment = json.loads(seen.read_text("utf-8"))
    assert environment["GITHUB_RUN_ID"] == "1"
    assert not SECRETS & set(environment)
    assert not any(TOKEN in value for value in environment.values())

    # All jobs run again, with new runs: the same workflow run does not publish twice.
    team.train(0.25)
    (team.clone / "build" / "report.md").unlink()
    assert team.published(GITHUB_RUN_ID="1") == commit
    assert commit[:9] in team.report


def test_second_way_a_branch_of_its_own_push_after_push(team: Team) -> None:
    team.set_rule(PROTECTED)
    first = team.published("published", PUBLISH_BRANCH="published")
    assert team.outputs["ship"] == "true"
    assert team.tip() == git(team.clone, "rev-parse", "HEAD")
    tree = f"https://github.com/{REPOSITORY}/tree/published/mlruns/"
    assert tree in team.report

    pushed = team.commit("feat: another idea")
    team.train(0.2)
    second = team.published("published", PUBLISH_BRANCH="published")
    for commit in (first, pushed):
        assert git(team.origin, "merge-base", commit, second) == commit
    params = git(team.origin, "show", f"{second}:params.yaml")
    assert "another idea" in params
    assert team.outputs["ship"] == "true"
    assert team.outputs["left"] == ""


def files_with(folder: Path, content: bytes) -> list[Path]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in paths if content in path.read_bytes()]


@pytest.mark.skipif(
    not SSHD, reason="there is no sshd: `apt-get install openssh-server`"
)
def test_third_way_a_deploy_key_that_the_rule_lets_pass(team: Team) -> None:
    team.set_rule(PROTECTED)
    with ssh_server(team.folder, team.origin) as server:
        team.api.shows |= {
            f"/repos/{REPOSITORY}": {"ssh_url": f"{server.address}/any.git"},
            "/meta": {"ssh_keys": [server.public]},
        }
        done = team.publish(PUBLISH_KEY=server.key)
        team.landed(done)
        secret = server.key.splitlines()[1]
        assert secret not in done.stdout
        assert files_with(team.clone, secret.encode()) == []

        # The program does not connect to a server that GitHub does not know.
        key_type = server.public.split()[0]
        team.api.shows["/meta"] = {"ssh_keys": [f"{key_type} AAAA"]}
        team.commit("feat: another idea")
        team.train(0.2)
        refused = team.publish(PUBLISH_KEY=server.key)
        assert refused.returncode == 1
        assert "Host key verification failed" in refused.stdout


def test_a_push_in_between_is_built_upon_and_its_images_are_left_to_its_run(
    team: Team,
) -> None:
    other = team.folder / "other"
    git(team.folder, "clone", "--quiet", str(team.origin), str(other))
    (other / "README.md").write_text("faster\n")
    theirs = commit_all(other, "docs: faster")
    git(team.origin, "fetch", "--quiet", str(other), "HEAD:refs/heads/theirs")
    team.set_rule(RACE % theirs)
    done = team.publish()
    commit = team.landed(done)
    assert "failed temporarily" in done.stdout
    assert "another push came first" in done.stdout
    assert team.parent_of(commit) == theirs
    assert team.outputs["ship"] == "false"
    assert f"contains {theirs[:9]} of another push" in team.outputs["left"]


def test_without_a_model_in_service_nothing_is_shipped(team: Team) -> None:
    git(team.clone, "rm", "-rq", "mlruns", "deployment/models", "results")
    team.commit("chore: begin anew")
    team.train(30.0)  # the gate refuses it
    team.published()
    assert team.outputs["ship"] == "false"
    assert "No model is in service" in team.outputs["left"]
    team.commit("feat: better")
    team.train(0.05)
    team.published()
    assert team.outputs["ship"] == "true", team.outputs
