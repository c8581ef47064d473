"""The usual linters have no complaint about `/openapi.json`."""

import json
from pathlib import Path

from tests.clients.conftest import HERE, run, tool


def test_spectral_finds_nothing(
    npm_folder: Path, document: Path, tmp_path: Path
) -> None:
    package = npm_folder / "node_modules" / "@stoplight" / "spectral-cli"
    spectral = package / "dist" / "index.js"
    report = tmp_path / "report.json"
    command = [spectral, "lint", document, "--ruleset", HERE / "spectral.yaml"]
    # The least severity of all, so that warnings count, too.
    command += ["--fail-severity", "hint", "--format", "json", "--output", report]
    run(tool("node"), *command, folder=tmp_path)
    assert json.loads(report.read_text("utf-8")) == []


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
    output = run(
        tool("node"),
        *command,
        folder=tmp_path,
        REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )
    report = json.loads(output)
    assert report["problems"] == []
    assert report["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}
