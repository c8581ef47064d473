"""A candidate's picture and table: small, and the same bytes for the same predictions."""

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, RocCurveDisplay

from core.onnx_model import OnnxModel
from pipeline.schema import Kind, Target
from pipeline.train.candidates import Candidate, Study

BINS = 50
COLOURS = 12


def draw(study: Study, candidate: Candidate) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return a candidate's artifacts by file name, made on the hold-out, and why others
    failed.

    The picture of a regression shows predicted against true and the residuals, of a
    classification the confusion matrix, ROC and calibration; of both the permutation
    importance. A model is worth the same without its picture: one that fails ends
    nothing.
    """
    makers: dict[str, Callable[[], bytes]] = {
        "evaluation.png": lambda: _png(_picture(study, candidate)),
        "permutation_importance.csv": lambda: _csv(_importance(study, candidate)),
    }
    made: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return made, failed


def _importance(study: Study, candidate: Candidate) -> pd.DataFrame:
    table = pd.DataFrame(candidate.importance, columns=["mean", "std"]).round(6) + 0.0
    table.insert(0, "feature", [feature.name for feature in study.features])
    return table


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _picture(study: Study, candidate: Candidate) -> Figure:
    task, prediction = study.task, OnnxModel(candidate.onnx).predict(study.holdout)
    regression = task.kind is Kind.REGRESSION
    panels = 3 if regression else 4
    figure = Figure(figsize=(4.2 * panels, 3.8), dpi=72)
    *axes, last = figure.subplots(1, panels)
    figure.subplots_adjust(left=0.08, right=0.9, bottom=0.14, wspace=0.3)
    (_regression if regression else _classification)(
        task.target, axes, study.truth, prediction
    )
    ordered = _importance(study, candidate).sort_values("mean", kind="stable")
    last.barh(ordered["feature"], ordered["mean"], xerr=ordered["std"])
    last.set(title="Permutation importance", xlabel=f"loss of {task.metric.name}")
    last.yaxis.tick_right()
    last.tick_params(axis="y", labelsize=8)
    return figure


def _regression(
    target: Target, axes: list[Axes], truth: np.ndarray, prediction: np.ndarray
) -> None:
    both, rest = axes
    both.hist2d(truth, prediction, bins=BINS, cmin=1)
    both.axline((truth.mean(), truth.mean()), slope=1, color="black", linewidth=1)
    both.set(
        title="Predicted against true",
        xlabel=f"true ({target.unit})",
        ylabel="predicted",
    )
    rest.hist2d(prediction, truth - prediction, bins=BINS, cmin=1)
    rest.axhline(0, color="black", linewidth=1)
    rest.set(
        title="Residuals",
        xlabel=f"predicted ({target.unit})",
        ylabel="true less predicted",
    )


def _classification(
    target: Target, axes: list[Axes], truth: np.ndarray, prediction: np.ndarray
) -> None:
    (matrix, roc, calibration), classes = axes, target.classes
    style = {"display_labels": classes, "cmap": "Blues", "colorbar": False}
    places, named = range(len(classes)), prediction.argmax(axis=1)
    probabilities = prediction.clip(0, 1)  # sums of float32 exceed 1 by a rounding
    ConfusionMatrixDisplay.from_predictions(
        truth, named, labels=places, ax=matrix, **style
    )
    # Of two classes one curve says it all.
    for place in places[1 if len(classes) == 2 else 0 :]:
        judged = {"y_true": truth == place, "name": classes[place]}
        RocCurveDisplay.from_predictions(
            y_score=probabilities[:, place], ax=roc, **judged
        )
        CalibrationDisplay.from_predictions(
            y_prob=probabilities[:, place], ax=calibration, **judged
        )
    for panel, title in (
        (matrix, "Confusion matrix"),
        (roc, "ROC"),
        (calibration, "Calibration"),
    ):
        panel.set_title(title)


def _png(figure: Figure) -> bytes:
    """Return the picture in a few colours, without a date or the name of the program."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(
        small, format="png", optimize=True
    )
    return small.getvalue()
