"""Algorithms that combine others: stacking, and calibrated probabilities."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold

from core.errors import PipelineError
from pipeline.schema import Kind

FOLDS = 5
STACKING = "stacking"
CALIBRATED = "calibrated"
# What `params.yaml` may set of each.
PARAMETERS = {
    STACKING: ("estimators", "folds"),
    CALIBRATED: ("estimator", "folds", "method"),
}


def parts(algorithm: str, parameters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of the algorithms that one combines, by algorithm.

    Raises:
        PipelineError: the parameters do not name any, or name a combination.
    """
    key = PARAMETERS[algorithm][0]
    given = parameters.get(key)
    named = given if isinstance(given, dict) else {}
    has_parameters = all(isinstance(own, dict) for own in named.values())
    is_stack = algorithm == STACKING
    if is_stack:
        fits = len(named) > 1
    else:
        fits = len(named) == 1
    if not fits or not has_parameters or named.keys() & PARAMETERS.keys():
        count = "two or more algorithms" if is_stack else "one algorithm"
        raise PipelineError(
            f"{algorithm}.{key}: name {count} with their parameters, such as"
            " `random_forest: {max_depth: 8}`, and no combination among them."
        )
    return named


def build(
    estimator_class: type[BaseEstimator],
    estimators: dict[str, BaseEstimator],
    kind: Kind,
    parameters: dict[str, Any],
    seed: int,
) -> BaseEstimator:
    """Return a combination of estimators, which are fitted on folds of the rows.

    Args:
        estimator_class: its class.
        estimators: what it combines, by algorithm.
        kind: what is predicted.
        parameters: the parameters of the combination.
        seed: the seed of the folds.
    """
    folds = parameters.get("folds", FOLDS)
    is_regression = kind is Kind.REGRESSION
    splitter = KFold if is_regression else StratifiedKFold
    split = splitter(folds, shuffle=True, random_state=seed)
    if len(estimators) > 1:
        # Its solver ends at the optimum to the last digit, whatever the processor.
        logistic = LogisticRegression(solver="newton-cholesky")
        return estimator_class(
            list(estimators.items()),
            final_estimator=Ridge() if is_regression else logistic,
            cv=split,
        )
    (estimator,) = estimators.values()
    method = parameters.get("method", "sigmoid")
    return estimator_class(estimator, cv=split, method=method)
