"""The services that the start command starts, and Prometheus' local configuration."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stack import (
    compose,
    local_prometheus,
    optional_programs,
    programs,
    verify,
)
from scripts.stack.settings import ROOT, Settings, StackError

# Below 32768, where Linux begins to give ports to outgoing connections.
OFFSET = 13_000

Configuration = dict[str, Any]


def test_a_profile_adds_its_services_and_nothing_else_does() -> None:
    usual = compose.services(Settings.read())
    assert "alertmanager" not in usual
    with_alerts = Settings.read(profiles=("alerts",))
    assert compose.services(with_alerts) == [*usual, "alertmanager"]


def test_services_can_be_left_out() -> None:
    expected = compose.services(Settings.read())
    expected.remove("grafana")
    without = Settings.read(without=("alertmanager", "grafana"), profiles=("alerts",))
    assert compose.services(without) == expected


def test_an_unknown_service_cannot_be_left_out() -> None:
    settings = Settings.read(without=("alertmanager",))
    sentence = "--without alertmanager: there is no such service"
    with pytest.raises(StackError, match=sentence):
        compose.services(settings)


@pytest.mark.parametrize("build", [True, False])
def test_images_are_built_only_where_they_may_be(
    monkeypatch: pytest.MonkeyPatch, build: bool
) -> None:
    calls: list[tuple[str, ...]] = []
    api = {"build": {}, "image": "api"}
    described = {"services": {"mlflow-server": {"image": "mlflow"}, "mlops-api": api}}

    def run(
        settings: Settings, *arguments: str, quiet: bool = False
    ) -> subprocess.CompletedProcess[str]:
        calls.append(arguments)
        output = json.dumps(described) if quiet else ""
        return subprocess.CompletedProcess(arguments, 0, stdout=output)

    monkeypatch.setattr(compose, "run", run)
    monkeypatch.setattr(verify, "await_refusal", lambda settings: None)
    # Without a model, the API is started after everything else.
    compose._up(Settings.read(), ["mlflow-server"], ["mlops-api"], build)
    built = [arguments for arguments in calls if arguments[0] == "build"]
    assert built == ([("build", "mlops-api")] if build else [])
    (prepared,) = [arguments for arguments in calls if arguments[0] == "run"]
    assert compose.PREPARE in prepared
    started = [arguments for arguments in calls if arguments[0] == "up"]
    assert ["--no-build" in arguments for arguments in started] == [True, True]


def test_a_local_service_that_is_asked_for_needs_its_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = Path(sys.executable)
    monkeypatch.setenv("PATH", str(python.parent))
    monkeypatch.setitem(optional_programs.PROGRAMS, "grafana", ("absent", "missing"))
    monkeypatch.setitem(optional_programs.PROGRAMS, "prometheus", (python.name,))
    programs.require(["mlops-api", "prometheus"])
    sentence = "grafana cannot run here: install the program absent, or use Docker"
    with pytest.raises(StackError, match=sentence):
        programs.require(["mlops-api", "grafana"])
    with pytest.raises(StackError, match="jaeger runs in containers only"):
        programs.require(["jaeger"])


def local_prometheus_of(
    monkeypatch: pytest.MonkeyPatch, *without: str
) -> tuple[Configuration, dict[str, str]]:
    """Return the configuration of the local Prometheus, and its flags."""
    python = Path(sys.executable)
    monkeypatch.setitem(optional_programs.PROGRAMS, "prometheus", (python.name,))
    monkeypatch.setenv("PATH", str(python.parent))
    settings = Settings.read(OFFSET, without)
    program = programs.find("prometheus", settings, str(python))
    _, *arguments = program.commands["prometheus"]
    flags = dict(argument.split("=", 1) for argument in arguments)
    file = Path(flags["--config.file"])
    try:
        configuration: Configuration = json.loads(file.read_text("utf-8"))
    finally:
        file.unlink()
    return configuration, flags


def test_the_local_prometheus_has_the_same_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configuration, flags = local_prometheus_of(monkeypatch)
    (pattern,) = configuration["rule_files"]
    rules = ROOT / "monitoring" / "prometheus" / "rules"
    assert Path(pattern).parent == rules
    matches = rules.glob(Path(pattern).name)
    assert set(matches) == set(rules.glob("*.*"))
    assert "--storage.tsdb.retention.time" in flags
    assert "--storage.tsdb.retention.size" in flags


def test_the_local_prometheus_reads_the_file_of_the_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configuration, _ = local_prometheus_of(monkeypatch, "node-exporter")
    # Services that do not run here, or were left out, must not be targets that are
    # down.
    assert configuration["alerting"]["alertmanagers"] == []
    jobs = by_name(configuration)
    targets = {}
    for name, job in jobs.items():
        (static_config,) = job.pop("static_configs")
        targets[name] = static_config["targets"]
    assert targets == {
        "mlops-api": [f"127.0.0.1:{8000 + OFFSET}"],
        "mlflow-server": [f"127.0.0.1:{5001 + OFFSET}"],
        "prometheus": [f"127.0.0.1:{9090 + OFFSET}"],
    }
    file = ROOT / "monitoring" / "prometheus.yml"
    source = yaml.safe_load(file.read_text("utf-8"))
    assert configuration["global"] == source["global"]
    api = by_name(source)["mlops-api"]
    assert jobs["mlops-api"] == {
        "job_name": "mlops-api",
        "scrape_interval": api["scrape_interval"],
    }


def by_name(configuration: Configuration) -> dict[str, Any]:
    """Return the scrape jobs of a configuration."""
    jobs = {}
    for job in configuration["scrape_configs"]:
        name = job["job_name"]
        jobs[name] = job
    return jobs


def test_a_job_that_a_user_adds_stays_unchanged(tmp_path: Path) -> None:
    own = {"job_name": "own", "static_configs": [{"targets": ["10.0.0.7:9100"]}]}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": [own]}), "utf-8")
    configuration = local_prometheus.configuration(file, {})
    assert configuration["scrape_configs"] == [own]


@pytest.mark.parametrize(
    "text", ["scrape_configs: [", "- a list", "scrape_configs: [7]"]
)
def test_a_prometheus_configuration_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    source = tmp_path / "prometheus.yml"
    source.write_text(text, "utf-8")
    target = tmp_path / "out.yml"
    status = local_prometheus.main(str(source), str(target), "{}")
    assert status == 1
    assert capsys.readouterr().err.startswith(f"{source} cannot be used: ")
    assert not target.exists()
