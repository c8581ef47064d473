"""SHAP values of predictions: what each feature adds to the mean over a background.

No rows of the data are kept, so the background is drawn from the manifest's reference: of each
feature alone, as if none depended on another.
"""

import json
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import UsageError
from pipeline.files import sha256_bytes
from pipeline.history.verify import MANIFEST, MODEL
from pipeline.trainer.jobs import Json
from pipeline.training.predict import OnnxModel

BACKGROUND_ROWS = 50
# How many sets of features are tried: up to ten features, all that there are.
COALITIONS = 1024
SEED = 0
_ONE_AT_A_TIME = threading.Lock()


class Explainer:
    """One model with its background, shape (BACKGROUND_ROWS, features); categories as codes."""

    def __init__(self, content: bytes, manifest: Json) -> None:
        from shap import KernelExplainer

        self._model, self._target = OnnxModel(content), manifest["target"]
        self._features = {feature["name"]: feature for feature in manifest["features"]}
        generator, reference = np.random.default_rng(SEED), manifest["reference"]["features"]
        columns = [_spread(f, reference[name]) for name, f in self._features.items()]
        background = np.column_stack([generator.permutation(column) for column in columns])
        self._shap = KernelExplainer(self._predict, background)

    def explain(self, record: Json) -> Json:
        """Return the values of one record; a classification's are of the class that it names."""
        row = np.array([[_code(f, record[name]) for name, f in self._features.items()]])
        prediction, classes = self._predict(row)[0], self._target["classes"]
        place = int(prediction.argmax())
        np.random.seed(SEED)  # which SHAP draws from: the same answer each time
        values = self._shap.shap_values(row, nsamples=COALITIONS, l1_reg=False, silent=True)
        named = dict(zip(self._features, values[0, :, place].tolist()))
        base = float(self._shap.expected_value[place])
        return {
            "output": classes[place] if classes else self._target["name"],
            "base_value": base,
            "values": named,
            "sum": base + sum(named.values()),
            "prediction": float(prediction[place]),
        }

    def _predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs, shape (rows, outputs), of rows of numbers and codes."""
        columns = {}
        for column, (name, feature) in zip(rows.T, self._features.items()):
            words = np.array(feature["categories"], dtype=object)
            columns[name] = words[column.astype(int)] if len(words) else column
        return self._model.predict(pd.DataFrame(columns)).reshape(len(rows), -1)


def explain(folders: tuple[Path, ...], sha256: str, records: list[Json]) -> list[Json]:
    """Explain records by the model with a digest, one call at a time.

    Raises:
        LookupError: none of the folders holds that model.
        UsageError: a record lacks a feature, or has a value that the model does not know.
    """
    with _ONE_AT_A_TIME:
        explainer = _explainer(folders, sha256)
        try:
            return [explainer.explain(record) for record in records]
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"a record lacks a feature or has a wrong value: {error}.") from error


@lru_cache(maxsize=8)
def _explainer(folders: tuple[Path, ...], sha256: str) -> Explainer:
    for folder in folders:
        if (folder / MODEL).is_file() and (folder / MANIFEST).is_file():
            content = (folder / MODEL).read_bytes()
            manifest = json.loads((folder / MANIFEST).read_bytes())
            if sha256_bytes(content) == sha256 == manifest["sha256"]:
                return Explainer(content, manifest)
    raise LookupError(sha256)


def _spread(feature: Json, reference: Json) -> np.ndarray:
    """Return values at equal steps of a feature's distribution, shape (BACKGROUND_ROWS,)."""
    steps = (np.arange(BACKGROUND_ROWS) + 0.5) / BACKGROUND_ROWS
    reached = np.cumsum(reference["shares"]) / np.sum(reference["shares"])
    if "categories" in reference:
        return np.asarray(np.searchsorted(reached, steps), dtype=float)
    edges = reference["edges"]
    # How far the outer tenths reach is not known: as far as their neighbours.
    first, last = (edges[1] - edges[0], edges[-1] - edges[-2]) if len(edges) > 1 else (0, 0)
    low, high = max(feature["low"], edges[0] - first), min(feature["high"], edges[-1] + last)
    return np.asarray(np.interp(steps, [0, *reached], [low, *edges, high]))


def _code(feature: Json, value: float | str) -> float:
    return float(feature["categories"].index(value) if feature["categories"] else value)
