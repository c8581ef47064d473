"""SHAP values: what each feature adds to a model's mean over a background.

No rows of the data are kept with a model: the background is drawn from the reference in
its manifest, each feature by itself.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.distributions import Distribution
from core.file_names import MANIFEST, MODEL
from core.files import sha256_bytes
from core.jobs import Record
from core.manifest import Manifest, TrainedManifest
from core.onnx_model import OnnxModel

BACKGROUND_ROWS = 50
# How many sets of features are tried: of up to ten features, all that there are.
COALITIONS = 1024
SEED = 0
_ONE_AT_A_TIME = threading.Lock()


class Explainer:
    """One model with its background, shape (BACKGROUND_ROWS, features).

    Categories stand as their numbers, in the order of the manifest.
    """

    def __init__(self, model: OnnxModel, manifest: TrainedManifest) -> None:
        from shap import KernelExplainer

        self._model = model
        self._target = manifest.target
        self._features = manifest.features
        generator = np.random.default_rng(SEED)
        columns = []
        for feature in self._features:
            values = _spread(manifest.reference.features[feature.name])
            columns.append(generator.permutation(values))
        self._shap = KernelExplainer(self._predict, np.column_stack(columns))

    def explain(self, record: Record) -> dict[str, Any]:
        """Return the values of one record; of a classification, for the winning class.

        Raises:
            KeyError: a feature is missing.
            ValueError: a category is unknown, or a value is not a number.
        """
        row = np.array([self._codes(record)], dtype=float)
        prediction = self._predict(row)[0]
        place = int(prediction.argmax())
        # SHAP draws from the global generator: the same record gets the same answer.
        np.random.seed(SEED)
        shap_values = self._shap.shap_values(
            row, nsamples=COALITIONS, l1_reg=False, silent=True
        )
        names = [feature.name for feature in self._features]
        values = dict(zip(names, shap_values[0, :, place].tolist(), strict=True))
        base = float(self._shap.expected_value[place])
        classes = self._target.classes
        return {
            "output": classes[place] if classes else self._target.name,
            "prediction": float(prediction[place]),
            "base_value": base,
            "values": values,
            "sum": base + sum(values.values()),
        }

    def _codes(self, record: Record) -> list[Any]:
        """Return a record's values in order, categories as their numbers."""
        codes = []
        for feature in self._features:
            value = record[feature.name]
            if feature.categories:
                value = feature.categories.index(value)
            codes.append(value)
        return codes

    def _predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs, shape (rows, outputs), of rows of numbers and codes."""
        columns = {}
        for column, feature in zip(rows.T, self._features, strict=True):
            columns[feature.name] = pd.Series(column)
            if feature.categories:
                categories = np.array(feature.categories, dtype=object)
                # As objects: pandas would turn them into strings of its own, and back.
                words = categories[column.astype(int)]
                columns[feature.name] = pd.Series(words, dtype=object)
        return self._model.predict(pd.DataFrame(columns)).reshape(len(rows), -1)


def explain(
    folders: tuple[Path, ...], sha256: str, records: list[Record]
) -> list[dict[str, Any]]:
    """Explain records by the model with a digest, one call at a time.

    Args:
        folders: where the model's files may be.
        sha256: the digest of the ONNX file.
        records: the records, each with all features.

    Raises:
        FileNotFoundError: no folder holds the model.
        KeyError, TypeError, ValueError: a record is not valid.
    """
    with _ONE_AT_A_TIME:
        explainer = _explainer(folders, sha256)
        return [explainer.explain(record) for record in records]


@lru_cache(maxsize=8)
def _explainer(folders: tuple[Path, ...], sha256: str) -> Explainer:
    for folder in folders:
        path = folder / MODEL
        if not path.is_file():
            continue
        content = path.read_bytes()
        manifest = Manifest.read(folder / MANIFEST)
        if sha256_bytes(content) == sha256 == manifest.sha256:
            return Explainer(OnnxModel(content), manifest)
    raise FileNotFoundError(sha256)


def _spread(reference: Distribution) -> np.ndarray:
    """Return values at equal steps of a distribution, shape (BACKGROUND_ROWS,).

    Of categories they are the numbers. The outer tenths of numbers count as their edge.
    """
    steps = (np.arange(BACKGROUND_ROWS) + 0.5) / BACKGROUND_ROWS
    cumulated = np.cumsum(reference.shares) / np.sum(reference.shares)
    if reference.categories:
        return np.searchsorted(cumulated, steps)
    return np.asarray(np.interp(steps, cumulated[:-1], reference.edges))
