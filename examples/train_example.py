"""Train a model through the API, predict, and look at the run: `python
examples/train_example.py`.

It needs a running stack (`./start-mlops.sh`) and nothing but Python's standard library.
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
    body = None if content is None else json.dumps(content).encode()
    if body:
        headers["Content-Type"] = "application/json"
    with open_url(urllib.request.Request(address, body, headers), timeout=60) as answer:
        return json.load(answer)


def find_key() -> str:
    """Return the API's key: the start script knows where it is."""
    command = [sys.executable, "-m", "scripts.start", "--key"]
    return subprocess.check_output(command, cwd=ROOT, text=True).strip()


def read_irises() -> tuple[list[list[float]], list[str]]:
    """Return the flowers' measures and their species."""
    with gzip.open(ROOT / "data" / "iris.csv.gz", "rt", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return [[float(value) for value in row[:-1]] for row in rows], [
        row[-1] for row in rows
    ]


def train(api: str, key: str) -> Any:
    """Train a random forest and return the job with its run id and metrics."""
    data, target = read_irises()
    question = {
        "data": data,
        "target": target,
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 50, "max_depth": 4},
    }
    job = ask(f"{api}/train", question, **{"X-API-Key": key})
    while job["ended"] is None:  # it took longer than the API waits
        time.sleep(1)
        job = ask(f"{api}/jobs/{job['id']}", **{"X-API-Key": key})
    if job["error"]:
        raise SystemExit(f"error: {job['error']}")
    return job["result"]


def main() -> None:
    """Do it step by step, and say what comes back."""
    parser = argparse.ArgumentParser(description="Train, predict, and look at the run.")
    for name, port in (("api", "8000"), ("mlflow", "5000")):
        usual = f"http://127.0.0.1:{os.environ.get(f'{name.upper()}_PORT') or port}"
        parser.add_argument(f"--{name}", default=usual, help="default: %(default)s")
    flags = parser.parse_args()

    result = train(flags.api, find_key())
    print(
        f"trained: run {result['run_id']}, accuracy {result['metrics']['accuracy']:.3f}"
    )

    answer = ask(f"{flags.api}/predict", FLOWER)
    print(f"predicted: {answer['prediction']}, confidence {answer['confidence']:.3f}")

    run = ask(f"{flags.mlflow}/api/2.0/mlflow/runs/get?run_id={result['run_id']}")[
        "run"
    ]
    for kind in ("params", "metrics"):
        found = {item["key"]: item["value"] for item in run["data"].get(kind, [])}
        print(f"{kind} of the run: {json.dumps(found, sort_keys=True)}")
    place = f"experiments/{run['info']['experiment_id']}/runs/{result['run_id']}"
    print(f"its page: {flags.mlflow}/#/{place}")


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(
            f"error: {error.url} answers {error.code}: {error.read().decode()[:500]}"
        )
    except urllib.error.URLError as error:
        sys.exit(
            f"error: the stack does not answer ({error.reason}): run ./start-mlops.sh"
            " first."
        )
