"""Publishing and promoting forged bundles: real models, real repositories, the real
gate.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from history import layout, registry, runfile
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.support import factories
from tests.support.service import TASKS

Clone = Callable[..., Repo]
WORSE = 3.0
GOOD = 0.3
BETTER = 0.05


class Team:
    """A clone that publishes, and what the origin then holds."""

    def __init__(self, clone: Clone, tmp_path: Path) -> None:
        self.repo = clone("team")
        self._clone = clone
        self._tmp = tmp_path
        self.count = 0

    def publish(self, **noises: float) -> tuple[str, str]:
        """Forge a bundle and publish it."""
        return publish(self.repo, self.forge(**noises), "origin", "main")

    def forge(self, **noises: float) -> Path:
        self.count += 1
        folder = self._tmp / f"bundle-{self.count}"
        factories.bundle(
            folder, git(self.repo.root, "rev-parse", "HEAD"), noises, seed=self.count
        )
        return folder

    def promote(
        self, task: str, version: int | None = None, reason: str = ""
    ) -> tuple[str, str]:
        return promote(self.repo, task, version, reason, "origin", "main")

    @property
    def origin(self) -> Repo:
        """A fresh clone."""
        self.count += 1
        return self._clone(f"look-{self.count}")


@pytest.fixture
def team(clone: Clone, tmp_path: Path) -> Team:
    return Team(clone, tmp_path)


def champions(repo: Repo) -> dict[str, int]:
    return {
        name: len(registry.versions(repo.mlruns, name))
        for name in registry.models(repo.mlruns)
    }


def test_a_first_publish_puts_every_task_into_service(team: Team) -> None:
    commit, message = team.publish(housing=GOOD, iris=BETTER, credit=GOOD)
    seen = team.origin
    assert git(seen.root, "rev-parse", "HEAD") == commit
    assert verify(seen) == []
    assert champions(seen) == {"credit": 1, "housing": 1, "iris": 1}
    for name in TASKS:
        files = sorted(path.name for path in (seen.models / name).iterdir())
        assert files == ["MODEL_CARD.md", "manifest.json", "model.onnx"]
        manifest = json.loads((seen.models / name / "manifest.json").read_bytes())
        assert manifest["version"] == 1
        assert len(manifest["run_id"]) == 32
        assert f"{name} v1 promoted" in message.splitlines()[0]


def test_the_message_carries_runs_and_digests_as_trailers(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = {"SERVER_URL": "https://github.com", "REPOSITORY": "o/n", "RUN_ID": "7"}
    for name, value in address.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    commit, _ = team.publish(iris=BETTER)
    seen = team.origin
    trailers = dict(
        line.split(": ", 1)
        for line in git(
            seen.root, "log", "-1", "--format=%(trailers)", commit
        ).splitlines()
    )
    runs = set(layout.run_folders(seen.mlruns))
    champion = registry.champion(seen.mlruns, "iris")
    assert champion
    assert set(trailers["Mlops-Runs"].split()[1:]) == runs
    assert trailers["Mlops-Champion"] == f"iris sha256:{champion.sha256}"
    assert trailers["Mlops-Publish"] == git(seen.root, "rev-parse", "HEAD~1")
    assert trailers["Mlops-Workflow"] == "https://github.com/o/n/actions/runs/7"
    monkeypatch.delenv("GITHUB_RUN_ID")
    _, by_hand = team.publish(iris=WORSE)
    assert "Mlops-Workflow" not in by_hand


def test_a_better_model_is_promoted_and_a_worse_one_only_recorded(team: Team) -> None:
    team.publish(housing=GOOD)
    _, better = team.publish(housing=BETTER)
    _, worse = team.publish(housing=WORSE)
    seen = team.origin
    assert "housing v2 promoted" in better
    assert "housing v2 stays" in worse
    assert champions(seen) == {"housing": 2}
    assert len(layout.run_folders(seen.mlruns)) == 6
    assert verify(seen) == []


def test_every_decision_is_kept_with_its_reason_in_the_parent_run(team: Team) -> None:
    team.publish(housing=GOOD)
    folder = team.forge(housing=WORSE)
    publish(team.repo, folder, "origin", "main")
    seen = team.origin
    runs = {
        run_id: runfile.load(path / layout.RUN_FILE)
        for run_id, path in layout.run_folders(seen.mlruns).items()
    }
    parents = {run.tags["gate"]: run for run in runs.values() if run.parent is None}
    assert sorted(parents) == ["promoted", "refused"]
    refused = parents["refused"]
    assert refused.tags["gate.reason"].startswith("RMSE ")
    assert " is above the champion's " in refused.tags["gate.reason"]
    checks = json.loads(refused.tags["gate.checks"])
    assert {"name", "passed", "detail"} == set(checks[0])


def test_the_files_of_a_refused_model_are_let_go(team: Team) -> None:
    team.publish(iris=BETTER)
    team.publish(iris=WORSE)
    assert len(list(team.origin.mlruns.rglob("model.onnx"))) == 1


def test_publishing_again_changes_nothing(team: Team) -> None:
    folder = team.forge(iris=BETTER)
    first = publish(team.repo, folder, "origin", "main")
    team.publish(iris=WORSE)
    again = publish(team.repo, folder, "origin", "main")
    assert again[0] == first[0]
    day = git(team.origin.root, "log", "-1", "--format=%cs", first[0])
    assert again[1].startswith(
        f"This bundle was published before, as commit {first[0][:7]} on {day},"
    )
    assert "promoted" not in again[1]
    assert again[1].endswith("run `pipeline train` again.")
    assert len(layout.run_folders(team.origin.mlruns)) == 4


def test_a_rollback_is_a_promotion_of_an_older_version(team: Team) -> None:
    team.publish(housing=GOOD)
    team.publish(housing=BETTER)
    first = (team.origin.models / "housing" / "model.onnx").read_bytes()
    _, message = team.promote("housing", 1, "v2 is too slow")
    seen = team.origin
    known = registry.versions(seen.mlruns, "housing")
    assert [entry.decided_by for entry in known] == ["gate", "gate", "hand"]
    assert known[2].sha256 == known[0].sha256
    assert known[2].reason == "v2 is too slow"
    assert (seen.models / "housing" / "model.onnx").read_bytes() != first
    assert "housing v3 promoted manually" in message
    assert verify(seen) == []
    _, message = team.promote("housing")
    assert registry.versions(team.origin.mlruns, "housing")[3].sha256 == known[1].sha256


@pytest.mark.parametrize(
    ("task", "version", "words"),
    [
        (
            "housing",
            9,
            (
                "housing has no version 9 to go back to: the registry holds versions 1"
                " to 1"
            ),
        ),
        (
            "housing",
            None,
            "no earlier version to go back to: the registry holds version 1 alone",
        ),
        ("housing", 1, "in service already"),
        ("wine", 1, "the registry holds none"),
    ],
)
def test_a_promotion_of_what_is_not_there_is_refused(
    team: Team, task: str, version: int | None, words: str
) -> None:
    team.publish(housing=GOOD)
    with pytest.raises(UsageError, match=words):
        team.promote(task, version)


def test_a_bundle_from_uncommitted_changes_is_refused(team: Team) -> None:
    folder = team.forge(iris=BETTER)
    path = folder / "bundle.json"
    path.write_bytes(
        path.read_bytes().replace(b'"dirty": []', b'"dirty": ["params.yaml"]')
    )
    with pytest.raises(
        PipelineError, match=r"in no commit \(params.yaml\): commit and push"
    ):
        publish(team.repo, folder, "origin", "main")


def test_no_bundle_and_a_damaged_one(team: Team, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="has no finished bundle: run `pipeline train` first"
    ):
        publish(team.repo, tmp_path, "origin", "main")
    folder = team.forge(iris=BETTER)
    (folder / "bundle.json").write_text('{"format": 1')
    with pytest.raises(PipelineError, match="run `pipeline train` again"):
        publish(team.repo, folder, "origin", "main")


def test_an_altered_model_in_the_bundle_is_not_published(team: Team) -> None:
    folder = team.forge(iris=BETTER)
    other = team.forge(iris=BETTER)
    tip = git(team.origin.root, "rev-parse", "HEAD")
    ours = next(folder.rglob("model.onnx"))
    ours.write_bytes(next(other.rglob("model.onnx")).read_bytes())
    with pytest.raises(
        PipelineError, match="does not verify, so nothing was published.*model.onnx"
    ) as raised:
        publish(team.repo, folder, "origin", "main")
    # In the user's checkout there is nothing wrong that `history verify` could name.
    assert "history verify" not in str(raised.value)
    assert git(team.origin.root, "rev-parse", "HEAD") == tip


def test_a_model_in_service_that_is_not_the_champion_stops_the_publish(
    team: Team,
) -> None:
    team.publish(iris=BETTER)
    broken = team.origin
    (broken.models / "iris" / "model.onnx").write_bytes(b"not it")
    identity = "-c", "user.name=x", "-c", "user.email=x@example.org"
    git(
        broken.root,
        *identity,
        "commit",
        "--quiet",
        "--all",
        "--message",
        "fix: by hand",
    )
    git(broken.root, "push", "--quiet")
    with pytest.raises(
        PipelineError, match="is not version 1, the champion in the registry"
    ):
        team.publish(iris=BETTER)


def test_a_registry_gap_stops_the_publish(team: Team) -> None:
    team.publish(iris=BETTER)
    broken = team.origin
    folder = broken.mlruns / "registry" / "iris"
    (folder / "1.json").rename(folder / "2.json")
    text = (folder / "2.json").read_bytes()
    (folder / "2.json").write_bytes(text.replace(b'"version": 1', b'"version": 2'))
    identity = "-c", "user.name=x", "-c", "user.email=x@example.org"
    git(broken.root, "add", "--all")
    git(broken.root, *identity, "commit", "--quiet", "--message", "fix: by hand")
    git(broken.root, "push", "--quiet")
    with pytest.raises(
        PipelineError, match="version 1 is missing although version 2 is there"
    ):
        team.publish(iris=BETTER)
