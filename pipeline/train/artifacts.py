"""A candidate's chart and table: small, and the same bytes for the same predictions."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay

from core.onnx_model import OnnxModel
from pipeline.schema import Kind, Target
from pipeline.train.candidates import Candidate
from pipeline.train.training_data import TrainingData

BINS = 50
COLOURS = 12
PANEL_WIDTH = 4.2  # inches
HEIGHT = 3.8


@dataclass(frozen=True)
class Drawing:
    """A candidate's artifacts.

    Attributes:
        files: the content of each file by its name.
        missing: the reason for each missing file by its name.
    """

    files: dict[str, bytes]
    missing: dict[str, str]

    @property
    def reasons(self) -> str:
        """Why files are missing, in one line."""
        reasons = [f"{name}: {reason}" for name, reason in self.missing.items()]
        return "; ".join(reasons)

    def report_missing(self, console: Console, task: str, algorithm: str) -> None:
        """Print which artifacts a candidate does without, if there are any."""
        if self.missing:
            console.print(
                f"{task}, {algorithm}: kept without {self.reasons}",
                markup=False,
                emoji=False,
                soft_wrap=True,
            )


def draw(data: TrainingData, candidate: Candidate) -> Drawing:
    """Return a candidate's artifacts on the hold-out, and why others are missing.

    The chart of a regression shows predicted against true and the residuals, that of a
    classification the confusion matrix, ROC and calibration; both show the permutation
    importance. A model is worth the same without its chart, so an artifact that fails
    ends nothing.
    """
    makers: dict[str, Callable[[], bytes]] = {
        "evaluation.png": lambda: _png(_chart(data, candidate)),
        "permutation_importance.csv": lambda: to_csv(importance_table(data, candidate)),
    }
    files: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    for name, make in makers.items():
        try:
            files[name] = make()
        except Exception as error:
            kind = type(error).__name__
            message = " ".join(str(error).split())
            missing[name] = f"{kind}: {message}"
    return Drawing(files, missing)


def importance_table(data: TrainingData, candidate: Candidate) -> pd.DataFrame:
    """Return the permutation importance with the columns feature, mean and std."""
    table = pd.DataFrame(candidate.importance, columns=["mean", "std"]).round(6)
    table += 0.0  # -0.0 becomes 0.0
    names = [feature.name for feature in data.features]
    table.insert(0, "feature", names)
    return table


def to_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV: a header, LF at the end of every line, UTF-8."""
    text = table.to_csv(index=False, lineterminator="\n")
    return text.encode()


def _chart(data: TrainingData, candidate: Candidate) -> Figure:
    task = data.task
    prediction = OnnxModel(candidate.onnx).predict(data.holdout)
    is_regression = task.kind is Kind.REGRESSION
    panels = 3 if is_regression else 4
    width = PANEL_WIDTH * panels
    figure = Figure(figsize=(width, HEIGHT), dpi=72)
    *axes, last = figure.subplots(1, panels)
    figure.subplots_adjust(
        left=0.08,
        right=0.9,
        bottom=0.14,
        wspace=0.3,
    )
    draw_panels = _regression if is_regression else _classification
    draw_panels(task.target, axes, data.truth, prediction)
    _draw_importance(last, data, candidate)
    return figure


def _draw_importance(axes: Axes, data: TrainingData, candidate: Candidate) -> None:
    metric = data.task.metric.name
    importance = importance_table(data, candidate)
    rising = importance.sort_values("mean", kind="stable")
    axes.barh(rising["feature"], rising["mean"], xerr=rising["std"])
    axes.set(title="Permutation importance", xlabel=f"loss of {metric}")
    axes.yaxis.tick_right()
    axes.tick_params(axis="y", labelsize=8)


def _regression(
    target: Target,
    axes: list[Axes],
    truth: np.ndarray,
    prediction: np.ndarray,
) -> None:
    predicted, residuals = axes
    predicted.hist2d(truth, prediction, bins=BINS, cmin=1)
    mean = truth.mean()
    predicted.axline((mean, mean), slope=1, color="black", linewidth=1)
    predicted.set(
        title="Predicted against true",
        xlabel=f"true ({target.unit})",
        ylabel="predicted",
    )
    errors = truth - prediction
    residuals.hist2d(prediction, errors, bins=BINS, cmin=1)
    residuals.axhline(0, color="black", linewidth=1)
    residuals.set(
        title="Residuals",
        xlabel=f"predicted ({target.unit})",
        ylabel="true less predicted",
    )


def _classification(
    target: Target,
    axes: list[Axes],
    truth: np.ndarray,
    prediction: np.ndarray,
) -> None:
    matrix, roc, calibration = axes
    classes = target.classes
    _draw_confusion(matrix, classes, truth, prediction)
    probabilities = prediction.clip(0, 1)  # sums of float32 exceed 1 by a rounding
    # For two classes one curve is enough.
    is_binary = len(classes) == 2
    first = 1 if is_binary else 0
    for place in range(first, len(classes)):
        name = classes[place]
        is_class = truth == place
        probability = probabilities[:, place]
        RocCurveDisplay.from_predictions(
            is_class,
            probability,
            ax=roc,
            name=name,
        )
        CalibrationDisplay.from_predictions(
            is_class,
            probability,
            ax=calibration,
            name=name,
        )
    roc.set_title("ROC")
    calibration.set_title("Calibration")


def _draw_confusion(
    axes: Axes,
    classes: tuple[str, ...],
    truth: np.ndarray,
    prediction: np.ndarray,
) -> None:
    winners = prediction.argmax(axis=1)
    ConfusionMatrixDisplay.from_predictions(
        truth,
        winners,
        labels=range(len(classes)),
        ax=axes,
        display_labels=classes,
        cmap="Blues",
        colorbar=False,
    )
    axes.set_title("Confusion matrix")


def _png(figure: Figure) -> bytes:
    """Return a chart in a few colours, without a date or the name of the program."""
    full = io.BytesIO()
    figure.savefig(full, format="png")
    image = Image.open(full).convert("RGB")
    few_colours = image.quantize(COLOURS)
    small = io.BytesIO()
    few_colours.save(small, format="png", optimize=True)
    return small.getvalue()
