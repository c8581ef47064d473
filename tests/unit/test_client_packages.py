"""The packages that make and lint clients are pinned, as all others are."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "clients"


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return content


def test_npm_installs_exact_versions_by_their_hashes() -> None:
    wanted = read("package.json")["dependencies"]
    lock = read("package-lock.json")["packages"]
    root = lock.pop("")
    assert root["dependencies"] == wanted
    for name, version in wanted.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock[f"node_modules/{name}"]["version"] == version
    for name, package in lock.items():
        assert package["integrity"].startswith("sha512-"), name
        # The registry is the one that npm is configured to use.
        assert "resolved" not in package, name
