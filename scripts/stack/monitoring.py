"""Checks of the monitoring services: Prometheus, Grafana and the others."""

import time
from collections.abc import Callable

from core.counts import counted
from scripts.loopback import ask, open_url
from scripts.stack.seen import Seen
from scripts.stack.settings import ENDPOINT, JAEGER, Settings, StackError

SCRAPE_SECONDS = 60
SPANS_SECONDS = 30

Health = dict[str, list[str]]
"""The states of Prometheus' targets, by job."""


def prometheus(settings: Settings) -> list[Seen]:
    """Wait for a scrape of every target, and a successful one of the API."""

    def scraped(health: Health) -> bool:
        for states in health.values():
            if "unknown" in states:
                return False
        return "up" in health.get("mlops-api", [])

    return targets(settings, scraped, "Prometheus does not reach the API")


def targets(
    settings: Settings, enough: Callable[[Health], bool], problem: str
) -> list[Seen]:
    """Wait until enough of Prometheus' targets are healthy.

    Raises:
        StackError: they do not become healthy; the text begins with `problem`.
    """
    deadline = time.monotonic() + SCRAPE_SECONDS
    health = _health(settings)
    while not enough(health):
        if time.monotonic() > deadline:
            raise StackError(
                f"{problem} ({_described(health)}): see the log of prometheus."
            )
        time.sleep(1)
        health = _health(settings)
    up = 0
    count = 0
    for states in health.values():
        up += states.count("up")
        count += len(states)
    address = settings.url("prometheus", "/targets")
    return [Seen("Prometheus", address, f"{up} of {counted(count, 'target')} up")]


def _health(settings: Settings) -> Health:
    address = settings.url("prometheus", "/api/v1/targets?state=active")
    answer = ask(address)
    health: Health = {}
    for target in answer["data"]["activeTargets"]:
        job = target["labels"]["job"]
        states = health.setdefault(job, [])
        states.append(target["health"])
    return health


def _described(health: Health) -> str:
    jobs = []
    for job, states in health.items():
        listed = "/".join(states)
        jobs.append(f"{job} {listed}")
    return ", ".join(jobs)


def grafana(settings: Settings) -> list[Seen]:
    """Ask Grafana for its health."""
    health_address = settings.url("grafana", "/api/health")
    state = ask(health_address)
    version = state["version"]
    user = settings.variables.get("GF_SECURITY_ADMIN_USER") or "admin"
    address = settings.url("grafana")
    return [Seen("Grafana", address, f"version {version}; user {user}")]


def alertmanager(settings: Settings) -> list[Seen]:
    """Ask Alertmanager for its version and its receivers."""
    status_address = settings.url("alertmanager", "/api/v2/status")
    state = ask(status_address)
    version = state["versionInfo"]["version"]
    receivers_address = settings.url("alertmanager", "/api/v2/receivers")
    receivers = ask(receivers_address)
    names = ", ".join(receiver["name"] for receiver in receivers)
    address = settings.url("alertmanager")
    return [Seen("Alertmanager", address, f"version {version}; notifies {names}")]


def jaeger(settings: Settings) -> list[Seen]:
    """Wait for the traces of earlier requests: spans are sent every five seconds."""
    deadline = time.monotonic() + SPANS_SECONDS
    services = _traced_services(settings)
    while _expects_traces(settings) and "mlops-api" not in services:
        if time.monotonic() > deadline:
            raise StackError(
                f"Jaeger has no trace of the API after {SPANS_SECONDS} s: see its log."
            )
        time.sleep(1)
        services = _traced_services(settings)
    names = ", ".join(services) or "nothing yet"
    address = settings.url("jaeger", "/search")
    return [Seen("Jaeger", address, f"traces of {names}")]


def _expects_traces(settings: Settings) -> bool:
    """Return whether the API runs and sends its traces to Jaeger."""
    if "mlops-api" in settings.without:
        return False
    environment = settings.environment()
    return environment.get(ENDPOINT) == JAEGER


def _traced_services(settings: Settings) -> list[str]:
    answer = ask(settings.url("jaeger", "/api/v3/services"))
    return sorted(answer.get("services") or [])


def node_exporter(settings: Settings) -> list[Seen]:
    """Count the series that describe this machine."""
    return [_metrics(settings, "node-exporter", "Machine")]


def cadvisor(settings: Settings) -> list[Seen]:
    """Count the series that describe the containers."""
    return [_metrics(settings, "cadvisor", "Containers")]


def _metrics(settings: Settings, service: str, name: str) -> Seen:
    address = settings.url(service, "/metrics")
    with open_url(address, 30) as answer:
        lines = answer.read().splitlines()
    series = 0
    for line in lines:
        if not line.startswith(b"#"):
            series += 1
    return Seen(name, address, f"{series:,} series")
