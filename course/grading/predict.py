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
        (folder / "rows.json").write_text(
            json.dumps([dict(row) for row in rows]), "utf-8"
        )
        module = ["-m", "course.grading.predict", str(folder)]
        outcome = process.run(process.python(*module), ROOT, SECONDS)
    if not outcome.succeeded:
        raise Red(f"the ONNX file cannot be asked: {outcome.reason}")
    answers: list[list[float]] = json.loads(outcome.output.splitlines()[-1])
    return answers


def main() -> None:
    """Print the answers of the model in a folder."""
    folder = Path(sys.argv[1])
    model = OnnxModel(folder / "model.onnx")
    rows = json.loads((folder / "rows.json").read_text("utf-8"))
    output = model.run(model.feeds_of_records(rows))
    print(json.dumps(output.astype(float).tolist()))


if __name__ == "__main__":
    main()
