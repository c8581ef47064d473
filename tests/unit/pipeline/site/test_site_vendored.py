"""The chart library in the repository is the one that its record names."""

import json
from pathlib import Path

import pytest

from core.files import sha256_file
from pipeline.site.rendering import ASSETS
from tests.paths import ROOT
from tests.support.json_content import Json

VENDOR = ASSETS / "vendor"
TEXT = (VENDOR / "vendored.json").read_text("utf-8")
RECORD: Json = json.loads(TEXT)
FILES: list[dict[str, str]] = RECORD["files"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file["name"])
def test_a_file_has_the_digest_that_is_recorded(file: dict[str, str]) -> None:
    assert sha256_file(VENDOR / file["name"]) == file["sha256"]


def test_nothing_else_is_vendored() -> None:
    present = {path.name for path in VENDOR.iterdir()}
    assert present == {"vendored.json", *(file["name"] for file in FILES)}


def test_the_file_and_its_licence_say_what_the_record_says() -> None:
    script = (VENDOR / "uPlot.iife.min.js").read_text("utf-8")
    banner, _, _ = script.partition("\n")
    assert banner.endswith(f"uPlot (v{RECORD['version']}) */")
    licence = (VENDOR / "uPlot.LICENSE.txt").read_text("utf-8")
    assert licence.startswith(f"The {RECORD['licence']} License")


def test_npm_locks_the_same_release() -> None:
    path = Path(ROOT, "tests/site/package-lock.json")
    lock = json.loads(path.read_text("utf-8"))
    locked = lock["packages"][f"node_modules/{RECORD['package']}"]
    assert locked["version"] == RECORD["version"]
    assert locked["integrity"] == RECORD["integrity"]
