"""`pipeline reconcile`: its options, its lock and its exit status."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.errors import PipelineError, UsageError
from pipeline.cli import app
from pipeline.reconcile import follow
from pipeline.reconcile.cli import seconds_of
from pipeline.reconcile.metrics import Metrics
from pipeline.reconcile.reconciler import Outcome, Pass
from pipeline.repo import Repo
from tests.support.released_models import repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repository(tmp_path / "repo")
    (tmp_path / "served").mkdir()
    return root


def call(root: Path, *arguments: str) -> Result:
    served = root.parent / "served"
    command = ["--repo", str(root), "reconcile", "--models", str(served), *arguments]
    return CliRunner().invoke(app, command)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name either --once or --every"),
        (("--once", "--every", "60s"), "name either --once or --every"),
        (("--every", "soon"), "--every soon: give a duration"),
        (("--every", "0s"), "--every 0s: give a duration"),
        (("--once", "--wait", "-1"), "--wait -1: give a duration"),
        (("--once", "--models", "nowhere"), "nowhere is no folder"),
        (("--once", "--signers", "nobody"), "--signers nobody: there is no such file"),
    ],
)
def test_wrong_usage_is_one_sentence(
    root: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = call(root, *arguments)
    assert isinstance(done.exception, UsageError)
    assert sentence in str(done.exception)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("5m", 300),
        ("1h", 3600),
    ],
)
def test_a_duration_has_a_unit(text: str, seconds: int) -> None:
    assert seconds_of(text, "--every") == seconds
    assert seconds_of("90", "--every") == 90


def test_one_pass_over_a_repository_without_a_release_succeeds(root: Path) -> None:
    done = call(root, "--once", "--remote", ".")
    assert done.exit_code == 0, done.exception
    assert done.stdout.startswith("The branch declares no release yet")
    again = call(root, "--once", "--remote", "nowhere")
    assert isinstance(again.exception, PipelineError)
    assert "nowhere cannot be read" in str(again.exception)


def test_a_folder_without_a_model_begins_with_those_of_the_checkout(root: Path) -> None:
    served = root.parent / "served"
    assert call(root, "--once", "--remote", ".").exit_code == 0
    model = served / "iris/model.onnx"
    assert (
        model.read_bytes() == (root / "deployment/models/iris/model.onnx").read_bytes()
    )
    model.write_bytes(b"of a release")
    (served / "iris/manifest.json").unlink()
    assert call(root, "--once", "--remote", ".").exit_code == 0
    assert model.read_bytes() == b"of a release"
    assert not (served / "iris/manifest.json").exists()


def test_the_repository_and_the_branch_can_be_set_by_variables(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_RELEASES", str(root))
    monkeypatch.setenv("MLOPS_RELEASES_BRANCH", "nowhere")
    done = call(root, "--once")
    assert f"{root} cannot be read" in str(done.exception)
    monkeypatch.setenv("MLOPS_RELEASES_BRANCH", "main")
    assert call(root, "--once").exit_code == 0


def test_the_signers_can_be_set_by_a_variable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_SIGNERS", "nobody")
    done = call(root, "--once", "--remote", ".")
    assert "--signers nobody: there is no such file" in str(done.exception)
    # Compose sets a variable that `.env` does not have to an empty text.
    monkeypatch.setenv("MLOPS_SIGNERS", "")
    assert call(root, "--once", "--remote", ".").exit_code == 0


def test_two_reconcilers_do_not_share_a_folder(root: Path) -> None:
    state = Repo.open(root).build / "reconcile"
    with follow.lock(state):
        done = call(root, "--once", "--remote", ".")
    assert "another `pipeline reconcile` uses" in str(done.exception)
    assert call(root, "--once", "--remote", ".").exit_code == 0


def test_a_damaged_state_names_its_file(root: Path) -> None:
    state = Repo.open(root).build / "reconcile" / "state.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"served": 1}')
    done = call(root, "--once", "--remote", ".")
    assert "state.json: served:" in str(done.exception)
    assert "delete the file" in str(done.exception)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_the_metrics_tell_what_is_declared_from_what_is_served() -> None:
    metrics = Metrics()
    metrics.count(Pass(Outcome.APPLIED, "applied"))
    assert value(metrics, "reconcile_in_sync") == 1
    metrics.count(Pass(Outcome.IN_SYNC, "mended", mended=("iris/model.onnx",)))
    assert value(metrics, "reconcile_drifts_total") == 1
    metrics.count(Pass(Outcome.FAILED, "failed"))
    assert value(metrics, "reconcile_in_sync") == 0
    fetched = value(metrics, "reconcile_last_fetch_timestamp_seconds")
    assert fetched
    # Nobody knows what a repository declares that is away.
    metrics.count(Pass(Outcome.ORIGIN_AWAY, "away", fetched=False))
    assert value(metrics, "reconcile_in_sync") == 0
    assert value(metrics, "reconcile_last_fetch_timestamp_seconds") == fetched
    for outcome in (Outcome.APPLIED, Outcome.ORIGIN_AWAY):
        assert value(metrics, "reconcile_passes_total", outcome=outcome.value) == 1
    assert value(metrics, "reconcile_passes_total", outcome="broken") == 0
