"""The servers that the API is compared with.

    python -m tools.bench.servers KIND TASK PORT

`empty` validates the same body and sends the same fields as the API, but predicts
nothing; `sklearn` calls the champion's estimator, fitted anew, in a plain FastAPI
endpoint.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
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

Manifest = dict[str, Any]
Record = dict[str, Any]


@dataclass(frozen=True)
class Prediction:
    """A prediction, and for a classifier the probability of each class."""

    value: Any
    probabilities: dict[str, float] | None = None

    @classmethod
    def most_likely(cls, probabilities: dict[str, float]) -> "Prediction":
        """Return the prediction of the most likely class."""
        name = max(probabilities, key=lambda name: probabilities[name])
        return cls(name, probabilities)


Predict = Callable[[Record], Prediction]


class Answer(BaseModel):
    """The API's answer to a record, as a plain model."""

    task: str
    model_version: int
    run_id: str
    request_id: str
    unit: str = ""
    prediction: float | str
    probabilities: dict[str, float] | None = None
    confidence: float | None = None


def record_of(manifest: Manifest) -> type[BaseModel]:
    """Return the model of a request's body, with the manifest's types and bounds."""
    fields: dict[str, Any] = {}
    for feature in manifest["features"]:
        type_: Any
        if feature["type"] == "category":
            type_ = Literal[*feature["categories"]]
        else:
            bounds = Field(ge=feature["low"], le=feature["high"], allow_inf_nan=False)
            type_ = Annotated[float, bounds]
        fields[feature["name"]] = (type_, ...)
    return create_model("Record", **fields)


def empty(manifest: Manifest) -> Predict:
    """Return a function that predicts without a model: always the golden answer."""
    answer = manifest["golden"]["answer"]
    classes = manifest["target"]["classes"]
    if classes:
        probabilities = dict(zip(classes, answer, strict=True))
        return lambda record: Prediction.most_likely(probabilities)
    return lambda record: Prediction(answer)


def sklearn(manifest: Manifest) -> Predict:
    """Fit the champion's algorithm on the task's data; return a function that predicts."""
    repo = Repo.open(ROOT)
    task = tasks.load(manifest["task"])
    table = data.fetch(task, repo).table
    features = list(task.features)
    model = estimators.build(
        task.kind,
        manifest["algorithm"],
        manifest["parameters"],
        features,
        params.load(repo).seed,
        task.derived_features,
    )
    inputs = estimators.as_inputs(features, table)
    model.fit(inputs, table[task.target.name])

    def predict(record: Record) -> Prediction:
        frame = pd.DataFrame([record])
        row = estimators.as_inputs(features, frame)
        if not task.target.classes:
            value = model.predict(row)[0]
            return Prediction(float(value))
        shares = model.predict_proba(row)[0].tolist()
        probabilities = dict(zip(model.classes_, shares, strict=True))
        return Prediction.most_likely(probabilities)

    return predict


def application(kind: str, task: str) -> FastAPI:
    """Return a FastAPI application with one endpoint."""
    file = ROOT / "deployment" / "models" / task / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    predictors = {"empty": empty, "sklearn": sklearn}
    predict = predictors[kind](manifest)
    app = FastAPI()

    async def endpoint(body: BaseModel) -> Answer:
        prediction = predict(dict(body))
        probabilities = prediction.probabilities
        confidence = None
        if probabilities:
            confidence = max(probabilities.values())
        return Answer(
            task=task,
            model_version=manifest["version"],
            run_id=manifest["run_id"],
            request_id="0123456789abcdef",
            unit=manifest["target"]["unit"],
            prediction=prediction.value,
            probabilities=probabilities,
            confidence=confidence,
        )

    endpoint.__annotations__["body"] = record_of(manifest)
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
