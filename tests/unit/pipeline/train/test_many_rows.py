"""The settings for tables of many rows: a sample of the hold-out, and row limits."""

import dataclasses

import numpy as np
import pytest

from core.errors import PipelineError
from pipeline.params import TaskParams
from pipeline.train.candidates import Candidate, fit_all
from pipeline.train.row_limits import within_limits
from tests.support import strategies

LIMITED = TaskParams(
    folds=3,
    candidates={"dummy": {}, "gradient_boosting": {"n_estimators": 5}},
    row_limits={"gradient_boosting": 1000},
)


def test_a_sample_changes_importance_and_parity_and_nothing_else() -> None:
    data = strategies.training_data("housing")
    rows = np.arange(0, len(data.holdout), 2)
    sampled = dataclasses.replace(data, sample=rows)
    candidates = {"linear_regression": {}}
    (whole,) = fit_all(data, candidates)
    (part,) = fit_all(sampled, candidates)
    assert isinstance(whole, Candidate)
    assert isinstance(part, Candidate)
    assert whole.parity.rows == len(data.holdout)
    assert part.parity.rows == len(rows)
    assert part.importance.shape == whole.importance.shape
    assert (part.importance != whole.importance).any()
    assert part.onnx == whole.onnx
    assert part.metrics == whole.metrics
    assert part.folds == whole.folds


def test_an_algorithm_is_left_out_above_its_row_limit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert within_limits("housing", LIMITED, 1000) == LIMITED.candidates
    assert capsys.readouterr().err == ""
    assert within_limits("housing", LIMITED, 1001) == {"dummy": {}}
    notice = capsys.readouterr().err
    assert "housing: gradient_boosting is left out: there are 1,001 rows" in notice


def test_a_training_without_any_candidate_is_refused() -> None:
    all_limited = {"dummy": 10, "gradient_boosting": 1000}
    section = LIMITED.model_copy(update={"row_limits": all_limited})
    with pytest.raises(PipelineError, match="below the 2,000 rows to train on: raise"):
        within_limits("housing", section, 2000)
