"""Builds the repository of `tests/support/service.py` with real models and promotions."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from core.files import sha256_bytes
from core.onnx_model import OnnxModel
from history.runfile import Run
from pipeline.data.fetch import Dataset
from pipeline.data.table import digest
from pipeline.publish import record
from pipeline.repo import Repo
from pipeline.schema import Kind
from pipeline.train import estimators, evaluate, export, manifest
from pipeline.train.candidates import Candidate
from pipeline.train.training_data import TrainingData
from pipeline.verification import open_history
from tests.support import factories, run_factories, strategies

ROWS = 1200
TREES: dict[str, Any] = {"max_iter": 30, "early_stopping": False}
# The first and the second version of each task's model.
VERSIONS: dict[str, list[str]] = {
    "credit": ["logistic_regression", "hist_gradient_boosting"],
    "housing": ["linear_regression", "hist_gradient_boosting"],
    "iris": ["linear_discriminant", "hist_gradient_boosting"],
}


def build_service(folder: Path) -> None:
    """Write a history with two promotions of each task, and the models in service."""
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text(factories.PARAMS % 1, "utf-8")
    repo = Repo.open(folder)
    run_ids = []
    for name in VERSIONS:
        run_ids += _task(repo, name)
    with open_history(repo) as history:
        record.finish(repo, history, run_ids)


def _task(repo: Repo, name: str) -> list[str]:
    """Promote each version of a task; return the IDs of their runs."""
    data = strategies.training_data(name, ROWS)
    candidates = []
    for algorithm in ("dummy", *VERSIONS[name]):
        candidates.append(_candidate(data, algorithm))
    run_ids = []
    for version in range(1, len(candidates)):
        run_ids.append(_promote(repo, data, candidates, version))
    return run_ids


def _candidate(data: TrainingData, algorithm: str) -> Candidate:
    """Fit an algorithm and evaluate it on the hold-out; for speed there are few folds."""
    task = data.task
    features = data.features
    parameters = TREES if algorithm.startswith("hist") else {}
    pipeline = estimators.build(task.kind, algorithm, parameters, features, data.seed)
    # As in a training: the tests' workers share the cores.
    with threadpool_limits(limits=1):
        inputs = estimators.as_inputs(features, data.train)
        truth = evaluate.encode(task, data.train)
        out_of_fold = None
        if task.kind is Kind.REGRESSION:
            predicted = cross_val_predict(pipeline, inputs, truth, cv=2)
            out_of_fold = np.column_stack([predicted, truth])
        pipeline.fit(inputs, truth)
        content = export.to_onnx(task, features, pipeline)
        model = OnnxModel(content)
        inputs = estimators.as_inputs(features, data.holdout)
        parity = export.parity(task, pipeline, model, inputs)
    measured = evaluate.metrics(task, data.truth, model.predict(inputs))
    metric = task.metric.name
    folds = {}
    for name, value in measured.items():
        folds[f"{name}_mean"] = value
    folds[f"{metric}_std"] = 0.0
    return Candidate(
        algorithm=algorithm,
        parameters=parameters,
        folds=[measured[metric]] * 2,
        cross_validation=folds,
        holdout=measured,
        groups={},
        onnx=content,
        parity=parity,
        importance=np.zeros((len(features), 2)),
        fit_seconds=0.1,
        latency_ms=0.1,
        out_of_fold=out_of_fold,
    )


def _promote(
    repo: Repo, data: TrainingData, candidates: list[Candidate], version: int
) -> str:
    """Write the run of a candidate, promote it, and return the run's ID."""
    candidate = candidates[version]
    table = Dataset(data.train, digest(data.train), "generated rows", snapshot=False)
    text = manifest.fill(data, candidate, list(candidates), table).render()
    files = {"model.onnx": candidate.onnx, "manifest.json": text.encode()}
    run = _write_runs(repo, data.task.name, candidate, files, version)
    model_id = run.models[0].model_id
    with open_history(repo) as history:
        record.promote(
            repo,
            history,
            data.task.name,
            history.model_folder(run.run_id, model_id),
            commit="c" * 40,
            decided_by="gate",
            reason="better on the rows held out",
            checks=[],
            metrics=candidate.holdout,
            run_id=run.run_id,
            model_id=model_id,
            sha256=sha256_bytes(candidate.onnx),
            size=len(candidate.onnx),
        )
    return run.run_id


def _write_runs(
    repo: Repo,
    task: str,
    candidate: Candidate,
    files: dict[str, bytes],
    version: int,
) -> Run:
    """Write a parent run, and below it that of a candidate, which is returned."""
    started = run_factories.STARTED + version * 60_000
    parent = run_factories.run(uuid4().hex, task, None, {}, {}, started=started)
    run = run_factories.run(
        uuid4().hex,
        task,
        parent.run_id,
        {"algorithm": candidate.algorithm},
        candidate.metrics,
        f"m-{uuid4().hex}",
        files,
        started,
    )
    run_factories.write_run(repo.root, parent, {})
    run_factories.write_run(repo.root, run, files)
    return run
