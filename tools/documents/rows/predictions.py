"""Rows on predictions, explanations and the pages of models."""

import json
import shlex
from typing import Any

from tools.documents.row import Row, expect
from tools.documents.stack import Stack

PATHS = (
    "/model/info",
    "/models/info",
    "/metrics/summary",
    "/metrics/prometheus",
    "/docs",
    "/redoc",
    "/",
)

HOUSE = {
    "MedInc": 8.3252,
    "HouseAge": 41.0,
    "AveRooms": 6.984,
    "AveBedrms": 1.023,
    "Population": 322.0,
    "AveOccup": 2.555,
    "Latitude": 37.88,
    "Longitude": -122.23,
}
FLOWER = {
    "sepal_length": 5.1,
    "sepal_width": 3.5,
    "petal_length": 1.4,
    "petal_width": 0.2,
}
ROWS_WITHOUT_NAMES = {"features": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}
SHORT = ("name", "version", "run_id", "metrics", "loaded_at")


def task_by_fields(stack: Stack) -> str:
    """Send the records of each task to `/predict`, and a record of no task."""
    records = {"housing": HOUSE, "iris": FLOWER, "credit": _loan(stack)}
    tasks = ", ".join(records)
    for task, record in records.items():
        for body in (record, [record, record]):
            answer = _curl(stack, "/predict", body)
            expect(
                answer.get("task") == task,
                f"a record of {task} is answered with {answer}",
            )
    answer = _curl(stack, "/predict", ROWS_WITHOUT_NAMES)
    expect(
        answer.get("task") == "iris", f"rows of four numbers are answered with {answer}"
    )
    refused = stack.post("/predict", {"colour": "red"})
    listed = set()
    for fault in refused.json["errors"]:
        task, *_ = fault["detail"].split()
        listed.add(task)
    problem = f"no task's fields: {refused.status} {refused.text[:300]}"
    expect(refused.status == 422, problem)
    expect(listed >= records.keys(), problem)
    return f"a record, a list and rows reach {tasks}; 422 lists them for any other"


def answers_by_name(stack: Stack) -> str:
    """Look for the fields of other stacks' answers, and for SHAP values."""
    house = _curl(stack, "/predict", HOUSE)
    flower = _curl(stack, "/predict", FLOWER)
    expect(isinstance(house["prediction"], float), f"no number is predicted: {house}")
    expect(0 < flower["confidence"] <= 1, f"no confidence: {flower}")
    rows = _curl(stack, "/predict", ROWS_WITHOUT_NAMES)["predictions"]
    expect(len(rows) == 2, f"two rows are answered with {rows}")
    for record in (HOUSE, FLOWER):
        explained = _curl(stack, "/explain", record)
        values = explained["values"]
        total = explained["base_value"] + sum(values.values())
        expect(values.keys() == record.keys(), f"not every field: {explained}")
        expect(
            abs(total - explained["prediction"]) < 1e-3,
            f"they do not add up: {explained}",
        )
    return (
        "prediction, confidence and predictions; SHAP values of a house and a flower"
        " add up"
    )


def _loan(stack: Stack) -> dict[str, Any]:
    """Return the manifest's example of a credit record, with its twenty fields."""
    file = stack.checkout / "deployment" / "models" / "credit" / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    record: dict[str, Any] = manifest["golden"]["request"]
    return record


def _curl(stack: Stack, path: str, body: Any) -> Any:
    data = shlex.quote(json.dumps(body))
    header = "-H 'Content-Type: application/json'"
    return json.loads(
        stack.shell(f"curl -s http://127.0.0.1:8000{path} {header} -d {data}")
    )


def paths_that_are_read(stack: Stack) -> str:
    """Read each path that other stacks have."""
    for path in PATHS:
        answer = stack.get(path)
        expect(
            answer.status == 200,
            f"GET {path} answers {answer.status}: {answer.text[:200]}",
        )
    short = stack.get("/model/info").json
    expect(set(SHORT) <= set(short), f"GET /model/info has only {', '.join(short)}")
    expect(short["name"] == "housing", f"GET /model/info is about {short['name']}")
    models = stack.get("/models/info").text
    expect("version" in models, f"GET /models/info names no version: {models[:200]}")
    series = stack.get("/metrics/prometheus").text
    expect(
        "http_requests_total" in series,
        "GET /metrics/prometheus has no http_requests_total",
    )
    return (
        f"200 at {', '.join(PATHS)}; /model/info: {short['name']} v{short['version']}"
    )


ROWS = [
    Row(
        number=13,
        typed=(
            "`POST /predict` with a record of houses, irises or credits, or with "
            '`{"features": [[5.1, 3.5, 1.4, 0.2]]}`'
        ),
        here=(
            "the API recognises the task by the field names or by the length of the"
            " rows; `/predict/{task}` names it"
        ),
        page="[API](api.md)",
        check=task_by_fields,
    ),
    Row(
        number=16,
        typed=", ".join(f"`GET {path}`" for path in PATHS),
        here="as typed; `/model/info` describes the default task",
        page="[API](api.md)",
        check=paths_that_are_read,
    ),
    Row(
        number=17,
        typed=(
            "`prediction`, `confidence`, `predictions` in a response; SHAP values at"
            " `/explain`"
        ),
        here="as expected",
        page="[API](api.md)",
        check=answers_by_name,
    ),
]
