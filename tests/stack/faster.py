"""Changes to a checkout that make the tests of its stack faster."""

import re
from pathlib import Path

import yaml


def shorten_waits(checkout: Path) -> None:
    """Let Prometheus scrape, evaluate rules and fire alerts after 5 seconds.

    The durations as they are committed are tested by promtool: see test_rules.py.
    """
    monitoring = checkout / "monitoring"
    rules = monitoring.glob("prometheus/rules/*.yml")
    for file in (monitoring / "prometheus.yml", *rules):
        text = file.read_text("utf-8")
        text = text.replace("_interval: 15s", "_interval: 5s")
        text = text.replace("for: 30s", "for: 5s")
        file.write_text(text, "utf-8")


def shorten_training(checkout: Path) -> None:
    """Let iris be trained in seconds, by fewer folds and without the slow candidates.

    The parameters as they are committed are used by the tests of a push.
    """
    file = checkout / "params.yaml"
    text = file.read_text("utf-8")
    before, rest = text.split("  iris:\n")
    iris, after = rest.split("  credit:\n")
    faster = iris.replace("folds: 10", "folds: 3")
    faster = re.sub(r" +(hist_)?gradient_boosting: .*\n", "", faster)
    assert faster.count("\n") == iris.count("\n") - 2, iris
    file.write_text(f"{before}  iris:\n{faster}  credit:\n{after}", "utf-8")


def shorten_all_trainings(checkout: Path) -> None:
    """Let all tasks be trained in seconds: all candidates, with fewer folds and trees."""
    file = checkout / "params.yaml"
    params = yaml.safe_load(file.read_text("utf-8"))
    for section in params["tasks"].values():
        section["folds"] = 3
        for parameters in section["candidates"].values():
            for name in ("n_estimators", "max_iter"):
                if name in parameters:
                    parameters[name] = 10
    text = yaml.safe_dump(params, sort_keys=False)
    file.write_text(text, "utf-8")
