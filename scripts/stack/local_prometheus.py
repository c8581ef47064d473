"""Writes Prometheus' configuration for this machine: `IN OUT ADDRESSES`.

`monitoring/prometheus.yml` is for containers, which Prometheus looks up by name. Here
each name is replaced by the address of a local process, given as JSON. The start script
needs no packages, but this program needs PyYAML: it runs in the environment of the
local services.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from scripts import console

DISCOVERY = "dns_sd_configs"
# The errors of a file that is not YAML, or not a configuration of Prometheus.
UNUSABLE = (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError)

Content = dict[str, Any]
Addresses = dict[str, str]


def configuration(file: Path, addresses: Addresses) -> Content:
    """Return the configuration with local targets, without services that do not run.

    Raises:
        OSError: the file can't be read.
        yaml.YAMLError: it is not YAML.
    """
    content: Content = yaml.safe_load(file.read_text("utf-8"))
    rule_files = []
    for pattern in content.get("rule_files", []):
        parts = pattern.split("/")
        rule_files.append(str(file.parent.joinpath(*parts)))
    content["rule_files"] = rule_files
    _keep_local(content, "scrape_configs", addresses)
    if "alerting" in content:
        _keep_local(content["alerting"], "alertmanagers", addresses)
    return content


def _keep_local(parent: Content, key: str, addresses: Addresses) -> None:
    """Give the jobs of a list local targets, and drop those without any."""
    kept = []
    for job in parent.get(key) or []:
        _replace_names(job, addresses)
        if DISCOVERY not in job or _replace_discovery(job, addresses):
            kept.append(job)
    parent[key] = kept


def _replace_names(job: Content, addresses: Addresses) -> None:
    for static in job.get("static_configs", []):
        targets = []
        for target in static["targets"]:
            address = addresses.get(target, target)
            targets.append(address)
        static["targets"] = targets


def _replace_discovery(job: Content, addresses: Addresses) -> bool:
    """Replace look-ups by local addresses; return whether there are any."""
    targets = []
    for discovery in job.pop(DISCOVERY):
        for name in discovery["names"]:
            if name in addresses:
                targets.append(addresses[name])
    if not targets:
        return False
    static_configs = job.setdefault("static_configs", [])
    static_configs.append({"targets": targets})
    return True


def main(source: str, target: str, addresses: str) -> int:
    """Write the configuration; return 1 if the source cannot be used."""
    try:
        content = configuration(Path(source), json.loads(addresses))
    except UNUSABLE as error:
        print(f"{source} cannot be used: {error}", file=sys.stderr)
        return 1
    text = json.dumps(content, indent=2)  # JSON is YAML
    Path(target).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(console.run(lambda: main(*sys.argv[1:])))
