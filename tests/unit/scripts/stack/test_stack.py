"""What the start command starts, and with what."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stack import compose, local_prometheus, programs
from scripts.stack.settings import ROOT, Settings, StackError

OFFSET = 29_000


def test_a_profile_adds_its_services_and_nothing_else_does() -> None:
    usual = compose.services(Settings.read())
    assert "alertmanager" not in usual
    assert compose.services(Settings.read(profiles=("alerts",))) == [
        *usual,
        "alertmanager",
    ]
    without = Settings.read(without=("alertmanager", "grafana"), profiles=("alerts",))
    assert compose.services(without) == [name for name in usual if name != "grafana"]
    with pytest.raises(
        StackError, match="--without alertmanager: there is no such service"
    ):
        compose.services(Settings.read(without=("alertmanager",)))


def local_configuration(
    monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the local Prometheus would read, and the flags that it would get."""
    monkeypatch.setitem(programs.OPTIONAL, "prometheus", (Path(sys.executable).name,))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    settings = Settings.read(OFFSET, without)
    (command,) = programs.find("prometheus", settings, sys.executable).commands.values()
    flags = dict(flag.split("=", 1) for flag in command[1:])
    file = Path(flags["--config.file"])
    try:
        written: dict[str, Any] = json.loads(file.read_text("utf-8"))
    finally:
        file.unlink()
    return written, flags


def test_the_local_prometheus_has_the_same_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, flags = local_configuration(monkeypatch)
    (pattern,) = map(Path, written["rule_files"])
    rules = ROOT / "monitoring" / "prometheus" / "rules"
    assert pattern.parent == rules and set(rules.glob(pattern.name)) == set(
        rules.glob("*.*")
    )
    assert flags.keys() >= {
        f"--storage.tsdb.retention.{bound}" for bound in ("time", "size")
    }


def test_the_local_prometheus_reads_the_file_of_the_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, _ = local_configuration(monkeypatch, without=("node-exporter",))
    source = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text("utf-8"))
    jobs = {job["job_name"]: job for job in written["scrape_configs"]}
    assert jobs["mlops-api"].pop("static_configs") == [
        {"targets": [f"127.0.0.1:{8000 + OFFSET}"]}
    ]
    assert jobs["mlflow-server"]["static_configs"][0]["targets"] == [
        f"127.0.0.1:{5001 + OFFSET}"
    ]
    assert jobs["prometheus"]["static_configs"][0]["targets"] == [
        f"127.0.0.1:{9090 + OFFSET}"
    ]
    # What does not run on this machine, or was left out, is no target that is down.
    assert set(jobs) == {"mlops-api", "mlflow-server", "prometheus"}
    assert written["alerting"]["alertmanagers"] == []
    (api,) = [job for job in source["scrape_configs"] if job["job_name"] == "mlops-api"]
    assert jobs["mlops-api"] == {
        key: api[key] for key in ("job_name", "scrape_interval")
    }
    assert written["global"] == source["global"]


def test_a_job_that_a_user_adds_is_kept_as_it_is(tmp_path: Path) -> None:
    own = {"job_name": "own", "static_configs": [{"targets": ["10.0.0.7:9100"]}]}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": [own]}), "utf-8")
    assert local_prometheus.configuration(file, {})["scrape_configs"] == [own]


@pytest.mark.parametrize(
    "text", ["scrape_configs: [", "- a list", "scrape_configs: [7]"]
)
def test_a_prometheus_configuration_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(text, "utf-8")
    assert local_prometheus.main(str(file), str(tmp_path / "out.yml"), "{}") == 1
    assert capsys.readouterr().err.startswith(f"{file} cannot be used: ")
    assert not (tmp_path / "out.yml").exists()
