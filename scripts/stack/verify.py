"""Is what runs what the files say: predictions, runs, targets; and where to look at it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from scripts.loopback import open_url
from scripts.stack.settings import ENDPOINT, JAEGER, ROOT, Settings, StackError

NO_MODEL = "no model yet: push, or train and publish"
SCRAPE_SECONDS = 60
SPANS_SECONDS = 30
# Without the question MLflow opens on its pages for language models.
QUESTION = "?workflowType=machine_learning"
FAILED = (urllib.error.URLError, OSError, ValueError)


class Seen(NamedTuple):
    """An address with what was seen there."""

    name: str
    address: str
    what: str


Look = Callable[[Settings], list[Seen]]
Health = dict[str, list[str]]  # of Prometheus' targets, by job


def ask(address: str, content: Any = None, seconds: float = 30) -> Any:
    """Return the JSON at an address; with content, the answer to a POST of it."""
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(
        address, body, {"Content-Type": "application/json"}
    )
    with open_url(request, seconds) as answer:
        return json.load(answer)


def answers(address: str) -> bool:
    """Tell whether an address answers with success."""
    try:
        with open_url(address, 5):
            return True
    except FAILED:
        return False


def refuses(address: str) -> bool:
    """Tell whether an address answers that it is not ready."""
    try:
        open_url(address, 5).close()
    except urllib.error.HTTPError as error:
        return error.code == 503
    except FAILED:
        return False
    return False


def everything(
    settings: Settings, services: list[str], closer: dict[str, Look] | None = None
) -> list[Seen]:
    """Look at every service, at some of them closer than usual.

    Raises:
        StackError: one does not answer, or what it shows is not what the files hold.
    """
    looks: dict[str, Look] = {
        "mlops-api": api,
        "trainer": _trainer,
        "mlflow-server": mlflow,
        "prometheus": _prometheus,
        "grafana": _grafana,
        "node-exporter": _node_exporter,
        "cadvisor": _cadvisor,
        "alertmanager": _alertmanager,
        "jaeger": _jaeger,
    }
    seen: list[Seen] = []
    for service in (name for name in looks if name in services):
        try:
            seen += ((closer or {}).get(service) or looks[service])(settings)
        except FAILED as error:
            raise StackError(
                f"{service} at {settings.url(service)} does not answer as it should"
                f" ({error}): see the log of {service}."
            ) from error
    return seen


def show(seen: list[Seen]) -> None:
    """Print the table of addresses."""
    names, addresses = (max(len(row[column]) for row in seen) for column in (0, 1))
    for name, address, what in seen:
        print(f"  {name:<{names}}  {address:<{addresses}}  {what}")


def predictions(settings: Settings) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Ask for a prediction of each task; yield the task's manifest and the answer."""
    for name, manifest in _manifests().items():
        address = settings.url("mlops-api", f"/predict/{name}")
        yield manifest, ask(address, manifest["golden"]["request"])


def api(settings: Settings) -> list[Seen]:
    """Look at the API: does it answer for every model in the files?"""
    said = [
        f"{manifest['task']} v{answer['model_version']}: {_short(answer['prediction'])}"
        for manifest, answer in predictions(settings)
    ]
    what = ", ".join(said) or NO_MODEL
    health = (
        ask(settings.url("mlops-api", "/health"))["status"] if said else "not ready"
    )
    return [
        Seen("API", settings.url("mlops-api", "/docs"), what),
        Seen("Health", settings.url("mlops-api", "/health"), health),
        Seen("Dashboard", settings.url("mlops-api", "/dashboard"), _traffic(settings)),
        Seen("Models", settings.url("mlops-api", "/models"), f"{len(said)} in service"),
    ]


def _traffic(settings: Settings) -> str:
    hour = ask(settings.url("mlops-api", "/dashboard/figures"))["hour"]
    made = sum(
        sum(minutes)
        for key, minutes in hour.items()
        if key.startswith("predictions_total")
    )
    return f"{made:,.0f} predictions in the last hour"


def _trainer(settings: Settings) -> list[Seen]:
    manifests = _manifests()
    name = min(
        manifests, key=lambda task: len(manifests[task]["features"]), default=None
    )
    if name is None:
        return []
    address = settings.url("mlops-api", f"/explain/{name}")
    values = ask(address, manifests[name]["golden"]["request"], 120)["values"]
    most = max(values, key=lambda feature: abs(values[feature]))
    return [Seen("Explain", address, f"POST a record; here {most} mattered most")]


def mlflow(settings: Settings) -> list[Seen]:
    """Look at MLflow: does it show every run in the files?"""
    files = {path.parent.name for path in ROOT.glob("mlruns/*/*/*/run.json")}
    server = settings.url("mlflow-server", "/api/2.0/mlflow")
    missing = files - _served_runs(server)
    if missing:
        raise StackError(
            f"MLflow shows {len(files) - len(missing)} of the {len(files)} runs in"
            " mlruns/: check them with `python scripts/verify_mlflow_data.py`."
        )
    models = ask(f"{server}/registered-models/search?max_results=100").get(
        "registered_models", []
    )
    champions = [
        f"{model['name']} v{alias['version']}"
        for model in models
        for alias in model.get("aliases", [])
        if alias["alias"] == "champion"
    ]
    pages = {
        "experiments": f"{len(files)} of {len(files)} runs",
        "models": ", ".join(champions),
    }
    return [
        Seen(
            "MLflow",
            settings.url("mlflow-server", f"/#/{page}{QUESTION}"),
            what or "none yet",
        )
        for page, what in pages.items()
    ]


def _served_runs(api: str) -> set[str]:
    found = ask(f"{api}/experiments/search", {"max_results": 1000}).get(
        "experiments", []
    )
    question: dict[str, Any] = {
        "experiment_ids": [experiment["experiment_id"] for experiment in found],
        "max_results": 1000,
    }
    runs: set[str] = set()
    while found:
        page = ask(f"{api}/runs/search", question)
        runs |= {run["info"]["run_id"] for run in page.get("runs", [])}
        if not page.get("next_page_token"):
            break
        question["page_token"] = page["next_page_token"]
    return runs


def _prometheus(settings: Settings) -> list[Seen]:
    """Wait until all has been scraped, the API well: that takes an interval of scrapes."""

    def scraped(health: Health) -> bool:
        known = all("unknown" not in states for states in health.values())
        return known and "up" in health.get("mlops-api", [])

    return targets(settings, scraped, "Prometheus does not reach the API")


def targets(
    settings: Settings, enough: Callable[[Health], bool], otherwise: str
) -> list[Seen]:
    """Wait until Prometheus' targets are well enough.

    Raises:
        StackError: they do not become so; the text begins with `otherwise`.
    """
    address = settings.url("prometheus", "/api/v1/targets?state=active")
    deadline = time.monotonic() + SCRAPE_SECONDS
    while True:
        health: Health = {}
        for target in ask(address)["data"]["activeTargets"]:
            health.setdefault(target["labels"]["job"], []).append(target["health"])
        if enough(health):
            break
        if time.monotonic() > deadline:
            told = ", ".join(
                f"{job} {'/'.join(states)}" for job, states in health.items()
            )
            raise StackError(f"{otherwise} ({told}): see the log of prometheus.")
        time.sleep(1)
    found = [state for states in health.values() for state in states]
    what = f"{found.count('up')} of {len(found)} targets up"
    return [Seen("Prometheus", settings.url("prometheus", "/targets"), what)]


def _grafana(settings: Settings) -> list[Seen]:
    state = ask(settings.url("grafana", "/api/health"))
    user = settings.variables.get("GF_SECURITY_ADMIN_USER") or "admin"
    return [
        Seen(
            "Grafana",
            settings.url("grafana"),
            f"version {state['version']}; user {user}",
        )
    ]


def _alertmanager(settings: Settings) -> list[Seen]:
    state = ask(settings.url("alertmanager", "/api/v2/status"))
    receivers = [
        found["name"]
        for found in ask(settings.url("alertmanager", "/api/v2/receivers"))
    ]
    what = f"version {state['versionInfo']['version']}; tells {', '.join(receivers)}"
    return [Seen("Alertmanager", settings.url("alertmanager"), what)]


def _jaeger(settings: Settings) -> list[Seen]:
    """Wait until the requests that were just made are seen: spans are sent every five
    seconds.
    """
    address, deadline = (
        settings.url("jaeger", "/api/v3/services"),
        time.monotonic() + SPANS_SECONDS,
    )
    wanted = (
        settings.environment().get(ENDPOINT) == JAEGER
        and "mlops-api" not in settings.without
    )
    while "mlops-api" not in (found := ask(address).get("services") or []) and wanted:
        if time.monotonic() > deadline:
            raise StackError(
                f"Jaeger has no trace of the API after {SPANS_SECONDS} s: see its log."
            )
        time.sleep(1)
    what = f"traces of {', '.join(sorted(found)) or 'nothing yet'}"
    return [Seen("Jaeger", settings.url("jaeger", "/search"), what)]


def _node_exporter(settings: Settings) -> list[Seen]:
    return [_metrics(settings, "node-exporter", "Machine")]


def _cadvisor(settings: Settings) -> list[Seen]:
    return [_metrics(settings, "cadvisor", "Containers")]


def _metrics(settings: Settings, service: str, name: str) -> Seen:
    address = settings.url(service, "/metrics")
    with open_url(address, 30) as answer:
        lines = [
            line for line in answer.read().splitlines() if not line.startswith(b"#")
        ]
    return Seen(name, address, f"{len(lines):,} series")


def _manifests() -> dict[str, Any]:
    return {
        path.parent.name: json.loads(path.read_text("utf-8"))
        for path in sorted(ROOT.glob("deployment/models/*/manifest.json"))
    }


def _short(prediction: Any) -> str:
    return f"{prediction:.4g}" if isinstance(prediction, float) else str(prediction)
