"""The packages of npm that tests use are pinned, as all others are."""

import json
import re
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.support.json_content import Json

TESTS = ROOT / "tests"


def read(path: Path) -> Json:
    content: Json = json.loads(path.read_text("utf-8"))
    return content


@pytest.mark.parametrize("name", ["clients", "kubernetes", "site"])
def test_npm_installs_exact_versions_by_their_hashes(name: str) -> None:
    wanted = read(TESTS / name / "package.json")["dependencies"]
    lock = read(TESTS / name / "package-lock.json")["packages"]
    root = lock.pop("")
    assert root["dependencies"] == wanted
    for package, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), package
        assert lock[f"node_modules/{package}"]["version"] == version
    for package, locked in lock.items():
        assert locked["integrity"].startswith("sha512-"), package
        # The registry is the one that npm is configured to use.
        assert "resolved" not in locked, package
