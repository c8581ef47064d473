"""Each algorithm of lesson 3 trains on iris, without what a later scikit-learn removes."""

import warnings

import pytest
import yaml

from core.onnx_model import OnnxModel
from course.lessons.lesson_03_a_candidate.solution import PARAMETERS, TASK
from course.personal import ALGORITHMS
from pipeline.train import estimators, evaluate, export
from pipeline.yaml_file import read_yaml
from tests.paths import ROOT
from tests.support import strategies


def test_the_project_ships_none_of_them() -> None:
    shipped = read_yaml(
        ROOT / "pipeline" / "train" / "estimators.yaml", "estimators.yaml"
    )
    classes = set(shipped["classification"].values())
    assert classes.isdisjoint(ALGORITHMS.values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_onnx_file_answers_as_the_estimator_does(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = strategies.training_data(TASK)
    classes = estimators._CLASSES[data.task.kind]
    monkeypatch.setitem(classes, algorithm, ALGORITHMS[algorithm])
    parameters = yaml.safe_load(PARAMETERS[algorithm])
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        pipeline = estimators.build(
            data.task.kind, algorithm, parameters, data.features, data.seed
        )
        inputs = estimators.as_inputs(data.features, data.train)
        fitted = pipeline.fit(inputs, evaluate.encode(data.task, data.train))
    model = OnnxModel(export.to_onnx(data.task, data.features, fitted))
    rows = estimators.as_inputs(data.features, data.holdout)
    assert export.parity(data.task, fitted, model, rows).mismatches == 0
