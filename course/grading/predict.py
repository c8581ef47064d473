"""What an ONNX file answers to rows, in a process of its own: a file may hold anything.

As a program, `python -m course.grading.predict FOLDER` reads `model.onnx` and `rows.json`
there and prints the answers as JSON.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.onnx_model import OnnxModel
from course.classroom import ROOT
from course.grading import process, worktree
from course.grading.result import Red

SECONDS = 60


def predict(model: bytes, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Return the answers of a model: for each row its numbers, probabilities if several.

    Args:
        model: the content of the ONNX file.
        rows: a value for each of its inputs.

    Raises:
        Red: it is no model, or does not take the rows.
    """
    with worktree.folder() as folder:
        (folder / "model.onnx").write_bytes(model)
        content = json.dumps([dict(row) for row in rows])
        (folder / "rows.json").write_text(content, "utf-8")
        command = process.python("-m", "course.grading.predict", str(folder))
        outcome = process.run(command, ROOT, SECONDS)
    if not outcome.succeeded:
        raise Red(f"the ONNX file cannot be asked: {outcome.reason}")
    printed = outcome.output.splitlines()
    answers: list[list[float]] = json.loads(printed[-1])
    return answers


def main() -> None:
    """Print the answers of the model in a folder."""
    folder = Path(sys.argv[1])
    model = OnnxModel(folder / "model.onnx")
    text = (folder / "rows.json").read_text("utf-8")
    rows = json.loads(text)
    feeds = model.feeds_of_records(rows)
    output = model.run(feeds)
    answers = output.astype(float).tolist()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
