"""What the start command starts, and with what."""

import json
from pathlib import Path

import pytest

from scripts.stack import compose, programs
from scripts.stack.settings import ROOT, Settings, StackError

OFFSET = 29_000


def test_a_profile_adds_its_services_and_nothing_else_does() -> None:
    usual = compose.services(Settings.read())
    assert "alertmanager" not in usual
    assert compose.services(Settings.read(profiles=("alerts",))) == [*usual, "alertmanager"]
    without = Settings.read(without=("alertmanager", "grafana"), profiles=("alerts",))
    assert compose.services(without) == [name for name in usual if name != "grafana"]
    with pytest.raises(StackError, match="--without alertmanager: there is no such service"):
        compose.services(Settings.read(without=("alertmanager",)))


def test_the_local_prometheus_has_the_same_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(programs.OPTIONAL, "prometheus", ("python", "python3"))
    (command,) = programs.find("prometheus", Settings.read(OFFSET), "python").commands.values()
    flags = dict(flag.split("=", 1) for flag in command[1:])
    file = Path(flags["--config.file"])
    try:
        written = json.loads(file.read_text("utf-8"))
    finally:
        file.unlink()
    (pattern,) = map(Path, written["rule_files"])
    rules = ROOT / "monitoring" / "prometheus" / "rules"
    assert pattern.parent == rules and set(rules.glob(pattern.name)) == set(rules.iterdir())
    assert flags.keys() >= {f"--storage.tsdb.retention.{bound}" for bound in ("time", "size")}
