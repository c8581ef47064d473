"""A candidate's pictures and tables: small, and the same bytes for the same predictions."""

import io

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from pipeline.files import to_json
from pipeline.schema import Kind, Task
from pipeline.training.candidates import Candidate, Study
from pipeline.training.evaluate import encode
from pipeline.training.predict import OnnxModel

BINS = 50
COLOURS = 24
# Room for the names of the features and classes, as a share of the width.
MARGIN = 0.3


def draw(study: Study, candidate: Candidate) -> dict[str, bytes]:
    """Return a candidate's artifacts by file name, made on the hold-out."""
    task, truth = study.task, encode(study.task, study.truth)
    prediction = OnnxModel(candidate.onnx).predict(study.holdout)
    files = _regression if task.kind is Kind.REGRESSION else _classification
    return {
        **files(task, truth, prediction),
        "permutation_importance.png": _png(_importance_bars(study, candidate)),
        "permutation_importance.csv": _importance_table(study, candidate),
        "onnx_parity.json": to_json(candidate.parity.model_dump()).encode(),
    }


def _regression(task: Task, truth: np.ndarray, prediction: np.ndarray) -> dict[str, bytes]:
    unit = f" ({task.target.unit})" if task.target.unit else ""
    both = _figure("Predicted against true", f"true{unit}", f"predicted{unit}")
    both[1].hist2d(truth, prediction, bins=BINS, cmin=1)
    both[1].axline((truth.mean(), truth.mean()), slope=1, color="black", linewidth=1)
    rest = _figure("Residuals", f"predicted{unit}", f"true less predicted{unit}")
    rest[1].hist2d(prediction, truth - prediction, bins=BINS, cmin=1)
    rest[1].axhline(0, color="black", linewidth=1)
    return {"predicted_vs_true.png": _png(both[0]), "residuals.png": _png(rest[0])}


def _classification(task: Task, truth: np.ndarray, prediction: np.ndarray) -> dict[str, bytes]:
    classes = task.target.classes
    counts = confusion_matrix(truth, prediction.argmax(axis=1), labels=range(len(classes)))
    matrix, axes = _figure("Confusion matrix (rows of the hold-out)", "predicted", "true")
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        axes.text(column, row, str(count), ha="center", color="white" if dark else "black")
    roc, curves = _figure("ROC", "false positive rate", "true positive rate")
    calibration, steps = _figure("Calibration", "predicted probability", "observed share")
    # Of two classes one curve says it all.
    for place in range(1 if len(classes) == 2 else 0, len(classes)):
        is_class, probability = truth == place, prediction[:, place]
        curves.plot(*roc_curve(is_class, probability)[:2], label=classes[place])
        observed, predicted = calibration_curve(is_class, probability, n_bins=5)
        steps.plot(predicted, observed, marker="o", label=classes[place])
    for drawn in (curves, steps):
        drawn.plot([0, 1], [0, 1], color="grey", linewidth=1)
        drawn.legend()
    return {
        "confusion_matrix.png": _png(matrix),
        "roc.png": _png(roc),
        "calibration.png": _png(calibration),
    }


def _importance_bars(study: Study, candidate: Candidate) -> Figure:
    order = np.argsort(candidate.importance[:, 0], kind="stable")
    figure, axes = _figure("Permutation importance", f"loss of {study.task.metric.name}", "")
    names = [study.features[place].name for place in order]
    mean, spread = candidate.importance[order].T
    axes.barh(names, mean, xerr=spread)
    axes.tick_params(axis="y", labelsize=7)
    return figure


def _importance_table(study: Study, candidate: Candidate) -> bytes:
    table = pd.DataFrame(candidate.importance, columns=["mean", "std"]).round(6) + 0.0
    table.insert(0, "feature", [feature.name for feature in study.features])
    return table.to_csv(index=False, lineterminator="\n").encode()


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.8, 3.6), dpi=80)
    axes = figure.add_axes((MARGIN, 0.14, 0.95 - MARGIN, 0.77))
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """Return the picture in a few colours, without a date or the name of the program."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()
