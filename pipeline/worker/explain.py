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
# How many sets of features are tried; up to ten features have no more sets.
COALITIONS = 1024
SEED = 0
_ONE_AT_A_TIME = threading.Lock()


class Explainer:
    """One model with its background, shape (BACKGROUND_ROWS, features).

    A category is the number of its place in the manifest.
    """

    def __init__(self, model: OnnxModel, manifest: TrainedManifest) -> None:
        from shap import KernelExplainer

        self._model = model
        self._target = manifest.target
        self._features = manifest.features
        generator = np.random.default_rng(SEED)
        columns = []
        for feature in self._features:
            reference = manifest.reference.features[feature.name]
            values = _spread(reference)
            shuffled = generator.permutation(values)
            columns.append(shuffled)
        background = np.column_stack(columns)
        self._shap = KernelExplainer(self._predict, background)

    def explain(self, record: Record) -> dict[str, Any]:
        """Return the values of one record; of a classification, for the winning class.

        Raises:
            KeyError: a feature is missing.
            ValueError: a category is unknown, or a value is not a number.
        """
        codes = self._codes(record)
        row = np.array([codes], dtype=float)
        outputs = self._predict(row)[0]
        output = int(outputs.argmax())
        # SHAP draws from the global generator: the same record gets the same answer.
        np.random.seed(SEED)
        shap_values = self._shap.shap_values(
            row,
            nsamples=COALITIONS,
            l1_reg=False,
            silent=True,
        )
        values: dict[str, float] = {}
        for place, feature in enumerate(self._features):
            value = shap_values[0, place, output]
            values[feature.name] = float(value)
        base = float(self._shap.expected_value[output])
        total = base + sum(values.values())
        return {
            "output": self._output_name(output),
            "prediction": float(outputs[output]),
            "base_value": base,
            "values": values,
            "sum": total,
        }

    def _output_name(self, output: int) -> str:
        """Return the class of an output, or the target of a regression."""
        classes = self._target.classes
        if classes:
            return classes[output]
        return self._target.name

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
        for codes, feature in zip(rows.T, self._features, strict=True):
            column = pd.Series(codes)
            if feature.categories:
                categories = np.array(feature.categories, dtype=object)
                texts = categories[codes.astype(int)]
                # As objects: pandas would turn them into strings of its own, and back.
                column = pd.Series(texts, dtype=object)
            columns[feature.name] = column
        table = pd.DataFrame(columns)
        outputs = self._model.predict(table)
        return outputs.reshape(len(rows), -1)


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
            model = OnnxModel(content)
            return Explainer(model, manifest)
    raise FileNotFoundError(sha256)


def _spread(reference: Distribution) -> np.ndarray:
    """Return values at equal steps of a distribution, shape (BACKGROUND_ROWS,).

    Those of categories are their places. A number in an outer tenth counts as its edge.
    """
    middles = np.arange(BACKGROUND_ROWS) + 0.5
    steps = middles / BACKGROUND_ROWS
    total = np.sum(reference.shares)
    cumulated = np.cumsum(reference.shares) / total
    if reference.categories:
        return np.searchsorted(cumulated, steps)
    values = np.interp(steps, cumulated[:-1], reference.edges)
    return np.asarray(values)
