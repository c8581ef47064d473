"""Creates an MLflow store with 50 runs: `python foreign_store.py FOLDER`.

It imports nothing of the project: it stands for the store of somebody who has never
heard of it.
"""

import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

PARENTS = 10
CHILDREN = 4
STEPS = 5


def create(folder: Path) -> str:
    """Create the store and return its address."""
    database = folder / "mlflow.db"
    uri = f"sqlite:///{database.as_posix()}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    files = (folder / "files").as_uri()
    experiments = [
        client.create_experiment("churn", f"{files}/churn"),
        client.create_experiment("Prices: Berlin & Paris", f"{files}/prices"),
    ]
    for number in range(PARENTS):
        experiment = experiments[number % len(experiments)]
        parent = log_run(client, experiment, number)
        model_id = log_model(client, experiment, parent)
        for child in range(CHILDREN):
            tags = {"mlflow.parentRunId": parent}
            run_id = log_run(client, experiment, number + child, tags)
            link = LoggedModelInput(model_id)
            client.log_inputs(run_id, models=[link])
            status = "FAILED" if child == 0 else "FINISHED"
            client.set_terminated(run_id, status)
        client.set_terminated(parent)
    register(client, model_id, parent)
    return uri


def log_run(
    client: MlflowClient,
    experiment: str,
    number: int,
    tags: dict[str, str] | None = None,
) -> str:
    """Log a run that has not ended and return its ID."""
    run = client.create_run(
        experiment,
        tags=tags,
        run_name=f"run {number}",
    )
    run_id = str(run.info.run_id)
    start = run.info.start_time
    metrics = []
    for step in range(STEPS):
        loss = 1 / (step + number + 1)
        point = Metric("loss", loss, start + step, step)
        metrics.append(point)
    no_number = Metric("not a number", float("nan"), start, 0)
    metrics.append(no_number)
    params = [
        Param("depth", str(number)),
        Param("text", "ä, \n and \\"),
    ]
    run_tags = [RunTag("team", "größer")]
    client.log_batch(run_id, metrics, params, run_tags)
    data = Dataset("customers", f"digest{number}", "local", '{"uri": "customers.csv"}')
    context = InputTag("mlflow.data.context", "train")
    dataset = DatasetInput(data, [context])
    client.log_inputs(run_id, [dataset])
    client.log_text(run_id, f"note {number}\n", "notes/a note.txt")
    client.log_dict(run_id, {"number": number}, "settings.json")
    return run_id


def log_model(
    client: MlflowClient,
    experiment: str,
    run_id: str,
) -> str:
    """Log a model of a run and return its ID."""
    model = client.create_logged_model(
        experiment,
        "model",
        run_id,
        tags={"kind": "tree"},
        params={"alpha": "0.5"},
        model_type="classifier",
    )
    model_id = str(model.model_id)
    folder = Path("model-files")
    folder.mkdir(exist_ok=True)
    weights = folder / "weights.bin"
    weights.write_bytes(bytes(range(256)))
    client.log_model_artifacts(model_id, str(folder))
    client.finalize_logged_model(model_id, "READY")
    output = LoggedModelOutput(model_id, step=0)
    client.log_outputs(run_id, models=[output])
    client.log_metric(run_id, "auc", 0.75, model_id=model_id)
    return model_id


def register(
    client: MlflowClient,
    model_id: str,
    run_id: str,
) -> None:
    """Register a version of a model."""
    client.create_registered_model("churn-model")
    source = f"models:/{model_id}"
    client.create_model_version("churn-model", source, run_id)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    print(create(path.resolve()))
