"""Publishing forged bundles: real models, real repositories, the real gate."""

import json

import pytest

from core.git import git
from history import layout, registry, runfile
from history.runfile import Run
from pipeline import bundle as bundles
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.support.publishing_team import BETTER, GOOD, WORSE, Team, champions
from tests.support.service import TASKS


def parent_runs(repo: Repo) -> dict[str, Run]:
    """Return the parent runs by the gate's decision."""
    parents = {}
    folders = layout.run_folders(repo.mlruns)
    for folder in folders.values():
        run = runfile.load(folder / layout.RUN_FILE)
        if run.parent is None:
            decision = run.tags["gate"]
            parents[decision] = run
    return parents


def trailers(repo: Repo, commit: str) -> dict[str, str]:
    """Return the trailers of a commit by their keys."""
    values = {}
    listing = git(repo.root, "log", "-1", "--format=%(trailers)", commit)
    for line in listing.splitlines():
        key, _, value = line.partition(": ")
        values[key] = value
    return values


def test_a_first_publish_puts_every_task_into_service(team: Team) -> None:
    commit, message = team.publish(
        housing=GOOD,
        iris=BETTER,
        credit=GOOD,
    )
    seen = team.origin
    head = git(seen.root, "rev-parse", "HEAD")
    assert head == commit
    assert verify(seen) == []
    assert champions(seen) == {
        "credit": 1,
        "housing": 1,
        "iris": 1,
    }
    subject, *_ = message.splitlines()
    for name in TASKS:
        folder = seen.models / name
        files = sorted(path.name for path in folder.iterdir())
        assert files == ["MODEL_CARD.md", "manifest.json", "model.onnx"]
        manifest_file = folder / "manifest.json"
        manifest = json.loads(manifest_file.read_bytes())
        assert manifest["version"] == 1
        assert len(manifest["run_id"]) == 32
        assert f"{name} v1 promoted" in subject


def test_the_card_of_a_task_with_slices_shows_them_and_the_figures_of_fairness(
    team: Team,
) -> None:
    team.publish(credit=GOOD, iris=BETTER)
    cards = {}
    for name in ("credit", "iris"):
        path = team.origin.models / name / "MODEL_CARD.md"
        cards[name] = path.read_text("utf-8")
    assert "\n## Slices\n" in cards["credit"]
    assert "\n| slice | group | rows | roc_auc | 95 % interval |\n" in cards["credit"]
    assert "\n| sex | female | 50 | " in cards["credit"]
    assert "\n| age | over_40 | 0.500 | 0.750 |\n" in cards["credit"]
    assert "those rows whose risk is `good`" in cards["credit"]
    assert "\n| sex | 0.125 | 0.250 |\n" in cards["credit"]
    assert "\n## Slices\n" not in cards["iris"]
    assert "\n## Fairness\n" not in cards["iris"]


def test_the_message_says_in_sentences_what_was_decided_and_why(team: Team) -> None:
    _, message = team.publish(iris=BETTER)
    assert message.startswith("chore(publish): iris v1 promoted\n\n")
    assert (
        "\n- The challenger for iris was promoted: there was no champion to compare it"
        " with.\n"
    ) in message


def test_a_task_without_a_challenger_or_a_champion_is_named_as_that(
    team: Team,
) -> None:
    folder = team.write_bundle(iris=BETTER)
    bundle = bundles.read(folder)
    result = bundle.tasks["iris"]
    failed_result = result.model_copy(update={"challenger": None})
    tasks = {"iris": failed_result}
    failed = bundle.model_copy(update={"tasks": tasks})
    bundles.write(folder, failed)
    _, message = team.publish_bundle(folder)
    assert message.startswith("chore(publish): iris has no champion\n\n")
    assert (
        "\n- There is no challenger for iris: every candidate failed to train;"
    ) in message


def test_the_message_carries_runs_and_digests_as_trailers(
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/n")
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    commit, _ = team.publish(iris=BETTER)
    seen = team.origin
    champion = registry.champion(seen.mlruns, "iris")
    assert champion
    values = trailers(seen, commit)
    task, *run_ids = values["Mlops-Runs"].split()
    assert task == "iris"
    folders = layout.run_folders(seen.mlruns)
    assert set(run_ids) == set(folders)
    assert values["Mlops-Champion"] == f"iris sha256:{champion.sha256}"
    pushed = git(seen.root, "rev-parse", "HEAD~1")
    assert values["Mlops-Publish"] == pushed
    assert values["Mlops-Workflow"] == "https://github.com/o/n/actions/runs/7"
    monkeypatch.delenv("GITHUB_RUN_ID")
    _, message = team.publish(iris=WORSE)
    assert "Mlops-Workflow" not in message


def test_a_better_model_is_promoted_and_a_worse_one_only_recorded(team: Team) -> None:
    team.publish(housing=GOOD)
    _, better = team.publish(housing=BETTER)
    _, worse = team.publish(housing=WORSE)
    seen = team.origin
    assert "housing v2 promoted" in better
    assert "housing v2 stays" in worse
    assert "- The challenger for housing was not promoted: RMSE " in worse
    assert champions(seen) == {"housing": 2}
    folders = layout.run_folders(seen.mlruns)
    assert len(folders) == 6
    assert verify(seen) == []


def test_the_card_of_a_champion_that_beat_another_has_a_corrected_metric(
    team: Team,
) -> None:
    team.publish(housing=GOOD)
    team.publish(housing=BETTER)
    seen = team.origin
    before, after = registry.versions(seen.mlruns, "housing")
    assert "rmse_corrected" not in before.metrics
    corrected = after.metrics["rmse_corrected"]
    # The gain was partly luck, so that less of it is left, but no less than none.
    assert after.metrics["rmse"] <= corrected < before.metrics["rmse"]
    card = (seen.models / "housing" / "MODEL_CARD.md").read_text("utf-8")
    assert f"\n| rmse, corrected | {corrected:.4g} |  |  |  |\n" in card
    assert verify(seen) == []


def test_every_decision_is_kept_with_its_reason_in_the_parent_run(team: Team) -> None:
    team.publish(housing=GOOD)
    team.publish(housing=WORSE)
    parents = parent_runs(team.origin)
    assert sorted(parents) == ["promoted", "refused"]
    tags = parents["refused"].tags
    reason = tags["gate.reason"]
    assert reason.startswith("RMSE ")
    assert " is above the champion's " in reason
    check, *_ = json.loads(tags["gate.checks"])
    assert set(check) == {"name", "passed", "detail"}


def test_the_files_of_a_refused_model_are_not_kept(team: Team) -> None:
    team.publish(iris=BETTER)
    team.publish(iris=WORSE)
    models = list(team.origin.mlruns.rglob("model.onnx"))
    assert len(models) == 1


def test_publishing_again_changes_nothing(team: Team) -> None:
    folder = team.write_bundle(iris=BETTER)
    commit, _ = team.publish_bundle(folder)
    team.publish(iris=WORSE)
    again, notice = team.publish_bundle(folder)
    assert again == commit
    day = git(team.origin.root, "log", "-1", "--format=%cs", commit)
    assert notice.startswith(
        f"This bundle was already published on {day}, as commit {commit[:7]},"
    )
    assert "promoted" not in notice
    assert notice.endswith("run `pipeline train` first.")
    folders = layout.run_folders(team.origin.mlruns)
    assert len(folders) == 4
