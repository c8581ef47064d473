"""What the usual linters say of `/openapi.json`: nothing at all."""

import json
from pathlib import Path

from tests.clients.conftest import HERE, run, tool


def test_spectral_finds_nothing(
    npm_folder: Path, document: Path, tmp_path: Path
) -> None:
    spectral = (
        npm_folder
        / "node_modules"
        / "@stoplight"
        / "spectral-cli"
        / "dist"
        / "index.js"
    )
    found = tmp_path / "found.json"
    command = [spectral, "lint", document, "--ruleset", HERE / "spectral.yaml"]
    # The least severity of all, so that warnings count, too.
    command += ["--fail-severity", "hint", "--format", "json", "--output", found]
    run(tool("node"), *command, folder=tmp_path)
    assert json.loads(found.read_text("utf-8")) == []


def test_redocly_finds_nothing(
    npm_folder: Path, document: Path, tmp_path: Path
) -> None:
    redocly = npm_folder / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    command = [
        redocly,
        "lint",
        document,
        "--config",
        HERE / "redocly.yaml",
        "--format",
        "json",
    ]
    said = run(
        tool("node"), *command, folder=tmp_path, REDOCLY_SUPPRESS_UPDATE_NOTICE="true"
    )
    found = json.loads(said)
    assert found["problems"] == []
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
