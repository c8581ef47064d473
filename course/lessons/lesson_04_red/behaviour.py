"""What the four modules answer to some numbers, as a program: `behaviour.py NUMBERS.json`.

It runs in a folder with the code that is asked, the student's or the template's, in a
process of its own: it imports the modules of that folder by their names.
"""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TASK = "iris"
ROWS = 40
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


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


def _frame(task: Any, numbers: list[float]) -> Any:
    """Return a table with the numbers, 0 to 1, as places in the features' ranges."""
    pandas = importlib.import_module("pandas")
    columns: dict[str, list[Any]] = {}
    for place, feature in enumerate(task.features):
        shares = numbers[place * ROWS : (place + 1) * ROWS]
        span = feature.high - feature.low
        columns[feature.name] = [feature.low + share * span for share in shares]
    classes = task.target.classes
    labels = [classes[int(number * len(classes))] for number in numbers[:ROWS]]
    columns[task.target.name] = labels
    return pandas.DataFrame(columns)


def _validate(task: Any, numbers: list[float]) -> list[str]:
    """Return the answer to a good table, to the edges of the ranges, and to faults."""
    module = importlib.import_module("pipeline.data.validate")
    first, second, *_ = task.features
    place = int(numbers[0] * (ROWS - 2))
    answers = []
    for low, faults in ((False, 0), (True, 0), (False, 1), (False, 2)):
        table = _frame(task, numbers)
        if low:
            table.loc[place, first.name] = first.low
            table.loc[place, second.name] = second.high
        for fault in range(faults):
            table.loc[place + 1 - fault, second.name] = second.high + 1
            table.loc[place + 1, first.name] = first.low - 1
        try:
            answers.append(module.validate(task, table, "rows").to_csv(index=False))
        except Exception as error:
            answers.append(str(error))
    return answers


def _table(task: Any, numbers: list[float]) -> list[Any]:
    """Return which rows are held out, before and after their classes changed."""
    module = importlib.import_module("pipeline.data.table")
    table = _frame(task, numbers)
    answers = []
    for classes in (task.target.classes, task.target.classes[::-1]):
        table[task.target.name] = [
            classes[place % len(classes)] for place in range(ROWS)
        ]
        answers.append(module.in_holdout(task, table, numbers[1]).tolist())
        answers.append(module.digest(table))
        answers.append(module.sample(task, table, ROWS // 2).tolist())
    # The fractions themselves, which one share does not show.
    answers.append([float(each) for each in module._fractions(task, table)])
    return answers


def _gate(task: Any, numbers: list[float]) -> list[Any]:
    """Return decisions about a first model, and about the champion's very file."""
    gate = importlib.import_module("pipeline.publish.gate")
    manifest = importlib.import_module("core.manifest")
    model = SimpleNamespace(sha256="0" * 64, columns=list(FEATURES))
    answers = []
    for number in numbers[:20]:
        parity = manifest.Parity(
            rows=30, mismatches=0, largest_difference=0.0, tolerance=task.tolerance
        )
        evidence = SimpleNamespace(
            holdout={"accuracy": 0.8 + 0.2 * number, "log_loss": 0.6 * number},
            parity=parity,
            size=int(2 * number * task.budget.size_bytes),
            latency_ms=2 * number * task.budget.latency_ms,
            behaviours=[],
        )
        for champion in (None, model):
            decided = gate.decide(task, evidence, model, champion, None)
            outcomes = [[check.name, check.passed] for check in decided.checks]
            answers.append([decided.promote, outcomes])
    return answers


def _psi(numbers: list[float]) -> list[Any]:
    """Return a reference, and how far two windows are from it."""
    module = importlib.import_module("core.distributions")
    half = len(numbers) // 2
    reference = module.Distribution.of_numbers(numbers[:half])
    answers: list[Any] = [reference.edges, reference.shares]
    for window in (numbers[half:], [number / 2 for number in numbers[half:]]):
        counts = reference.count(window)
        answers.append(float(module.psi(reference.shares, half, counts)))
    return answers


if __name__ == "__main__":
    main()
