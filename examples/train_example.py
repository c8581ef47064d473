"""Train a model with the API, predict, and show the run.

`python examples/train_example.py` needs a running stack (`./start-mlops.sh`) and
nothing but Python's standard library.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FLOWER = {
    "sepal_length": 5.1,
    "sepal_width": 3.5,
    "petal_length": 1.4,
    "petal_width": 0.2,
}
# Never through a proxy of the environment: the stack runs on this machine.
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def ask(address: str, content: Any = None, **headers: str) -> Any:
    """Return the JSON at an address; with content, the answer to a POST of it."""
    body = None
    if content is not None:
        body = json.dumps(content).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(address, body, headers)
    with open_url(request, timeout=60) as answer:
        return json.load(answer)


def find_key() -> str:
    """Return the API's key, which the start script prints."""
    command = [sys.executable, "-m", "scripts.start", "--key"]
    output = subprocess.check_output(command, cwd=ROOT, text=True)
    return output.strip()


def read_irises() -> tuple[list[list[float]], list[str]]:
    """Return the measurements of the flowers and their species."""
    path = ROOT / "data" / "iris.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    data = []
    target = []
    for *texts, species in rows:
        measurements = [float(text) for text in texts]
        data.append(measurements)
        target.append(species)
    return data, target


def train(api: str, key: str) -> Any:
    """Train a random forest and return the result with its run id and metrics."""
    data, target = read_irises()
    request = {
        "data": data,
        "target": target,
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 50, "max_depth": 4},
    }
    headers = {"X-API-Key": key}
    job = ask(f"{api}/train", request, **headers)
    job_id = job["id"]
    while job["ended"] is None:  # it took longer than the API waits
        time.sleep(1)
        job = ask(f"{api}/jobs/{job_id}", **headers)
    problem = job["error"]
    if problem:
        raise SystemExit(f"error: {problem}")
    return job["result"]


def address(name: str, port: str) -> str:
    """Return the address of a service on this machine."""
    variable = f"{name.upper()}_PORT"
    port = os.environ.get(variable) or port
    return f"http://127.0.0.1:{port}"


def show_run(mlflow: str, run_id: str) -> None:
    """Print the parameters and metrics of a run, and the address of its page."""
    answer = ask(f"{mlflow}/api/2.0/mlflow/runs/get?run_id={run_id}")
    run = answer["run"]
    for kind in ("params", "metrics"):
        values = {}
        for item in run["data"].get(kind, []):
            values[item["key"]] = item["value"]
        text = json.dumps(values, sort_keys=True)
        print(f"{kind} of the run: {text}")
    experiment = run["info"]["experiment_id"]
    print(f"its page: {mlflow}/#/experiments/{experiment}/runs/{run_id}")


def main() -> None:
    """Train, predict and show the run."""
    parser = argparse.ArgumentParser(
        description="Train, predict, and look at the run.",
        allow_abbrev=False,
    )
    for name, port in (("api", "8000"), ("mlflow", "5000")):
        parser.add_argument(
            f"--{name}",
            default=address(name, port),
            help="default: %(default)s",
        )
    options = parser.parse_args()

    result = train(options.api, find_key())
    run_id = result["run_id"]
    accuracy = result["metrics"]["accuracy"]
    print(f"trained: run {run_id}, accuracy {accuracy:.3f}")

    answer = ask(f"{options.api}/predict", FLOWER)
    prediction = answer["prediction"]
    confidence = answer["confidence"]
    print(f"predicted: {prediction}, confidence {confidence:.3f}")

    show_run(options.mlflow, run_id)


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        text = error.read().decode()[:500]
        sys.exit(f"error: {error.url} answers {error.code}: {text}")
    except urllib.error.URLError as error:
        sys.exit(
            f"error: the stack does not answer ({error.reason}): run ./start-mlops.sh"
            " first."
        )
