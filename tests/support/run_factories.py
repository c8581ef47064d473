"""Finished runs as a training logs them, with their folders."""

from pathlib import Path

from core.files import sha256_bytes, write_atomic
from history import layout, runfile
from history.record import Artifact
from history.runfile import LoggedModel, ModelOutput, Run

STARTED = 1_795_000_000_000


def run(
    run_id: str,
    experiment: str,
    parent: str | None,
    params: dict[str, str],
    metrics: dict[str, float],
    model_id: str = "",
    files: dict[str, bytes] | None = None,
    started: int = STARTED,
) -> Run:
    """Return a finished run; with a model id, one that has logged a model of files."""
    outputs = []
    models = []
    if model_id:
        outputs.append(ModelOutput(model_id=model_id, step=0))
        models.append(_logged_model(model_id, experiment, files or {}))
    return Run(
        format=1,
        run_id=run_id,
        experiment=experiment,
        name="test",
        parent=parent,
        status="FINISHED",
        lifecycle_stage="active",
        started=started,
        ended=started + 1000,
        user="tester",
        params=params,
        metrics={key: [(value, 0, 0)] for key, value in metrics.items()},
        tags={"mlflow.source.git.commit": "a" * 40},
        datasets=[],
        model_inputs=[],
        model_outputs=outputs,
        models=models,
        artifacts=[],
    )


def _logged_model(
    model_id: str, experiment: str, files: dict[str, bytes]
) -> LoggedModel:
    artifacts = [
        Artifact(path=path, sha256=sha256_bytes(content), size=len(content))
        for path, content in sorted(files.items())
    ]
    return LoggedModel(
        model_id=model_id,
        name=experiment,
        type="onnx",
        status="READY",
        status_message=None,
        created=STARTED,
        updated=STARTED,
        params={},
        tags={},
        metrics=[],
        artifacts=artifacts,
    )


def write_run(folder: Path, run: Run, files: dict[str, bytes]) -> None:
    """Write the folder of a run, with the files of its model."""
    day = layout.day_folder(folder / "mlruns", run.experiment, run.started)
    target = day / run.run_id
    write_atomic(target / layout.RUN_FILE, runfile.dump(run))
    for name, content in files.items():
        model_id = run.models[0].model_id
        write_atomic(target / layout.MODELS / model_id / name, content)
