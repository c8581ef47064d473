"""The packages that make and lint clients are pinned, as all others are."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "clients"


def test_npm_installs_exact_versions_by_their_hashes() -> None:
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    lock = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))["packages"]
    root: dict[str, Any] = lock.pop("")
    assert root["dependencies"] == wanted
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock[f"node_modules/{name}"]["version"] == version
    for name, package in lock.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name  # the registry is the one that is set up
