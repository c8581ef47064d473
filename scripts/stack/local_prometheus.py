"""Makes `monitoring/prometheus.yml` fit this machine: `local_prometheus.py IN OUT
ADDRESSES`.

The file is written for containers, which are looked up by name. Here each name becomes
the address of the local process, given as JSON; everything else stays as it is written.
The start script needs no package, and this one needs PyYAML: it runs in the environment
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
    """Return the configuration with local targets; what does not run here is no target.

    Raises:
        OSError: the file can't be read.
        yaml.YAMLError: it is not YAML.
    """
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    rules = content.get("rule_files", [])
    content["rule_files"] = [
        str(file.parent.joinpath(*pattern.split("/"))) for pattern in rules
    ]
    _keep_local(content, "scrape_configs", addresses)
    if "alerting" in content:
        _keep_local(content["alerting"], "alertmanagers", addresses)
    return content


def _keep_local(parent: dict[str, Any], key: str, addresses: dict[str, str]) -> None:
    found = (_local(entry, addresses) for entry in parent.get(key) or [])
    parent[key] = [entry for entry in found if entry is not None]


def _local(entry: dict[str, Any], addresses: dict[str, str]) -> dict[str, Any] | None:
    """Return a job or an alertmanager with local targets, or nothing if none of them
    runs here.
    """
    for static in entry.get("static_configs", []):
        static["targets"] = [
            addresses.get(target, target) for target in static["targets"]
        ]
    if DISCOVERY not in entry:
        return entry
    names = [name for discovery in entry.pop(DISCOVERY) for name in discovery["names"]]
    targets = [addresses[name] for name in names if name in addresses]
    if not targets:
        return None
    entry.setdefault("static_configs", []).append({"targets": targets})
    return entry


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
