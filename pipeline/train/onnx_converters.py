"""Lets skl2onnx convert what it does not know by itself."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)

from pipeline.train import derived_onnx

_THRESHOLD = "threshold="
# How long each tree is as text, which LightGBM does not need to read them.
_SIZES = "tree_sizes="
_CLASSIFIER = {"zipmap": [True, False, "columns"], "nocl": [True, False]}


def register() -> None:
    """Register the converters of our own steps, and of the libraries in use.

    A library that nobody has imported has no fitted estimator to convert, and takes
    long to import.
    """
    derived_onnx.register()
    if "lightgbm" in sys.modules:
        import lightgbm

        _register(lightgbm.LGBMRegressor, lightgbm.LGBMClassifier, _convert_lightgbm)
    if "xgboost" in sys.modules:
        import xgboost
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import (
            convert_xgboost,
        )

        _register(xgboost.XGBRegressor, xgboost.XGBClassifier, convert_xgboost)


def _register(regressor: type, classifier: type, convert: Any) -> None:
    update_registered_converter(
        regressor,
        f"Mlops{regressor.__name__}",
        calculate_linear_regressor_output_shapes,
        convert,
        overwrite=True,
    )
    update_registered_converter(
        classifier,
        f"Mlops{classifier.__name__}",
        calculate_linear_classifier_output_shapes,
        convert,
        overwrite=True,
        options=_CLASSIFIER,
    )


def _convert_lightgbm(scope: Any, operator: Any, container: Any) -> None:
    """Convert a model of LightGBM, once its thresholds are numbers of float32.

    It compares with thresholds of float64, and ONNX with those of float32. Rounded to
    the nearest, a threshold may reach the larger of two values that it separates.
    """
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import (
        convert_lightgbm,
    )

    estimator = operator.raw_operator
    operator.raw_operator = SimpleNamespace(
        booster_=_rounded_down(estimator.booster_),
        boosting_type=estimator.boosting_type,
        classes_=getattr(estimator, "classes_", None),
    )
    convert_lightgbm(scope, operator, container)
    operator.raw_operator = estimator


def _rounded_down(booster: Any) -> Any:
    """Return a booster that decides alike on every number of float32."""
    from lightgbm import Booster

    lines = []
    for line in booster.model_to_string().splitlines():
        if line.startswith(_SIZES):
            continue
        if line.startswith(_THRESHOLD):
            thresholds = line.removeprefix(_THRESHOLD).split()
            rounded = [repr(_round_down(float(text))) for text in thresholds]
            line = _THRESHOLD + " ".join(rounded)
        lines.append(line)
    return Booster(model_str="\n".join(lines))


def _round_down(value: float) -> float:
    """Return the largest number of float32 that is not above a value."""
    nearest = np.float32(value)
    if float(nearest) > value:
        nearest = np.nextafter(nearest, np.float32(-np.inf))
    return float(nearest)
