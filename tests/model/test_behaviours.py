"""The behavioural tests of each model: the one in service, or one trained for this."""

import functools

import pytest
from threadpoolctl import threadpool_limits

from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.params import load
from pipeline.repo import Repo
from pipeline.schema import Kind
from pipeline.train import behavioural_tests, estimators, evaluate, export
from tests.paths import ROOT
from tests.support import strategies

BEHAVIOURS = []
for task_name in tasks.names():
    for sentence in tasks.load(task_name).behaviours:
        BEHAVIOURS.append((task_name, sentence))


@functools.cache
def model(name: str) -> OnnxModel:
    """Return the model in service, or a new one before the first promotion."""
    repo = Repo.open(ROOT)
    task = tasks.load(name)
    served = repo.models / name / "model.onnx"
    if served.is_file():
        return OnnxModel(served)
    is_here, reason = strategies.real(name)
    if not is_here:
        pytest.skip(f"no model of {name} is in service, and {reason}")
    table = fetch(task, repo).table
    held = tables.in_holdout(task, table, load(repo).holdout_share)
    train = table[~held]
    algorithm = "logistic_regression"
    if task.kind is Kind.REGRESSION:
        algorithm = "hist_gradient_boosting"
    features = list(task.features)
    truth = evaluate.encode(task, train)
    with threadpool_limits(limits=1):
        pipeline = estimators.build(task.kind, algorithm, {}, features, 0)
        inputs = estimators.as_inputs(features, train)
        fitted = pipeline.fit(inputs, truth)
    return OnnxModel(export.to_onnx(task, features, fitted))


@pytest.mark.parametrize("name, behaviour", BEHAVIOURS)
def test_behaviour(name: str, behaviour: str) -> None:
    checks = behavioural_tests.run(tasks.load(name), model(name))
    by_name = {check.name: check for check in checks}
    if behaviour not in by_name:
        pytest.skip("the model does not use the features of this test")
    check = by_name[behaviour]
    assert check.passed, check.detail
