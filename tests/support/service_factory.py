"""Makes the repository of `tests/support/service.py`: real candidates, manifests and
promotions.
"""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from threadpoolctl import threadpool_limits

from core.files import sha256_bytes, write_atomic
from core.onnx_model import OnnxModel
from history import layout, runfile
from pipeline.data.fetch import Dataset
from pipeline.data.table import digest
from pipeline.publish import record
from pipeline.repo import Repo
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
    """Write a history with two promotions of each task, and what is in service, into a
    folder.
    """
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text(factories.PARAMS % 1, "utf-8")
    repo = Repo.open(folder)
    run_ids = []
    for name in VERSIONS:
        run_ids += _task(repo, name)
    with open_history(repo) as history:
        record.finish(repo, history, run_ids)


def _task(repo: Repo, name: str) -> list[str]:
    data = strategies.training_data(name, ROWS)
    judged = [_candidate(data, algorithm) for algorithm in ("dummy", *VERSIONS[name])]
    return [_promote(repo, data, judged, version) for version in range(1, len(judged))]


def _candidate(data: TrainingData, algorithm: str) -> Candidate:
    """Fit an algorithm and judge it on the rows held out; for speed there are no folds."""
    task, features = data.task, data.features
    parameters = TREES if algorithm.startswith("hist") else {}
    pipeline = estimators.build(task.kind, algorithm, parameters, features, data.seed)
    with threadpool_limits(
        limits=1
    ):  # as in a training; the tests' workers share the cores
        inputs = estimators.as_inputs(features, data.train)
        pipeline.fit(inputs, evaluate.encode(task, data.train))
        content = export.to_onnx(task, features, pipeline)
        model, inputs = OnnxModel(content), estimators.as_inputs(features, data.holdout)
        parity = export.parity(task, pipeline, model, inputs)
    measured = evaluate.metrics(task, data.truth, model.predict(inputs))
    means = {f"{name}_mean": value for name, value in measured.items()}
    return Candidate(
        algorithm=algorithm,
        parameters=parameters,
        folds=[measured[task.metric.name]] * 2,
        cross_validation=means | {f"{task.metric.name}_std": 0.0},
        holdout=measured,
        onnx=content,
        parity=parity,
        importance=np.zeros((len(features), 2)),
        fit_seconds=0.1,
        latency_ms=0.1,
    )


def _promote(
    repo: Repo, data: TrainingData, judged: list[Candidate], version: int
) -> str:
    """Write the run of a candidate, promote it, and return the run's id."""
    task, candidate = data.task, judged[version]
    fetched = Dataset(data.train, digest(data.train), "generated rows", snapshot=False)
    text = manifest.fill(data, candidate, [*judged], fetched).render()
    files = {"model.onnx": candidate.onnx, "manifest.json": text.encode()}
    parent, run_id, model_id = uuid4().hex, uuid4().hex, f"m-{uuid4().hex}"
    started = run_factories.STARTED + version * 60_000
    whole = run_factories.run(parent, task.name, None, {}, {}, started=started)
    params = {"algorithm": candidate.algorithm}
    metrics = candidate.metrics
    made = run_factories.run(
        run_id, task.name, parent, params, metrics, model_id, files, started
    )
    for run in (whole, made):
        place = layout.day_folder(repo.mlruns, task.name, started) / run.run_id
        write_atomic(place / layout.RUN_FILE, runfile.dump(run))
    kept = place / layout.MODELS / model_id
    for name, content in files.items():
        write_atomic(kept / name, content)
    with open_history(repo) as history:
        record.promote(
            repo,
            history,
            task.name,
            kept,
            commit="c" * 40,
            decided_by="gate",
            reason="better on the rows held out",
            checks=[],
            metrics=candidate.holdout,
            run_id=run_id,
            model_id=model_id,
            sha256=sha256_bytes(candidate.onnx),
            size=len(candidate.onnx),
        )
    return run_id
