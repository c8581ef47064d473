"""The configuration of Prometheus and Alertmanager, checked by their own tools."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.stack.engine import docker

MONITORING = ROOT / "monitoring"
RULES = MONITORING / "prometheus" / "rules"
TESTS = sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
CONFIGURATIONS = sorted((MONITORING / "alertmanager").glob("*.yml"))
Tool = Callable[..., str]


def image(variable: str) -> str:
    """Return the default image of a variable."""
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines():
        name, _, value = line.partition("=")
        if name == variable:
            return value
    raise AssertionError(f"{variable} is not in .env.example")


def start(service: str) -> str:
    """Start a container in which tools run over `monitoring/`, and return its id."""
    mount = f"{MONITORING}:/monitoring:ro"
    options = ("--detach", "--rm", "--volume", mount, "--entrypoint", "sleep")
    return docker("run", *options, image(f"{service.upper()}_IMAGE"), "600").strip()


@pytest.fixture(scope="module")
def promtool() -> Iterator[Tool]:
    """Return a function that runs Prometheus' tool."""
    container = start("prometheus")
    command = ("exec", "--workdir", "/monitoring/prometheus", container, "promtool")
    yield lambda *arguments: docker(*command, *arguments)
    docker("rm", "--force", container)


@pytest.fixture(scope="module")
def amtool() -> Iterator[Tool]:
    """Return a function that runs Alertmanager's tool."""
    container = start("alertmanager")
    command = ("exec", "--workdir", "/monitoring/alertmanager", container, "amtool")
    yield lambda *arguments: docker(*command, *arguments)
    docker("rm", "--force", container)


def test_the_configuration_and_its_rules_are_valid(promtool: Tool) -> None:
    output = promtool("check", "config", "--lint=all", "../prometheus.yml")
    files = len(list(RULES.glob("*.yml")))
    assert f"SUCCESS: {files} rule files found" in output


def test_the_rules_that_are_off_are_valid(promtool: Tool) -> None:
    for file in (RULES / "optional").glob("*.yml"):
        output = promtool(
            "check",
            "rules",
            "--lint=all",
            f"rules/optional/{file.name}",
        )
        assert "SUCCESS" in output


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_fire_and_do_not_fire_as_their_cases_say(
    promtool: Tool, path: Path
) -> None:
    output = promtool("test", "rules", f"tests/{path.name}")
    assert "SUCCESS" in output


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_configuration_of_alertmanager_is_valid(amtool: Tool, path: Path) -> None:
    output = amtool("check-config", path.name)
    assert "SUCCESS" in output


@pytest.mark.parametrize(
    ("file", "alert", "receiver"),
    [
        ("silent", "ApiDown", "nobody"),
        ("webhook", "ApiDown", "program"),
        ("webhook", "Watchdog", "nobody"),
        ("mail", "DriftDetected", "team"),
        ("mail", "Watchdog", "nobody"),
        ("drift", "DriftDetected", "retrain"),
        ("drift", "ApiDown", "nobody"),
    ],
)
def test_alerts_are_routed_to_their_receivers(
    amtool: Tool, file: str, alert: str, receiver: str
) -> None:
    output = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={file}.yml",
        f"alertname={alert}",
        "severity=warning",
    )
    assert output == f"{receiver}\n"
