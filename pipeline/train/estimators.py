"""The candidates' estimators, and the preprocessing of columns that each needs."""

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
# A tree that may not split predicts the mean, or the shares of the classes, as
# scikit-learn's dummy estimators do. Those cannot be exported to ONNX.
_NO_SPLIT = {"min_samples_leaf": 0.6}
# `params.yaml` may not set these: they are the same for all candidates.
_NOT_CONFIGURABLE = {"random_state", "n_jobs", "verbose"}
_FILE = Path(__file__).with_suffix(".yaml")
_EstimatorClass = ImportString[type[BaseEstimator]]
_ADAPTER = TypeAdapter(dict[Kind, dict[str, _EstimatorClass]])
_CONTENT = read_yaml(_FILE, _FILE.name)
_CLASSES = _ADAPTER.validate_python(_CONTENT)


def names(task: Task) -> list[str]:
    """Return the algorithms for a task."""
    algorithms = list(_CLASSES[task.kind])
    # skl2onnx 1.20 converts this one wrongly for two classes, without a warning.
    if len(task.target.classes) == 2:
        algorithms.remove("linear_discriminant")
    return algorithms


def parameter_names(kind: Kind, algorithm: str) -> list[str]:
    """Return the parameters that `params.yaml` may set; the seed is one for all."""
    if algorithm == BASELINE:
        return []
    estimator = _CLASSES[kind][algorithm]()
    accepted = set(estimator.get_params(deep=False))
    return sorted(accepted - _NOT_CONFIGURABLE)


def build(
    kind: Kind,
    algorithm: str,
    parameters: dict[str, Any],
    features: list[Feature],
    seed: int,
) -> Pipeline:
    """Return an unfitted pipeline for a table from `as_inputs`.

    Numbers are scaled for linear models only: a scaler moves rows across the float32
    thresholds of trees, and the ONNX file then differs.
    """
    fixed = _NO_SPLIT if algorithm == BASELINE else {}
    estimator = _CLASSES[kind][algorithm](**fixed, **parameters)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    is_linear = estimator.__module__.startswith("sklearn.linear_model")
    steps = [
        ("columns", _preprocessing(features, is_linear)),
        ("model", estimator),
    ]
    return Pipeline(steps)


def _preprocessing(features: list[Feature], scale: bool) -> ColumnTransformer:
    """Return what comes before the estimator: numbers first, then one-hot categories."""
    numbers: list[str] = []
    names: list[str] = []
    categories: list[list[str]] = []
    for feature in features:
        if feature.type == "number":
            numbers.append(feature.name)
        else:
            names.append(feature.name)
            categories.append(list(feature.categories))
    transformers: list[tuple[str, Any, list[str]]] = []
    if numbers:
        scaler = StandardScaler() if scale else "passthrough"
        transformers.append(("numbers", scaler, numbers))
    if names:
        encoder = OneHotEncoder(categories=categories, sparse_output=False)
        transformers.append(("categories", encoder, names))
    return ColumnTransformer(transformers)


def as_inputs(features: list[Feature], table: pd.DataFrame) -> pd.DataFrame:
    """Return a model's columns: numbers rounded to float32, categories as text.

    The type of the numbers is float64: a sum in float32 differs in its last digit from
    one machine to the next, and then so do the bytes of the ONNX file.
    """
    names = [feature.name for feature in features]
    numbers = [feature.name for feature in features if feature.type == "number"]
    single = dict.fromkeys(numbers, "float32")
    double = dict.fromkeys(numbers, "float64")
    inputs = table[names]
    return inputs.astype(single).astype(double)
