"""What the four modules answer to some numbers, as a program: `behaviour.py NUMBERS.json`.

It runs in a folder with the code that is asked, the student's or the template's, in a
process of its own: it imports the modules of that folder by their names.
"""

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TASK = "iris"
ROWS = 40
FEATURES = (
    "sepal_length",
    "sepal_width",
    "petal_length",
    "petal_width",
)
Numbers = list[float]


def main() -> None:
    """Print the answers as JSON."""
    numbers = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    task = importlib.import_module("pipeline.tasks").load(TASK)
    answers = {
        "pipeline/data/validate.py": _validate(task, numbers),
        "pipeline/data/table.py": _table(task, numbers),
        "pipeline/publish/gate.py": _gate(task, numbers),
        "core/distributions.py": _psi(numbers),
    }
    print(json.dumps(answers))


def _frame(task: Any, numbers: Numbers) -> Any:
    """Return a table with the numbers, 0 to 1, as places in the features' ranges."""
    pandas = importlib.import_module("pandas")
    columns = {}
    for place, feature in enumerate(task.features):
        start = place * ROWS
        shares = numbers[start : start + ROWS]
        columns[feature.name] = _values(feature, shares)
    columns[task.target.name] = _labels(task.target.classes, numbers)
    return pandas.DataFrame(columns)


def _values(feature: Any, shares: Numbers) -> list[Any]:
    span = feature.high - feature.low
    return [feature.low + share * span for share in shares]


def _labels(classes: Sequence[str], numbers: Numbers) -> list[Any]:
    labels = []
    for number in numbers[:ROWS]:
        place = int(number * len(classes))
        labels.append(classes[place])
    return labels


def _validate(task: Any, numbers: Numbers) -> list[str]:
    """Return the answer to a good table, to the edges of the ranges, and to faults."""
    place = int(numbers[0] * (ROWS - 2))
    first, second, *_ = task.features

    edges = _frame(task, numbers)
    edges.loc[place, first.name] = first.low
    edges.loc[place, second.name] = second.high

    one = _frame(task, numbers)
    one.loc[place + 1, second.name] = second.high + 1
    one.loc[place + 1, first.name] = first.low - 1

    several = one.copy()
    several.loc[place, second.name] = second.high + 1

    tables = [_frame(task, numbers), edges, one, several]
    return [_validated(task, table) for table in tables]


def _validated(task: Any, table: Any) -> str:
    """Return the rows that a table has when it was validated, or why it is refused."""
    module = importlib.import_module("pipeline.data.validate")
    try:
        validated = module.validate(task, table, "rows")
    except Exception as error:
        return str(error)
    return str(validated.to_csv(index=False))


def _table(task: Any, numbers: Numbers) -> list[Any]:
    """Return which rows are held out, before and after their classes changed."""
    module = importlib.import_module("pipeline.data.table")
    table = _frame(task, numbers)
    share = numbers[1]
    answers = []
    for classes in (task.target.classes, task.target.classes[::-1]):
        table[task.target.name] = _in_turn(classes)
        held_out = module.in_holdout(task, table, share)
        sample = module.sample(task, table, ROWS // 2)
        answers.append(held_out.tolist())
        answers.append(module.digest(table))
        answers.append(sample.tolist())
    # The fractions themselves, which one share does not show.
    fractions = module._fractions(task, table)
    answers.append([float(fraction) for fraction in fractions])
    return answers


def _in_turn(classes: Sequence[str]) -> list[str]:
    """Return a class for each row, one after the other."""
    return [classes[place % len(classes)] for place in range(ROWS)]


def _gate(task: Any, numbers: Numbers) -> list[Any]:
    """Return decisions about a first model, and about the champion's very file."""
    gate = importlib.import_module("pipeline.publish.gate")
    model = SimpleNamespace(sha256="0" * 64, columns=list(FEATURES))
    answers = []
    for number in numbers[:20]:
        evidence = _evidence(task, number)
        for champion in (None, model):
            decided = gate.decide(task, evidence, model, champion, None)
            checks = [[check.name, check.passed] for check in decided.checks]
            answers.append([decided.promote, checks])
    return answers


def _evidence(task: Any, number: float) -> Any:
    """Return what was measured of a challenger."""
    manifest = importlib.import_module("core.manifest")
    parity = manifest.Parity(
        rows=30,
        mismatches=0,
        largest_difference=0.0,
        tolerance=task.tolerance,
    )
    metrics = {
        "accuracy": 0.8 + 0.2 * number,
        "log_loss": 0.6 * number,
    }
    return SimpleNamespace(
        holdout=metrics,
        parity=parity,
        size=int(2 * number * task.budget.size_bytes),
        latency_ms=2 * number * task.budget.latency_ms,
        behaviours=[],
    )


def _psi(numbers: Numbers) -> list[Any]:
    """Return a reference, and how far two windows are from it."""
    module = importlib.import_module("core.distributions")
    half = len(numbers) // 2
    window = numbers[half:]
    narrow = [number / 2 for number in numbers[half:]]
    reference = module.Distribution.of_numbers(numbers[:half])
    answers = [reference.edges, reference.shares]
    for values in (window, narrow):
        counts = reference.count(values)
        index = module.psi(reference.shares, half, counts)
        answers.append(float(index))
    return answers


if __name__ == "__main__":
    main()
