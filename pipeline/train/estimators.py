"""The candidates' estimators, and the preprocessing of columns that each needs."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from core.errors import PipelineError
from pipeline.data.derived import DerivedFeature
from pipeline.schema import Feature, Kind, Task
from pipeline.train import combined
from pipeline.train.derived_columns import DerivedColumns
from pipeline.yaml_file import read_yaml

BASELINE = "dummy"
# A tree that may not split predicts the mean, or the shares of the classes, as
# scikit-learn's dummy estimators do. Those cannot be exported to ONNX.
_NO_SPLIT = {"min_samples_leaf": 0.6}
# By package: what is the same for all candidates. The same inputs give the same bytes.
_FIXED: dict[str, dict[str, Any]] = {
    "lightgbm": {
        "n_jobs": 1,
        "verbose": -1,
        "deterministic": True,
        "force_col_wise": True,
    },
    "xgboost": {
        "n_jobs": 1,
        "verbosity": 0,
        "tree_method": "hist",
        "device": "cpu",
    },
}
# `params.yaml` may not set these. An early stop needs rows that no candidate is given.
_NOT_CONFIGURABLE = {
    "callbacks",
    "device",
    "early_stopping_rounds",
    "eval_metric",
    "n_jobs",
    "random_state",
    "tree_method",
    "verbose",
    "verbosity",
}
_FILE = Path(__file__).with_suffix(".yaml")
_ADAPTER = TypeAdapter(dict[Kind, dict[str, str]])
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
    """Return the parameters that `params.yaml` may set; the seed is one for all.

    Raises:
        PipelineError: the algorithm's library cannot be loaded.
    """
    if algorithm == BASELINE:
        return []
    if algorithm in combined.PARAMETERS:
        return list(combined.PARAMETERS[algorithm])
    estimator = _class_of(kind, algorithm)()
    accepted = set(estimator.get_params(deep=False))
    return sorted(accepted - _NOT_CONFIGURABLE)


def build(
    kind: Kind,
    algorithm: str,
    parameters: dict[str, Any],
    features: list[Feature],
    seed: int,
    derived: Sequence[DerivedFeature] = (),
) -> Pipeline:
    """Return an unfitted pipeline for a table from `as_inputs`.

    Numbers are scaled for linear models only: a scaler moves rows across the float32
    thresholds of trees, and the ONNX file then differs.

    Raises:
        PipelineError: the algorithm is unknown, its library cannot be loaded, or the
            parameters of a combination of algorithms do not describe one.
    """
    estimator = _estimator(kind, algorithm, parameters, seed)
    steps = [
        ("columns", _preprocessing(features, derived, _is_linear(estimator))),
        ("model", estimator),
    ]
    return Pipeline(steps)


def _estimator(
    kind: Kind, algorithm: str, parameters: dict[str, Any], seed: int
) -> BaseEstimator:
    estimator_class = _class_of(kind, algorithm)
    if algorithm in combined.PARAMETERS:
        parts = {}
        for name, own in combined.parts(algorithm, parameters).items():
            part = _estimator(kind, name, own, seed)
            # Trees and linear models share the columns, which are not scaled.
            if _is_linear(part):
                part = make_pipeline(StandardScaler(), part)
            parts[name] = part
        return combined.build(estimator_class, parts, kind, parameters, seed)
    package = estimator_class.__module__.partition(".")[0]
    if algorithm == BASELINE:
        fixed = _NO_SPLIT
    else:
        fixed = _FIXED.get(package, {})
    estimator = estimator_class(**fixed, **parameters)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    return estimator


def _is_linear(estimator: BaseEstimator) -> bool:
    return bool(estimator.__module__.startswith("sklearn.linear_model"))


def _class_of(kind: Kind, algorithm: str) -> type[BaseEstimator]:
    """Import an algorithm's class: each library takes long, and few trainings need it."""
    if algorithm not in _CLASSES[kind]:
        choice = ", ".join(_CLASSES[kind])
        raise PipelineError(
            f"there is no algorithm {algorithm!r}: choose from {choice}."
        )
    module, _, name = _CLASSES[kind][algorithm].rpartition(".")
    try:
        return getattr(import_module(module), name)  # type: ignore[no-any-return]
    except (ImportError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise PipelineError(
            f"{algorithm} cannot be used, as its library is not complete ({reason}): "
            "install OpenMP (Debian: libgomp1, macOS: brew install libomp), or remove "
            "the candidate from params.yaml."
        ) from error


def _preprocessing(
    features: list[Feature], derived: Sequence[DerivedFeature], scale: bool
) -> ColumnTransformer:
    """Return what comes before the estimator.

    Its columns are the numbers, the derived features, then the one-hot categories.
    """
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
    if derived:
        used = {name for feature in derived for name in feature.inputs}
        columns = [name for name in numbers if name in used]
        step = DerivedColumns(list(derived), columns)
        if scale:
            step = make_pipeline(step, StandardScaler())
        transformers.append(("derived", step, columns))
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
