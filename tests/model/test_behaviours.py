"""What each model must be able to do, in words: the model in service, else one trained
for this.
"""

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

CLAIMS = [
    (name, claim) for name in tasks.names() for claim in tasks.load(name).behaviours
]


@functools.cache
def model(name: str) -> OnnxModel:
    """Return the model in service; before the first promotion one that is trained at
    once.
    """
    repo, task = Repo.open(ROOT), tasks.load(name)
    served = repo.models / name / "model.onnx"
    if served.is_file():
        return OnnxModel(served)
    found, reason = strategies.real(name)
    if not found:
        pytest.skip(f"no model of {name} is in service, and {reason}")
    table = fetch(task, repo).table
    train = table[~tables.in_holdout(task, table, load(repo).holdout_share)]
    algorithm = (
        "hist_gradient_boosting"
        if task.kind is Kind.REGRESSION
        else "logistic_regression"
    )
    features = list(task.features)
    truth = evaluate.encode(task, train)
    with threadpool_limits(limits=1):
        pipeline = estimators.build(task.kind, algorithm, {}, features, 0)
        fitted = pipeline.fit(estimators.as_inputs(features, train), truth)
    return OnnxModel(export.to_onnx(task, features, fitted))


@pytest.mark.parametrize("name, claim", CLAIMS)
def test_behaviour(name: str, claim: str) -> None:
    answers = {
        check.name: check
        for check in behavioural_tests.run(tasks.load(name), model(name))
    }
    if claim not in answers:
        pytest.skip("the model does without the features that this is about")
    assert answers[claim].passed, answers[claim].detail
