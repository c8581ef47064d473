"""Rows on training, and on the files that are edited for it."""

import json
import re
import shlex
import shutil
from typing import Any

import yaml

from tools.documents.row import Row, expect
from tools.documents.stack import Stack

JOB_SECONDS = 300
BUNDLE = "build/rows-bundle"
TRIES = 4
# A typical cell of a notebook; only the key is new.
TRAINING = """
import subprocess

import {client}
from sklearn.datasets import load_iris

iris = load_iris()
key = subprocess.check_output(["./start-mlops.sh", "--key"], text=True).strip()
response = {client}.post(
    "http://localhost:8000/train",
    headers={{"X-API-Key": key}},
    json={{
        "data": iris.data.tolist(),
        "target": iris.target.tolist(),
        "algorithm": "random_forest",
        "hyperparameters": {{"n_estimators": 100, "max_depth": 5}},
    }},
    timeout=60,
)
result = response.json()
print(response.status_code, result.get("run_id"), result.get("metrics", {{}}).get("accuracy"))
"""


def train_as_in_a_notebook(stack: Stack) -> str:
    """Train with `requests` and with `httpx`, and the key from the start script."""
    seen = []
    for client in ("requests", "httpx"):
        accuracy = _accuracy(stack, client)
        seen.append(f"{client}: accuracy {accuracy:.2f}")
    refused = stack.post("/train", {"algorithm": "random_forest"})
    expect(refused.status == 401, f"without the key /train answers {refused.status}")
    return f"200 and a run id for {'; '.join(seen)}; without the key 401"


def _accuracy(stack: Stack, client: str) -> float:
    """Train, and try again if a busy machine needs more than 30 s, which is a 202."""
    code = shlex.quote(TRAINING.format(client=client))
    output = ""
    for _ in range(TRIES):
        output = stack.shell(f"python -W ignore -c {code}")
        if not output.startswith("202"):
            break
    expect(output.startswith("200"), f"{client} sees {output[-300:]}")
    _, run_id, accuracy = output.split()
    is_run_id = re.fullmatch("[0-9a-f]{32}", run_id)
    expect(is_run_id, f"{run_id} is not a run ID")
    return float(accuracy)


def retrain_and_load(stack: Stack) -> str:
    """Train a task anew, and load the run of the model in service."""
    job = _ended(stack, "/retrain", {"tasks": ["iris"], "reason": "a row of the table"})
    challenger = job["result"]["challengers"]["iris"]
    served = stack.get("/models/iris").json["run_id"]
    loaded = _ended(stack, f"/model/load/{served}", {})
    expect(
        loaded["result"]["run_id"] == served,
        f"another run was loaded: {loaded['result']}",
    )
    return (
        f"/retrain: {challenger['algorithm']} is the challenger; /model/load: version "
        + str(loaded["result"]["version"])
    )


def run_the_example(stack: Stack) -> str:
    """Run the example as it is."""
    output = stack.shell("python examples/train_example.py").splitlines()
    begins = (
        "trained: run ",
        "predicted: setosa",
        "params of",
        "metrics of",
        "its page: http",
    )
    expect(
        len(output) == len(begins) and all(map(str.startswith, output, begins)),
        f"the example prints {' / '.join(output)[:400]}",
    )
    return f"{output[0]}; {output[1]}"


def run_the_stages(stack: Stack) -> str:
    """Run the commands that `dvc repro` runs for iris."""
    content = yaml.safe_load((stack.checkout / "dvc.yaml").read_text("utf-8"))
    output = ""
    for stage in content["stages"].values():
        output = stack.shell(stage["do"]["cmd"].replace("${key}", "iris"))
    expect(output.startswith("iris: run "), f"the last stage prints {output[:400]}")
    return f"{len(content['stages'])} stages; {output}"


def _ended(stack: Stack, path: str, body: Any) -> Any:
    """Start a job and return it when it has ended, which most answers already are."""
    answer = stack.post(path, body, key=True)
    expect(
        answer.status in (200, 202),
        f"POST {path} answers {answer.status}: {answer.text}",
    )
    job = answer.json

    def has_ended() -> bool:
        latest = stack.get(f"/jobs/{job['id']}", key=True)
        job.update(latest.json)
        return job["ended"] is not None

    stack.eventually(has_ended, JOB_SECONDS, f"the job of {path} has not ended")
    text = json.dumps(job)
    expect(job["error"] is None, f"the job of {path} failed: {text[:300]}")
    return job


def add_an_algorithm(stack: Stack) -> str:
    """Add an algorithm by a line in each of two files, and train it."""
    lines = {
        "pipeline/train/estimators.yaml": (
            "classification:\n",
            "  extra_trees: sklearn.ensemble.ExtraTreesClassifier\n",
        ),
        "params.yaml": (
            "      linear_discriminant: {}\n",
            "      extra_trees: {n_estimators: 10, min_samples_leaf: 3}\n",
        ),
    }
    before = {name: (stack.checkout / name).read_bytes() for name in lines}
    try:
        for name, (after, line) in lines.items():
            file = stack.checkout / name
            text = file.read_text("utf-8")
            file.write_text(text.replace(after, after + line, 1), "utf-8")
        output = stack.shell(f"python -m pipeline train --task iris --out {BUNDLE}")
    finally:
        for name, content in before.items():
            (stack.checkout / name).write_bytes(content)
        shutil.rmtree(stack.checkout / BUNDLE, ignore_errors=True)
    expect("extra_trees" in output, f"the training says {output[-300:]}")
    expect(
        (stack.checkout / "app" / "observability" / "metrics.py").is_file(),
        "there is no app/observability/metrics.py",
    )
    return "trained an algorithm that two lines added"


ROWS = [
    Row(
        number=14,
        typed=(
            "`POST /train` with "
            '`{"data": …, "target": …, "algorithm": …, "hyperparameters": …}`, then '
            '`result["run_id"]` and `result["metrics"]["accuracy"]`'
        ),
        here=(
            "as typed, with the key that the start script creates (`./start-mlops.sh"
            " --key`); a training that takes longer than 30 s returns 202 and a job"
        ),
        page="[how to](how-to.md)",
        check=train_as_in_a_notebook,
    ),
    Row(
        number=15,
        typed="`POST /retrain`, `POST /model/load/{run_id}`",
        here="as typed, with the same key",
        page="[how to](how-to.md)",
        check=retrain_and_load,
    ),
    Row(
        number=22,
        typed="`python examples/train_example.py`",
        here="trains, predicts and shows the run",
        check=run_the_example,
    ),
    Row(
        number=23,
        typed="`dvc repro`, `params.yaml`",
        here="as typed, with DVC in an environment of its own",
        page="[DVC](dvc.md)",
        check=run_the_stages,
    ),
    Row(
        number=25,
        typed="one more algorithm in a dictionary, one more metric in one place",
        here=(
            "a line in `estimators.yaml` and one in `params.yaml`;"
            " `app/observability/metrics.py`"
        ),
        page="[below](#training-and-serving)",
        check=add_an_algorithm,
    ),
]
