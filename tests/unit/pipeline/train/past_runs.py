"""Runs as a training of iris records them, in a history without MLflow."""

from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from core.onnx_model import OnnxModel
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.train import estimators, evaluate, export
from tests.support.history_factories import add_run, model_id, promote

TASK = tasks.load("iris")
SEED = 7
SHARE = 0.25
COMMIT = "c" * 40
EXCLUDED = "petal_width"
FEATURES = [feature for feature in TASK.features if feature.name != EXCLUDED]
FOREST = {"n_estimators": 3, "min_samples_leaf": 2}


def add_parent(repo: Repo, **tags: Any) -> Run:
    """Record a training's own run, with some tags changed."""
    dataset = data.fetch(TASK, repo)
    params = {
        "seed": str(SEED),
        "holdout_share": str(SHARE),
        "exclude": EXCLUDED,
    }
    usual = {
        "digest.data": dataset.digest,
        "mlflow.source.git.commit": COMMIT,
    }
    return add_run(repo.mlruns, experiment="iris", params=params, tags=usual | tags)


def add_candidate(
    repo: Repo,
    parent: Run,
    algorithm: str,
    log_loss: float,
    keep_model: bool = False,
    **parameters: Any,
) -> Run:
    """Fit a candidate as a training does, and record its run.

    Args:
        repo: the checkout.
        parent: the run of the training.
        algorithm: the candidate's algorithm.
        log_loss: the metric in cross-validation, which decides which run is the best.
        keep_model: whether the history has the ONNX file.
        parameters: the hyperparameters.
    """
    table = data.fetch(TASK, repo).table
    held = tables.in_holdout(TASK, table, SHARE)
    pipeline = fit(algorithm, parameters, table[~held])
    content = export.to_onnx(TASK, FEATURES, pipeline)
    metrics = {"cv_log_loss_mean": [(log_loss, 0, 0)]}
    for name, value in _metrics(content, table[held]).items():
        metrics[f"holdout_{name}"] = [(value, 0, 0)]
    params = {"algorithm": algorithm}
    for key, value in parameters.items():
        params[key] = str(value)
    models = None
    if keep_model:
        models = {model_id(): {"model.onnx": content}}
    return add_run(
        repo.mlruns,
        models=models,
        experiment="iris",
        parent=parent.run_id,
        params=params,
        metrics=metrics,
        tags={"mlflow.source.git.commit": COMMIT},
    )


def add_champion(repo: Repo) -> Run:
    """Record a forest with its ONNX file and promote it."""
    parent = add_parent(repo)
    run = add_candidate(repo, parent, "random_forest", 0.5, keep_model=True, **FOREST)
    promote(repo, run, "iris")
    return run


def fit(algorithm: str, parameters: dict[str, Any], train: pd.DataFrame) -> Pipeline:
    """Fit an algorithm as a training does."""
    pipeline = estimators.build(TASK.kind, algorithm, parameters, FEATURES, SEED)
    inputs = estimators.as_inputs(FEATURES, train)
    truth = evaluate.encode(TASK, train)
    return pipeline.fit(inputs, truth)


def _metrics(content: bytes, holdout: pd.DataFrame) -> dict[str, float]:
    model = OnnxModel(content)
    inputs = estimators.as_inputs(FEATURES, holdout)
    truth = evaluate.encode(TASK, holdout)
    return evaluate.metrics(TASK, truth, model.predict(inputs))
