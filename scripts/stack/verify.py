"""Checks that the services show what is in the files: predictions, runs and targets."""

import json
import time
from collections.abc import Iterator
from typing import Any

from core.counts import counted
from scripts.loopback import FAILURES, ask, refuses
from scripts.stack import admin_key, mlflow_proxy, monitoring, reconciler
from scripts.stack.seen import Look, Seen
from scripts.stack.settings import PORTS, ROOT, Settings, StackError

NO_MODEL = "no model yet: push, or train and publish"
EXPLAIN_SECONDS = 120
REFUSE_SECONDS = 60
MOST_RESULTS = 1000
# Without this query MLflow opens on its pages for language models.
QUERY = "?workflowType=machine_learning"

Json = dict[str, Any]


def everything(
    settings: Settings, services: list[str], closer: dict[str, Look] | None = None
) -> list[Seen]:
    """Check every service.

    Args:
        closer: closer checks than the usual ones, by service.

    Raises:
        StackError: a service does not answer, or does not show what is in the files.
    """
    looks: dict[str, Look] = {
        "mlops-api": api,
        "trainer": _worker,
        "mlflow-server": mlflow,
        "mlflow-proxy": mlflow_proxy.look,
        "prometheus": monitoring.prometheus,
        "grafana": monitoring.grafana,
        "node-exporter": monitoring.node_exporter,
        "cadvisor": monitoring.cadvisor,
        "alertmanager": monitoring.alertmanager,
        "jaeger": monitoring.jaeger,
        "dask-scheduler": _cluster,
        "reconciler": reconciler.look,
        "s3": _bucket,
    }
    looks |= closer or {}
    seen: list[Seen] = []
    for service, look in looks.items():
        if service not in services:
            continue
        try:
            seen += look(settings)
        except FAILURES as error:
            place = _place(settings, service)
            raise StackError(
                f"{place} does not answer as it should ({error}): see the log of"
                f" {service}."
            ) from error
    return seen


def await_refusal(settings: Settings) -> None:
    """Wait until the API answers that it has no model."""
    address = settings.url("mlops-api", "/health/ready")
    deadline = time.monotonic() + REFUSE_SECONDS
    while not refuses(address):
        if time.monotonic() > deadline:
            raise StackError("the API does not answer: see `--logs mlops-api`.")
        time.sleep(0.5)


def _place(settings: Settings, service: str) -> str:
    """Return the name of a service, with its address if it has one here."""
    if service in PORTS:
        return f"{service} at {settings.url(service)}"
    return service


def predictions(settings: Settings) -> Iterator[tuple[Json, Json]]:
    """Ask for a prediction of each task; yield the task's manifest and the answer."""
    for name, manifest in _manifests().items():
        address = settings.url("mlops-api", f"/predict/{name}")
        record = manifest["golden"]["request"]
        yield manifest, ask(address, record, headers=admin_key.headers(settings))


def api(settings: Settings) -> list[Seen]:
    """Check that the API answers for every model in the files."""
    answers = []
    for manifest, answer in predictions(settings):
        task = manifest["task"]
        version = answer["model_version"]
        prediction = _short(answer["prediction"])
        answers.append(f"{task} v{version}: {prediction}")
    status = "not ready"
    if answers:
        health = ask(settings.url("mlops-api", "/health"))
        status = health["status"]

    def seen(name: str, path: str, text: str) -> Seen:
        return Seen(name, settings.url("mlops-api", path), text)

    return [
        seen("API", "/docs", ", ".join(answers) or NO_MODEL),
        seen("Health", "/health", status),
        seen("Dashboard", "/dashboard", _traffic(settings)),
        seen("Models", "/models", f"{len(answers)} in service"),
    ]


def _traffic(settings: Settings) -> str:
    figures = ask(settings.url("mlops-api", "/dashboard/figures"))
    count = 0
    for series, minutes in figures["hour"].items():
        if series.startswith("predictions_total"):
            count += sum(minutes)
    return f"{counted(round(count), 'prediction')} in the last hour"


def _worker(settings: Settings) -> list[Seen]:
    """Ask the worker, by way of the API, to explain a prediction."""
    manifests = _manifests().values()
    if not manifests:
        return []
    smallest = min(manifests, key=lambda manifest: len(manifest["features"]))
    address = settings.url("mlops-api", f"/explain/{smallest['task']}")
    record = smallest["golden"]["request"]
    answer = ask(address, record, EXPLAIN_SECONDS, admin_key.headers(settings))
    values = answer["values"]
    most = max(values, key=lambda feature: abs(values[feature]))
    return [Seen("Explain", address, f"POST a record; here {most} mattered most")]


def _cluster(settings: Settings) -> list[Seen]:
    """Check that the scheduler of the cluster has a worker."""
    counts = ask(settings.url("dask-scheduler", "/json/counts.json"))
    count = counts["workers"]
    if not count:
        raise StackError("the cluster has no worker: see the log of dask-worker.")
    page = settings.url("dask-scheduler", "/status")
    return [Seen("Cluster", page, counted(count, "worker"))]


def _bucket(settings: Settings) -> list[Seen]:
    """Check that MLflow has the files of a run, where one has some."""
    folders = sorted(ROOT.glob("mlruns/*/*/*/artifacts"))
    if not folders:
        return []
    run_id = folders[-1].parent.name
    server = settings.url("mlflow-server", "/api/2.0/mlflow")
    answer = ask(f"{server}/artifacts/list?run_id={run_id}")
    if not answer.get("files"):
        raise StackError(
            f"the bucket has no file of the run {run_id}: see the logs of mlflow-server"
            " and s3."
        )
    address = answer["root_uri"]
    return [Seen("Artifacts", address, "in the bucket, through MLflow's server")]


def mlflow(settings: Settings) -> list[Seen]:
    """Check that MLflow shows every run in the files."""
    files = set()
    for path in ROOT.glob("mlruns/*/*/*/run.json"):
        files.add(path.parent.name)
    server = settings.url("mlflow-server", "/api/2.0/mlflow")
    missing = files - _served_runs(server)
    count = len(files)
    if missing:
        shown = count - len(missing)
        raise StackError(
            f"MLflow shows {shown} of the {counted(count, 'run')} in"
            " mlruns/: check them with `python scripts/verify_mlflow_data.py`."
        )
    champions = ", ".join(_champions(server)) or "none yet"
    experiments_page = settings.url("mlflow-server", f"/#/experiments{QUERY}")
    models_page = settings.url("mlflow-server", f"/#/models{QUERY}")
    return [
        Seen("MLflow", experiments_page, f"{count:,} of {counted(count, 'run')}"),
        Seen("MLflow", models_page, champions),
    ]


def _champions(server: str) -> list[str]:
    answer = ask(f"{server}/registered-models/search?max_results=100")
    champions = []
    for model in answer.get("registered_models", []):
        name = model["name"]
        for alias in model.get("aliases", []):
            if alias["alias"] == "champion":
                version = alias["version"]
                champions.append(f"{name} v{version}")
    return champions


def _served_runs(server: str) -> set[str]:
    answer = ask(f"{server}/experiments/search", {"max_results": MOST_RESULTS})
    ids = []
    for experiment in answer.get("experiments", []):
        ids.append(experiment["experiment_id"])
    runs: set[str] = set()
    question: Json = {"experiment_ids": ids, "max_results": MOST_RESULTS}
    while ids:
        page = ask(f"{server}/runs/search", question)
        for run in page.get("runs", []):
            runs.add(run["info"]["run_id"])
        if not page.get("next_page_token"):
            break
        question["page_token"] = page["next_page_token"]
    return runs


def _manifests() -> dict[str, Json]:
    """Return the manifests of the models in service, by task."""
    manifests = {}
    for file in sorted(ROOT.glob("deployment/models/*/manifest.json")):
        text = file.read_text("utf-8")
        manifests[file.parent.name] = json.loads(text)
    return manifests


def _short(prediction: Any) -> str:
    if isinstance(prediction, float):
        return f"{prediction:.4g}"
    return str(prediction)
