"""SHAP values: what each feature adds to a model's mean over a background.

No rows of the data are kept: the background is drawn from the manifest, each feature by
itself.
"""

import json
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.files import sha256_bytes
from history.verify import MANIFEST, MODEL
from pipeline.train.predict import OnnxModel
from pipeline.worker.jobs import Json

BACKGROUND_ROWS = 50
COALITIONS = (
    1024  # how many sets of features are tried: up to ten features, all that there are
)
SEED = 0
_ONE_AT_A_TIME = threading.Lock()


class Explainer:
    """One model with its background, shape (BACKGROUND_ROWS, features); categories as
    codes.
    """

    def __init__(self, model: OnnxModel, manifest: Json) -> None:
        from shap import KernelExplainer

        self._model, self._target = model, manifest["target"]
        self._features = {feature["name"]: feature for feature in manifest["features"]}
        generator, reference = (
            np.random.default_rng(SEED),
            manifest["reference"]["features"],
        )
        columns = [
            generator.permutation(_spread(reference[name])) for name in self._features
        ]
        self._shap = KernelExplainer(self._predict, np.column_stack(columns))

    def explain(self, record: Json) -> Json:
        """Return the values of one record; a classification's are of the class that it
        names.
        """
        given = [
            (feature["categories"], record[name])
            for name, feature in self._features.items()
        ]
        codes = [known.index(value) if known else value for known, value in given]
        row, classes = np.array([codes], dtype=float), self._target["classes"]
        prediction = self._predict(row)[0]
        place = int(prediction.argmax())
        np.random.seed(SEED)  # which SHAP draws from: the same answer each time
        values = self._shap.shap_values(
            row, nsamples=COALITIONS, l1_reg=False, silent=True
        )
        named = dict(zip(self._features, values[0, :, place].tolist()))
        base = float(self._shap.expected_value[place])
        output = classes[place] if classes else self._target["name"]
        answer = {
            "output": output,
            "prediction": float(prediction[place]),
            "base_value": base,
        }
        return answer | {"values": named, "sum": base + sum(named.values())}

    def _predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the outputs, shape (rows, outputs), of rows of numbers and codes."""
        columns = {}
        for column, (name, feature) in zip(rows.T, self._features.items()):
            codes, words = column.astype(int), np.array(
                feature["categories"], dtype=object
            )
            # As objects: pandas would make texts of its own of them, and objects of
            # those again.
            columns[name] = (
                pd.Series(words[codes], dtype=object) if len(words) else column
            )
        return self._model.predict(pd.DataFrame(columns)).reshape(len(rows), -1)


def explain(folders: tuple[Path, ...], sha256: str, records: list[Json]) -> list[Json]:
    """Explain records by the model with a digest, one call at a time.

    Raises FileNotFoundError: no folder holds it; KeyError, TypeError, ValueError: a bad
    record.
    """
    with _ONE_AT_A_TIME:
        return [_explainer(folders, sha256).explain(record) for record in records]


@lru_cache(maxsize=8)
def _explainer(folders: tuple[Path, ...], sha256: str) -> Explainer:
    for path in (path for folder in folders for path in folder.glob(MODEL)):
        content, manifest = path.read_bytes(), json.loads(
            path.with_name(MANIFEST).read_bytes()
        )
        if sha256_bytes(content) == sha256 == manifest["sha256"]:
            return Explainer(OnnxModel(content), manifest)
    raise FileNotFoundError(sha256)


def _spread(reference: Json) -> np.ndarray:
    """Return values at equal steps of a distribution; the outer tenths count as their
    edge.
    """
    steps = (np.arange(BACKGROUND_ROWS) + 0.5) / BACKGROUND_ROWS
    reached = np.cumsum(reference["shares"]) / np.sum(reference["shares"])
    if "categories" in reference:
        return np.searchsorted(reached, steps)
    return np.asarray(np.interp(steps, reached[:-1], reference["edges"]))
