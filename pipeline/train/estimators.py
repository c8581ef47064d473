"""The candidates' estimators, and the preparation of columns that each of them needs."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ImportString, TypeAdapter
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.schema import Feature, Kind, Task
from pipeline.yaml_file import read_yaml

BASELINE = "dummy"
# A tree that may not split says the mean or the classes' shares, whatever it is given:
# just as scikit-learn's dummies, but they have no ONNX form.
_NO_SPLIT = {"min_samples_leaf": 0.6}
_FILE = Path(__file__).with_suffix(".yaml")
_CLASSES = TypeAdapter(
    dict[Kind, dict[str, ImportString[type[BaseEstimator]]]]
).validate_python(read_yaml(_FILE, _FILE.name))


def names(task: Task) -> list[str]:
    """Return the algorithms for a task."""
    # skl2onnx 1.20 converts this one wrongly for two classes, and says nothing.
    wrong = {"linear_discriminant"} if len(task.target.classes) == 2 else set()
    return [name for name in _CLASSES[task.kind] if name not in wrong]


def parameter_names(kind: Kind, algorithm: str) -> list[str]:
    """Return what an algorithm can be given in `params.yaml`; the seed is set for all
    at once.
    """
    if algorithm == BASELINE:
        return []
    accepted = _CLASSES[kind][algorithm]().get_params(deep=False)
    return sorted(set(accepted) - {"random_state", "n_jobs", "verbose"})


def build(
    kind: Kind,
    algorithm: str,
    parameters: dict[str, Any],
    features: list[Feature],
    seed: int,
) -> Pipeline:
    """Return an unfitted pipeline that takes a frame as `as_inputs` gives it.

    Only a linear model gets its numbers scaled: a scaler moves rows across the float32
    thresholds of trees, and the ONNX file then disagrees.
    """
    fixed = _NO_SPLIT if algorithm == BASELINE else {}
    estimator = _CLASSES[kind][algorithm](**fixed, **parameters)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    linear = estimator.__module__.startswith("sklearn.linear_model")
    numbers = [feature.name for feature in features if feature.type == "number"]
    words = {f.name: list(f.categories) for f in features if f.type == "category"}
    encoder = OneHotEncoder(categories=list(words.values()), sparse_output=False)
    columns = [
        ("numbers", StandardScaler() if linear else "passthrough", numbers),
        ("categories", encoder, list(words)),
    ]
    used = ColumnTransformer([part for part in columns if part[2]])
    return Pipeline([("columns", used), ("model", estimator)])


def as_inputs(features: list[Feature], table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a model is given: numbers that a float32 holds,
    categories as text.

    The numbers come as float64: what is summed up in float32 differs in its last digit
    from one machine to the next, and then so do the bytes of the ONNX file.
    """
    numbers = {
        feature.name: "float32" for feature in features if feature.type == "number"
    }
    columns = table[[feature.name for feature in features]].astype(numbers)
    return columns.astype(dict.fromkeys(numbers, "float64"))
