"""The servers that the API is compared with: `python -m tools.bench.servers KIND TASK
PORT`.

`empty` validates the same body and answers with the same model as the API, and predicts
nothing; `sklearn` calls the champion's estimator, fitted anew, in a plain FastAPI
endpoint.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field, create_model

from pipeline import params, tasks
from pipeline.data import fetch as data
from pipeline.repo import Repo
from pipeline.train import estimators
from scripts import console

ROOT = Path(__file__).resolve().parents[2]


class Answer(BaseModel):
    """What the API answers a record with, as a plain model."""

    task: str
    model_version: int
    run_id: str
    request_id: str
    unit: str = ""
    prediction: float | str
    probabilities: dict[str, float] | None = None
    confidence: float | None = None


def record_of(manifest: dict[str, Any]) -> type[BaseModel]:
    """Return the model of a request's body, with the manifest's types and bounds."""
    fields: dict[str, Any] = {}
    for feature in manifest["features"]:
        if feature["type"] == "category":
            fields[feature["name"]] = (Literal[*feature["categories"]], ...)
        else:
            bounds = Field(ge=feature["low"], le=feature["high"], allow_inf_nan=False)
            fields[feature["name"]] = (Annotated[float, bounds], ...)
    return create_model("Record", **fields)


def empty(manifest: dict[str, Any]) -> Callable[[dict[str, Any]], tuple[Any, Any]]:
    """Return what predicts without a model: the golden answer, always."""
    answer, classes = manifest["golden"]["answer"], manifest["target"]["classes"]
    if not classes:
        return lambda record: (answer, None)
    shares = dict(zip(classes, answer, strict=True))
    return lambda record: (max(shares, key=lambda name: shares[name]), shares)


def sklearn(manifest: dict[str, Any]) -> Callable[[dict[str, Any]], tuple[Any, Any]]:
    """Fit the champion's algorithm on the task's data and return what predicts with it."""
    repo, task = Repo.open(ROOT), tasks.load(manifest["task"])
    table = data.fetch(task, repo).table
    features = list(task.features)
    seed = params.load(repo).seed
    algorithm, parameters = manifest["algorithm"], manifest["parameters"]
    model = estimators.build(task.kind, algorithm, parameters, features, seed)
    model.fit(estimators.as_inputs(features, table), table[task.target.name])

    def predict(record: dict[str, Any]) -> tuple[Any, Any]:
        row = estimators.as_inputs(features, pd.DataFrame([record]))
        if not task.target.classes:
            return float(model.predict(row)[0]), None
        shares = dict(
            zip(model.classes_, model.predict_proba(row)[0].tolist(), strict=True)
        )
        return max(shares, key=lambda name: shares[name]), shares

    return predict


def application(kind: str, task: str) -> FastAPI:
    """Return a FastAPI application with one endpoint."""
    manifest = json.loads(
        (ROOT / f"deployment/models/{task}/manifest.json").read_text("utf-8")
    )
    predict = {"empty": empty, "sklearn": sklearn}[kind](manifest)
    record, app = record_of(manifest), FastAPI()

    async def endpoint(body: BaseModel) -> Answer:
        prediction, shares = predict(dict(body))
        return Answer(
            task=task,
            model_version=manifest["version"],
            run_id=manifest["run_id"],
            request_id="0123456789abcdef",
            unit=manifest["target"]["unit"],
            prediction=prediction,
            probabilities=shares,
            confidence=max(shares.values()) if shares else None,
        )

    endpoint.__annotations__["body"] = record
    app.post(f"/predict/{task}")(endpoint)
    return app


def main() -> None:
    """Serve the kind, the task and the port of the command line."""
    kind, task, port = sys.argv[1:]
    uvicorn.run(
        application(kind, task), port=int(port), access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    sys.exit(console.run(main))
