"""The rows of one task that all candidates are fitted and evaluated on alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

from core.counts import counted
from core.errors import PipelineError
from pipeline.data.derived import DerivedFeature
from pipeline.schema import Feature, Kind, Task
from pipeline.train import evaluate

# Pairs of row numbers: to fit on, and to evaluate on.
Folds = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TrainingData:
    """One task's tables and settings.

    Attributes:
        task: the task.
        features: the features that are used.
        train: the rows to fit on, with the task's columns.
        holdout: the rows held out, with the same columns.
        folds: how many folds the cross-validation has.
        seed: the seed of everything that is random.
        derived: the features that the models compute from others.
        sample: the numbers of the rows held out that importance and parity are
            computed on, shape (rows,); None means all.
    """

    task: Task
    features: list[Feature]
    train: pd.DataFrame
    holdout: pd.DataFrame
    folds: int
    seed: int
    derived: Sequence[DerivedFeature] = ()
    sample: np.ndarray | None = None

    @property
    def truth(self) -> np.ndarray:
        """The ground truth of the hold-out, shape (rows,); see `evaluate.encode`."""
        return evaluate.encode(self.task, self.holdout)

    @property
    def sampled(self) -> pd.DataFrame:
        """The rows held out that importance and parity are computed on."""
        if self.sample is None:
            return self.holdout
        return self.holdout.iloc[self.sample]

    def split(self) -> Folds:
        """Return the folds of the training rows.

        Raises:
            PipelineError: there are fewer rows, or rows of one class, than folds.
        """
        self._require_enough_rows()
        is_regression = self.task.kind is Kind.REGRESSION
        splitter = KFold if is_regression else StratifiedKFold
        folds = splitter(self.folds, shuffle=True, random_state=self.seed)
        target = self.train[self.task.target.name]
        return list(folds.split(self.train, target))

    def _require_enough_rows(self) -> None:
        target = self.task.target
        classes = target.classes
        labels = self.train[target.name]
        fewest = len(labels)
        for label in classes:
            count = int((labels == label).sum())
            fewest = min(fewest, count)
        held_out = set(self.holdout[target.name])
        is_held_out = len(self.holdout) >= 2
        is_enough = fewest >= self.folds and is_held_out
        if is_enough and held_out.issuperset(classes):
            return
        of_one_class = "of one class " if classes else ""
        raise PipelineError(
            f"{self.task.name}: {counted(fewest, 'row')} {of_one_class}to train on and"
            f" {len(self.holdout)} held out are too few for {self.folds} folds and a"
            " hold-out with every class: bring more rows, or change folds or"
            " holdout_share in params.yaml."
        )
