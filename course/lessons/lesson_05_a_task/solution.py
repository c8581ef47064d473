"""The solution of lesson 5."""

from typing import Any

import yaml

from course import difficulty, orchard
from course.work import Work

TASK = orchard.NAME
FILE = f"pipeline/tasks/{TASK}.yaml"
PARAMS = "params.yaml"
TABLE = "build/course/season-1.csv"
# Wide ranges, which lesson 6 makes narrower.
WIDEST = 10_000
SECTION = """\
  orchard:
    folds: 5
    exclude: []
    candidates:
      dummy: {}
      linear_regression: {}
      gradient_boosting: {n_estimators: 200, max_depth: 3, subsample: 0.7}
"""


def description() -> dict[str, Any]:
    """Return the content of the task's file."""
    features: list[dict[str, Any]] = []
    for column in orchard.NUMBERS:
        example = column.low + column.span // 2
        head = {"name": column.name, "description": column.description}
        limits = {"unit": column.unit, "low": 0, "high": WIDEST}
        features.append(head | {"example": example} | limits)
    categories = list(orchard.VARIETIES)
    variety = {"name": "variety", "description": "Variety", "example": categories[0]}
    features.append(variety | {"categories": categories})
    return {
        "title": "Orchard",
        "kind": "regression",
        "description": "Estimates how many kilograms of fruit a tree bears.",
        "limits": ["The trees are those of one orchard, in one season."],
        "features": features,
        "target": {
            "name": orchard.TARGET,
            "description": "Yield of the tree",
            "unit": "kg",
            "low": 0,
            "high": WIDEST,
        },
        "metric": {"name": "rmse", "higher_is_better": False},
        "thresholds": {"r2": difficulty.THRESHOLD_R2},
        "tolerance": 0.001,
        "budget": {"size_bytes": 1_000_000, "latency_ms": 1.0},
        "homepage": "https://example.org/orchard",
        "licence": "my own",
    }


def write(work: Work, content: dict[str, Any]) -> None:
    """Write the task's file."""
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    work.write(FILE, text)


def add_section(work: Work, section: str) -> None:
    """Add what is tuned for the task to `params.yaml`."""
    work.write(PARAMS, work.read(PARAMS).rstrip("\n") + f"\n{section}")


def add_table(work: Work, table: bytes, name: str = TABLE) -> None:
    """Write a table and make it the snapshot of the task."""
    work.write(name, table.decode())
    work.run(f"python -m pipeline data add {name} --task {TASK}")


def solve(work: Work) -> None:
    """Describe the task, add the table, publish."""
    write(work, description())
    add_section(work, SECTION)
    add_table(work, work.orchard.csv(1))
    work.publish("feat: estimate the yield of a tree", TASK)
