"""A solution of the capstone: which of three vineyards a wine is from."""

from typing import Any

import yaml
from sklearn.datasets import load_wine

from course.lessons.lesson_14_capstone.project import KEY, PAGE, to_csv
from course.work import Work

TASK = "wine"
FILE = f"pipeline/tasks/{TASK}.yaml"
TABLE = "build/course/wine.csv"
CLASSES = ["class_0", "class_1", "class_2"]
# Name, unit, example, lowest and highest possible value.
FEATURES = (
    ("alcohol", "%", 13.0, 8, 20),
    ("flavanoids", "g/l", 2.0, 0, 12),
    ("color_intensity", "points", 5.0, 0, 30),
    ("proline", "mg/l", 750.0, 100, 4000),
)
FEW = """\
  wine:
    folds: 5
    exclude: []
    candidates:
      dummy: {}
      logistic_regression: {C: 1, solver: newton-cholesky}
"""
MORE = """\
      linear_discriminant: {}
      random_forest: {n_estimators: 50, min_samples_leaf: 3}
"""
TEXT = """\
# Which vineyard is a wine from?

## Question
A merchant buys wine from three neighbouring vineyards of one region, all of the same kind of
vine by its label. She wants to know whether a barrel is from the vineyard that the label
names, before she pays for it. A wrong accusation costs a customer; a missed one costs a barrel.

## Data
178 wines of three vineyards in Italy, with a chemical analysis each. Of its thirteen figures
four are used that any laboratory measures in a day: alcohol, flavanoids, colour, proline.
All wines are of the same few years.

## Result
Several candidates were compared; the gate promoted the first that was good enough, and then
only what was better by more than chance. The model card has the accuracy on wines that no
candidate has seen, with its interval, which is wide: a wine more or less is three points.

## Limits
A wine from a fourth vineyard is given to one of the three. Other years may taste differently;
the drift of the four figures is watched, and a new model can be trained when it shows.
"""


def solve(work: Work) -> None:
    """Describe the task, publish it, try more, publish again."""
    describe(work, behaviours())
    work.publish("feat: tell which vineyard a wine is from", TASK)
    work.edit("params.yaml", FEW, FEW + MORE)
    work.publish("feat: compare more candidates for wine", TASK)


def describe(work: Work, tests: dict[str, Any]) -> None:
    """Write the page, the task, its section and its table."""
    work.write(PAGE, TEXT)
    work.answer(**{KEY: TASK})
    text = yaml.safe_dump(description(tests), sort_keys=False, allow_unicode=True)
    work.write(FILE, text)
    work.write("params.yaml", work.read("params.yaml").rstrip("\n") + f"\n{FEW}")
    work.write(TABLE, to_csv(rows()).decode())
    work.run(f"python -m pipeline data add {TABLE} --task {TASK}")


def rows() -> list[dict[str, str]]:
    """Return the wines."""
    table = load_wine(as_frame=True)
    listed = []
    for place, values in enumerate(table.data.to_dict("records")):
        row = {name: str(values[name]) for name, *_ in FEATURES}
        listed.append(row | {"vineyard": CLASSES[table.target[place]]})
    return listed


def description(tests: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the task's file."""
    features = []
    for name, unit, example, low, high in FEATURES:
        limits = {"unit": unit, "low": low, "high": high}
        text = name.replace("_", " ").capitalize()
        features.append(
            {"name": name, "description": text, "example": example} | limits
        )
    target = {"name": "vineyard", "description": "Vineyard", "classes": CLASSES}
    return {
        "title": "Vineyards",
        "kind": "classification",
        "description": "Says which of three vineyards a wine is from.",
        "limits": ["A wine from elsewhere is given to one of the three."],
        "features": features,
        "target": target,
        "metric": {"name": "log_loss", "higher_is_better": False},
        "thresholds": {"accuracy": 0.8},
        "tolerance": 0.0001,
        "budget": {"size_bytes": 1_000_000, "latency_ms": 1.0},
        "homepage": "https://archive.ics.uci.edu/dataset/109/wine",
        "licence": "CC BY 4.0",
        "behaviours": tests,
    }


def behaviours() -> dict[str, Any]:
    """Return tests about the third vineyard, whose wines have few flavanoids."""
    few = {"flavanoids": 0.7, "color_intensity": 9.0}
    many = {"flavanoids": 3.2, "color_intensity": 5.0}
    return {
        "A dark wine with few flavanoids is of the third vineyard": {
            "expect": "within",
            "given": few,
            "within": [0.5, 1.0],
        },
        "A wine with many flavanoids is not of the third vineyard": {
            "expect": "within",
            "given": many,
            "within": [0.0, 0.2],
        },
        "A trace of alcohol changes little": {
            "expect": "same",
            "add": {"alcohol": 0.01},
            "tolerance": 0.1,
        },
    }
