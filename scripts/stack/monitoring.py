"""Looks at the services that watch the others: Prometheus, Grafana and their like."""

import time
from collections.abc import Callable

from scripts.loopback import ask, open_url
from scripts.stack.seen import Seen
from scripts.stack.settings import ENDPOINT, JAEGER, Settings, StackError

SCRAPE_SECONDS = 60
SPANS_SECONDS = 30

Health = dict[str, list[str]]  # of Prometheus' targets, by job


def prometheus(settings: Settings) -> list[Seen]:
    """Wait for a scrape of every target, and a successful one of the API."""

    def scraped(health: Health) -> bool:
        known = all("unknown" not in states for states in health.values())
        return known and "up" in health.get("mlops-api", [])

    return targets(settings, scraped, "Prometheus does not reach the API")


def targets(
    settings: Settings, enough: Callable[[Health], bool], problem: str
) -> list[Seen]:
    """Wait until Prometheus' targets are well enough.

    Raises:
        StackError: they do not become so; the text begins with `problem`.
    """
    deadline = time.monotonic() + SCRAPE_SECONDS
    health = _health(settings)
    while not enough(health):
        if time.monotonic() > deadline:
            jobs = [f"{job} {'/'.join(states)}" for job, states in health.items()]
            reason = f"{problem} ({', '.join(jobs)})"
            raise StackError(f"{reason}: see the log of prometheus.")
        time.sleep(1)
        health = _health(settings)
    states = [state for of_job in health.values() for state in of_job]
    what = f"{states.count('up')} of {len(states)} targets up"
    return [Seen("Prometheus", settings.url("prometheus", "/targets"), what)]


def _health(settings: Settings) -> Health:
    address = settings.url("prometheus", "/api/v1/targets?state=active")
    health: Health = {}
    for target in ask(address)["data"]["activeTargets"]:
        health.setdefault(target["labels"]["job"], []).append(target["health"])
    return health


def grafana(settings: Settings) -> list[Seen]:
    """Look at Grafana's health."""
    state = ask(settings.url("grafana", "/api/health"))
    user = settings.variables.get("GF_SECURITY_ADMIN_USER") or "admin"
    what = f"version {state['version']}; user {user}"
    return [Seen("Grafana", settings.url("grafana"), what)]


def alertmanager(settings: Settings) -> list[Seen]:
    """Look at Alertmanager's version and receivers."""
    state = ask(settings.url("alertmanager", "/api/v2/status"))
    receivers = ask(settings.url("alertmanager", "/api/v2/receivers"))
    names = ", ".join(receiver["name"] for receiver in receivers)
    what = f"version {state['versionInfo']['version']}; notifies {names}"
    return [Seen("Alertmanager", settings.url("alertmanager"), what)]


def jaeger(settings: Settings) -> list[Seen]:
    """Wait for the traces of the requests before: spans are sent every five seconds."""
    address = settings.url("jaeger", "/api/v3/services")
    deadline = time.monotonic() + SPANS_SECONDS
    sends = settings.environment().get(ENDPOINT) == JAEGER
    expected = sends and "mlops-api" not in settings.without
    services = ask(address).get("services") or []
    while expected and "mlops-api" not in services:
        if time.monotonic() > deadline:
            raise StackError(
                f"Jaeger has no trace of the API after {SPANS_SECONDS} s: see its log."
            )
        time.sleep(1)
        services = ask(address).get("services") or []
    what = f"traces of {', '.join(sorted(services)) or 'nothing yet'}"
    return [Seen("Jaeger", settings.url("jaeger", "/search"), what)]


def node_exporter(settings: Settings) -> list[Seen]:
    """Count the series about this machine."""
    return [_metrics(settings, "node-exporter", "Machine")]


def cadvisor(settings: Settings) -> list[Seen]:
    """Count the series about the containers."""
    return [_metrics(settings, "cadvisor", "Containers")]


def _metrics(settings: Settings, service: str, name: str) -> Seen:
    address = settings.url(service, "/metrics")
    with open_url(address, 30) as answer:
        lines = answer.read().splitlines()
    series = sum(not line.startswith(b"#") for line in lines)
    return Seen(name, address, f"{series:,} series")
