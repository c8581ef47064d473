"""With `--here`, a run is fitted again in this process, and its predictions compared."""

import json
from pathlib import Path

import pytest

from core.errors import PipelineError
from history.runfile import Run
from pipeline.reproduce import here
from pipeline.reproduce.result import Reproduction
from pipeline.run_finder import RunFinder
from pipeline.verification import open_history
from tests.support.trained_runs import LARGER, SMALL, TrainedRuns


@pytest.fixture
def runs(tmp_path: Path) -> TrainedRuns:
    return TrainedRuns(tmp_path / "checkout")


def reproduce(runs: TrainedRuns, name: str) -> Reproduction:
    with open_history(runs.repo) as history:
        recorded = RunFinder(runs.repo, history).one(name)
        return here.reproduce(runs.repo, recorded)


def edit(runs: TrainedRuns, run: Run, name: str, value: object) -> None:
    """Change a param of a run, or a metric if there is one of this name."""
    (path,) = runs.repo.mlruns.glob(f"iris/*/{run.run_id}/run.json")
    content = json.loads(path.read_text("utf-8"))
    if name in content["metrics"]:
        content["metrics"][name] = [[value, 0, 0]]
    else:
        content["params"][name] = value
    path.write_text(json.dumps(content))


def test_a_version_predicts_the_same(runs: TrainedRuns) -> None:
    _, run = runs.train(SMALL)
    runs.promote(run)
    result = reproduce(runs, "iris")
    assert result.is_same
    assert result.run_id == run.run_id
    assert result.equal == [
        "the predictions for all 47 rows held out, within 1e-05",
        "the ONNX file, byte for byte",
    ]
    assert [each.what for each in result.conditions] in ([], ["python"])


def test_other_parameters_predict_otherwise(runs: TrainedRuns) -> None:
    _, run = runs.train(SMALL)
    edit(runs, run, "n_estimators", "9")
    result = reproduce(runs, run.run_id)
    (difference,) = result.differences
    assert difference.what.endswith("of 47 rows held out")
    assert difference.recorded == "within 1e-05"


def test_without_the_model_the_metrics_are_compared(runs: TrainedRuns) -> None:
    training, run = runs.train(LARGER, keep=False)
    result = reproduce(runs, training.run_id)
    assert result.run_id == training.run_id
    assert result.is_same
    assert "log_loss on the rows held out" in result.equal
    edit(runs, run, "holdout_log_loss", 0.5)
    result = reproduce(runs, run.run_id)
    (difference,) = result.differences
    assert difference.what == "metric holdout_log_loss"
    assert difference.recorded == "0.5"


def test_a_model_of_the_same_digest_stands_in_for_one_that_is_not_kept(
    runs: TrainedRuns,
) -> None:
    _, promoted = runs.train(SMALL)
    runs.promote(promoted)
    training, tie = runs.train(SMALL)
    (folder,) = runs.repo.mlruns.glob(f"iris/*/{tie.run_id}/models/*")
    folder.rename(runs.repo.root / "gone")
    assert "the ONNX file, byte for byte" in reproduce(runs, tie.run_id).equal


def test_versions_that_are_others_today_are_named(runs: TrainedRuns) -> None:
    _, run = runs.train(SMALL, tags={"version.scikit-learn": "0.9"})
    conditions = reproduce(runs, run.run_id).conditions
    (library,) = [each for each in conditions if each.what == "scikit-learn"]
    assert library.recorded == "0.9"


def test_data_that_nobody_has_are_one_sentence(runs: TrainedRuns) -> None:
    other_digest = "0" * 64
    _, run = runs.train(SMALL, tags={"digest.data": other_digest})
    with pytest.raises(PipelineError, match="^the data of iris with the SHA-256 0000"):
        reproduce(runs, run.run_id)
