"""What `dvc plots` shows of a challenger and of the candidates beside it."""

from pathlib import Path

import numpy as np
import pandas as pd

from core.files import write_atomic
from pipeline.train import artifacts
from pipeline.train.artifacts import Drawing
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.training_data import TrainingData

PICTURE = "evaluation.png"


def write(
    folder: Path,
    data: TrainingData,
    winner: Candidate,
    results: list[Candidate | Failure],
    drawing: Drawing,
) -> None:
    """Write the tables and the picture into a folder.

    `importance.csv` has the challenger's permutation importance, `candidates.csv` each
    candidate's mean metric of the folds, and `pictures/` the challenger's chart, if
    there is one.
    """
    importance = artifacts.importance_table(data, winner)
    write_atomic(folder / "importance.csv", artifacts.to_csv(importance))
    write_atomic(folder / "candidates.csv", artifacts.to_csv(_means(results)))
    pictures = folder / "pictures"
    pictures.mkdir()
    if PICTURE in drawing.files:
        write_atomic(pictures / PICTURE, drawing.files[PICTURE])


def _means(results: list[Candidate | Failure]) -> pd.DataFrame:
    rows = []
    for result in results:
        if isinstance(result, Candidate):
            mean = float(np.mean(result.folds))
            rows.append({"candidate": result.algorithm, "mean": round(mean, 6)})
    return pd.DataFrame(rows)
