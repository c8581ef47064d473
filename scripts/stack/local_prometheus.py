"""Writes Prometheus' configuration for this machine: `IN OUT ADDRESSES`.

`monitoring/prometheus.yml` is written for containers, which are looked up by name. Here
each name becomes the address of a local process, given as JSON; everything else stays.
The start script needs no package, but this one needs PyYAML: it runs in the environment
of the local services.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from scripts import console

DISCOVERY = "dns_sd_configs"


def configuration(file: Path, addresses: dict[str, str]) -> dict[str, Any]:
    """Return the configuration with local targets, and without what does not run here.

    Raises:
        OSError: the file can't be read.
        yaml.YAMLError: it is not YAML.
    """
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    rule_files = []
    for pattern in content.get("rule_files", []):
        parts = pattern.split("/")
        rule_files.append(str(file.parent.joinpath(*parts)))
    content["rule_files"] = rule_files
    _keep_local(content, "scrape_configs", addresses)
    if "alerting" in content:
        _keep_local(content["alerting"], "alertmanagers", addresses)
    return content


def _keep_local(parent: dict[str, Any], key: str, addresses: dict[str, str]) -> None:
    """Give the jobs of a list local targets, and drop those without any."""
    kept = []
    for entry in parent.get(key) or []:
        _replace_names(entry, addresses)
        if DISCOVERY not in entry or _replace_discovery(entry, addresses):
            kept.append(entry)
    parent[key] = kept


def _replace_names(entry: dict[str, Any], addresses: dict[str, str]) -> None:
    for static in entry.get("static_configs", []):
        targets = static["targets"]
        static["targets"] = [addresses.get(target, target) for target in targets]


def _replace_discovery(entry: dict[str, Any], addresses: dict[str, str]) -> bool:
    """Replace look-ups by local addresses; return whether there are any."""
    targets = []
    for discovery in entry.pop(DISCOVERY):
        for name in discovery["names"]:
            if name in addresses:
                targets.append(addresses[name])
    if targets:
        entry.setdefault("static_configs", []).append({"targets": targets})
    return bool(targets)


def main(source: str, target: str, addresses: str) -> int:
    """Write the configuration; return 1 if the source cannot be used."""
    try:
        content = configuration(Path(source), json.loads(addresses))
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        print(f"{source} cannot be used: {error}", file=sys.stderr)
        return 1
    Path(target).write_text(json.dumps(content, indent=2), "utf-8")  # JSON is YAML
    return 0


if __name__ == "__main__":
    sys.exit(console.run(lambda: main(*sys.argv[1:])))
