"""Checks that what runs is what the files hold: predictions, runs and targets."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.loopback import FAILURES, ask
from scripts.stack import monitoring
from scripts.stack.seen import Look, Seen
from scripts.stack.settings import ROOT, Settings, StackError

NO_MODEL = "no model yet: push, or train and publish"
EXPLAIN_SECONDS = 120
MOST_RESULTS = 1000
# Without this query MLflow opens on its pages for language models.
QUERY = "?workflowType=machine_learning"


def everything(
    settings: Settings, services: list[str], closer: dict[str, Look] | None = None
) -> list[Seen]:
    """Look at every service, at some of them closer than usual.

    Raises:
        StackError: one does not answer, or what it shows is not what the files hold.
    """
    looks: dict[str, Look] = {
        "mlops-api": api,
        "trainer": _worker,
        "mlflow-server": mlflow,
        "prometheus": monitoring.prometheus,
        "grafana": monitoring.grafana,
        "node-exporter": monitoring.node_exporter,
        "cadvisor": monitoring.cadvisor,
        "alertmanager": monitoring.alertmanager,
        "jaeger": monitoring.jaeger,
    }
    seen: list[Seen] = []
    for service, usual in looks.items():
        if service not in services:
            continue
        look = (closer or {}).get(service, usual)
        try:
            seen += look(settings)
        except FAILURES as error:
            raise StackError(
                f"{service} at {settings.url(service)} does not answer as it should"
                f" ({error}): see the log of {service}."
            ) from error
    return seen


def predictions(settings: Settings) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Ask for a prediction of each task; yield the task's manifest and the answer."""
    for name, manifest in _manifests().items():
        address = settings.url("mlops-api", f"/predict/{name}")
        yield manifest, ask(address, manifest["golden"]["request"])


def api(settings: Settings) -> list[Seen]:
    """Check that the API answers for every model in the files."""
    answers = []
    for manifest, answer in predictions(settings):
        version = f"{manifest['task']} v{answer['model_version']}"
        answers.append(f"{version}: {_short(answer['prediction'])}")
    health = "not ready"
    if answers:
        health = ask(settings.url("mlops-api", "/health"))["status"]
    what = {
        ("API", "/docs"): ", ".join(answers) or NO_MODEL,
        ("Health", "/health"): health,
        ("Dashboard", "/dashboard"): _traffic(settings),
        ("Models", "/models"): f"{len(answers)} in service",
    }
    return [
        Seen(name, settings.url("mlops-api", path), text)
        for (name, path), text in what.items()
    ]


def _traffic(settings: Settings) -> str:
    hour = ask(settings.url("mlops-api", "/dashboard/figures"))["hour"]
    count = 0
    for series, minutes in hour.items():
        if series.startswith("predictions_total"):
            count += sum(minutes)
    return f"{count:,.0f} predictions in the last hour"


def _worker(settings: Settings) -> list[Seen]:
    """Ask the worker, by way of the API, to explain a prediction."""
    manifests = list(_manifests().values())
    if not manifests:
        return []
    smallest = min(manifests, key=lambda manifest: len(manifest["features"]))
    address = settings.url("mlops-api", f"/explain/{smallest['task']}")
    answer = ask(address, smallest["golden"]["request"], EXPLAIN_SECONDS)
    values = answer["values"]
    most = max(values, key=lambda feature: abs(values[feature]))
    return [Seen("Explain", address, f"POST a record; here {most} mattered most")]


def mlflow(settings: Settings) -> list[Seen]:
    """Check that MLflow shows every run in the files."""
    files = {path.parent.name for path in ROOT.glob("mlruns/*/*/*/run.json")}
    server = settings.url("mlflow-server", "/api/2.0/mlflow")
    missing = files - _served_runs(server)
    if missing:
        raise StackError(
            f"MLflow shows {len(files) - len(missing)} of the {len(files)} runs in"
            " mlruns/: check them with `python scripts/verify_mlflow_data.py`."
        )
    pages = {
        "experiments": f"{len(files)} of {len(files)} runs",
        "models": ", ".join(_champions(server)) or "none yet",
    }
    return [
        Seen("MLflow", settings.url("mlflow-server", f"/#/{page}{QUERY}"), what)
        for page, what in pages.items()
    ]


def _champions(server: str) -> list[str]:
    answer = ask(f"{server}/registered-models/search?max_results=100")
    champions = []
    for model in answer.get("registered_models", []):
        for alias in model.get("aliases", []):
            if alias["alias"] == "champion":
                champions.append(f"{model['name']} v{alias['version']}")
    return champions


def _served_runs(server: str) -> set[str]:
    limit = {"max_results": MOST_RESULTS}
    answer = ask(f"{server}/experiments/search", limit)
    experiments = answer.get("experiments", [])
    if not experiments:
        return set()
    ids = [experiment["experiment_id"] for experiment in experiments]
    question: dict[str, Any] = {"experiment_ids": ids, **limit}
    runs: set[str] = set()
    while True:
        page = ask(f"{server}/runs/search", question)
        runs |= {run["info"]["run_id"] for run in page.get("runs", [])}
        if not page.get("next_page_token"):
            return runs
        question["page_token"] = page["next_page_token"]


def _manifests() -> dict[str, Any]:
    """Return the manifests of the models in service, by task."""
    files = sorted(ROOT.glob("deployment/models/*/manifest.json"))
    return {file.parent.name: json.loads(file.read_text("utf-8")) for file in files}


def _short(prediction: Any) -> str:
    return f"{prediction:.4g}" if isinstance(prediction, float) else str(prediction)
