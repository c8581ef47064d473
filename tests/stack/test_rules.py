"""The configuration of Prometheus and Alertmanager, checked by their own tools."""

from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.stack.engine import docker, require_engine

MONITORING = ROOT / "monitoring"
TESTS = sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
CONFIGURATIONS = sorted((MONITORING / "alertmanager").glob("*.yml"))


@pytest.fixture(autouse=True, scope="module")
def engine() -> None:
    require_engine()


def image(variable: str) -> str:
    """Return the image that holds without a variable."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line.startswith(variable))[
        variable
    ]


def tool(program: str, folder: str, *arguments: str) -> str:
    """Run a tool of an image over a folder of `monitoring/`."""
    mounted = f"{MONITORING}:/monitoring:ro"
    entry = ("--rm", "--volume", mounted, "--workdir", f"/monitoring/{folder}")
    entry += ("--entrypoint", program)
    return docker("run", *entry, image(f"{folder.upper()}_IMAGE"), *arguments)


def test_the_configuration_and_its_rules_are_valid() -> None:
    output = tool(
        "promtool", "prometheus", "check", "config", "--lint=all", "../prometheus.yml"
    )
    rules = len(list((MONITORING / "prometheus" / "rules").glob("*.yml")))
    assert f"SUCCESS: {rules} rule files found" in output


def test_the_rules_that_are_off_are_valid() -> None:
    for file in (MONITORING / "prometheus" / "rules" / "optional").glob("*.yml"):
        output = tool(
            "promtool",
            "prometheus",
            "check",
            "rules",
            "--lint=all",
            f"rules/optional/{file.name}",
        )
        assert "SUCCESS" in output


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_fire_and_do_not_fire_as_their_cases_say(path: Path) -> None:
    assert "SUCCESS" in tool(
        "promtool", "prometheus", "test", "rules", f"tests/{path.name}"
    )


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_configuration_of_alertmanager_is_valid(path: Path) -> None:
    assert "SUCCESS" in tool("amtool", "alertmanager", "check-config", path.name)


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
def test_alerts_go_to_whom_they_are_for(file: str, alert: str, receiver: str) -> None:
    arguments = (
        "routes",
        "test",
        f"--config.file={file}.yml",
        f"alertname={alert}",
        "severity=warning",
    )
    assert tool("amtool", "alertmanager", "config", *arguments) == f"{receiver}\n"
