"""The settings of a past run that its model is fitted again with."""

from pathlib import Path

import pytest

from core.errors import PipelineError
from history.runfile import Run
from pipeline import tasks
from pipeline.train import past_run
from tests.support.run_factories import run

HOUSING = tasks.load("housing")


def parent(derived: str) -> Run:
    params = {"seed": "1", "holdout_share": "0.2", "exclude": "none"}
    if derived:
        params["derived"] = derived
    tags = {"digest.data": "d" * 64, "mlflow.source.git.commit": "c" * 40}
    training = run("a" * 32, "housing", None, params, {})
    return training.model_copy(update={"tags": training.tags | tags})


def derived_of(training: Run) -> list[str]:
    params = {"algorithm": "ridge"}
    candidate = run("b" * 32, "housing", training.run_id, params, {})
    past = past_run.of(candidate, training, Path())
    return [feature.name for feature in past.derived(HOUSING)]


def test_a_run_has_the_derived_features_that_it_recorded() -> None:
    recorded = ["CoastDistance", "NorthEast"]
    assert derived_of(parent(", ".join(recorded))) == recorded


def test_a_run_from_before_there_were_any_has_none() -> None:
    assert derived_of(parent("")) == []


def test_a_derived_feature_that_is_gone_is_named() -> None:
    with pytest.raises(PipelineError, match="RoomsPerPerson, which") as caught:
        derived_of(parent("NorthEast, RoomsPerPerson"))
    assert "check out the commit cccccccccccc" in str(caught.value)
