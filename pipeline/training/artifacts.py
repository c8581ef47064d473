"""A candidate's picture and table: small, and the same bytes for the same predictions."""

import io

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from pipeline.schema import Kind, Target
from pipeline.training.candidates import Candidate, Study
from pipeline.training.predict import OnnxModel

BINS = 50
COLOURS = 24


def draw(study: Study, candidate: Candidate) -> dict[str, bytes]:
    """Return a candidate's artifacts by file name, made on the hold-out.

    The picture of a regression shows predicted against true and the residuals, of a classification
    the confusion matrix, ROC and calibration; of both the permutation importance.
    """
    table = pd.DataFrame(candidate.importance, columns=["mean", "std"]).round(6) + 0.0
    table.insert(0, "feature", [feature.name for feature in study.features])
    return {
        "evaluation.png": _png(_picture(study, candidate, table)),
        "permutation_importance.csv": table.to_csv(index=False, lineterminator="\n").encode(),
    }


def _picture(study: Study, candidate: Candidate, importance: pd.DataFrame) -> Figure:
    task, truth = study.task, study.truth
    prediction = OnnxModel(candidate.onnx).predict(study.holdout)
    regression = task.kind is Kind.REGRESSION
    panels = 3 if regression else 4
    figure = Figure(figsize=(4.2 * panels, 3.8), dpi=72)
    *axes, last = figure.subplots(1, panels)
    figure.subplots_adjust(left=0.05, right=0.9, bottom=0.14, wspace=0.3)
    (_regression if regression else _classification)(task.target, axes, truth, prediction)
    ordered = importance.sort_values("mean", kind="stable")
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
    both.set(title="Predicted against true", xlabel=f"true ({target.unit})", ylabel="predicted")
    rest.hist2d(prediction, truth - prediction, bins=BINS, cmin=1)
    rest.axhline(0, color="black", linewidth=1)
    rest.set(title="Residuals", xlabel=f"predicted ({target.unit})", ylabel="true less predicted")


def _classification(
    target: Target, axes: list[Axes], truth: np.ndarray, prediction: np.ndarray
) -> None:
    (matrix, roc, calibration), classes = axes, target.classes
    counts = confusion_matrix(truth, prediction.argmax(axis=1), labels=range(len(classes)))
    matrix.imshow(counts, cmap="Blues")
    matrix.set_xticks(range(len(classes)), classes)
    matrix.set_yticks(range(len(classes)), classes, rotation=90, va="center")
    matrix.set(title="Confusion matrix", xlabel="predicted", ylabel="true")
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        matrix.text(column, row, str(count), ha="center", color="white" if dark else "black")
    # Of two classes one curve says it all.
    for place in range(1 if len(classes) == 2 else 0, len(classes)):
        is_class, probability = truth == place, prediction[:, place]
        roc.plot(*roc_curve(is_class, probability)[:2], label=classes[place])
        observed, predicted = calibration_curve(is_class, probability, n_bins=5)
        calibration.plot(predicted, observed, marker="o", label=classes[place])
    for drawn in (roc, calibration):
        drawn.plot([0, 1], [0, 1], color="grey", linewidth=1)
        drawn.legend()
    roc.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    calibration.set(title="Calibration", xlabel="predicted probability", ylabel="observed share")


def _png(figure: Figure) -> bytes:
    """Return the picture in a few colours, without a date or the name of the program."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()
