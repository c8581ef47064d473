"""Derived features as a step of a model; `derived_onnx` has the same for its graph."""

import math
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from pipeline.data.derived import Arithmetic, DerivedFeature, Distance, Place

KM_PER_DEGREE = 111.195
Targets = list[tuple[Place, ...]]  # the places of each distance
_FUNCTIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}


class DerivedColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Computes derived features from the numeric columns of a table.

    The operations are those that IEEE 754 rounds in one way only, in float64, and the
    results are rounded to float32. A graph that does the same gets the same bits, so
    that no row moves across the threshold of a tree.
    """

    def __init__(self, features: list[DerivedFeature], columns: list[str]) -> None:
        """Take the derived features, and the names of the table's columns in order."""
        self.features = features
        self.columns = columns

    def fit(self, table: Any, truth: Any = None) -> Self:
        """Do nothing: there is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, table: Any) -> np.ndarray:
        """Return the features in the order of `groups`, shape (rows, features)."""
        values = np.asarray(table, dtype=np.float64)
        columns = []
        for feature in self._in_order():
            first, second = self.places(feature)
            left = values[:, first]
            right = values[:, second]
            expression = feature.expression
            if isinstance(expression, Arithmetic):
                function = _FUNCTIONS[expression.operator]
                column = function(left, right)
            else:
                column = _nearest(left, right, expression.places)
            columns.append(column)
        derived = np.column_stack(columns)
        single_precision = derived.astype(np.float32)
        return single_precision.astype(np.float64)

    def arithmetic(self, operators: str) -> list[DerivedFeature]:
        """Return the features that are computed with one of some operators."""
        features = []
        for feature in self.features:
            expression = feature.expression
            if not isinstance(expression, Arithmetic):
                continue
            if expression.operator in operators:
                features.append(feature)
        return features

    def distances(self) -> dict[tuple[int, int], Targets]:
        """Return the places of all distances, by the numbers of their two columns."""
        by_columns: dict[tuple[int, int], Targets] = {}
        for feature in self.features:
            expression = feature.expression
            if isinstance(expression, Distance):
                columns = self.places(feature)
                group = by_columns.setdefault(columns, [])
                group.append(expression.places)
        return by_columns

    def places(self, feature: DerivedFeature) -> tuple[int, int]:
        """Return the numbers of the two columns that a feature is computed from."""
        first, second = feature.inputs
        first_place = self.columns.index(first)
        second_place = self.columns.index(second)
        return first_place, second_place

    def _in_order(self) -> list[DerivedFeature]:
        """Return the features in the order in which a graph computes them together."""
        ordered = self.arithmetic("+-")
        ordered += self.arithmetic("*")
        ordered += self.arithmetic("/")
        for columns in self.distances():
            for feature in self.features:
                is_distance = isinstance(feature.expression, Distance)
                if is_distance and self.places(feature) == columns:
                    ordered.append(feature)
        return ordered


def _nearest(
    latitude: np.ndarray, longitude: np.ndarray, places: tuple[Place, ...]
) -> np.ndarray:
    """Return the distance to the nearest place in kilometres, shape (rows,)."""
    latitudes, longitudes, widths = constants(places)
    degrees_north = latitude[:, None] - latitudes
    degrees_east = longitude[:, None] - longitudes
    north = degrees_north * KM_PER_DEGREE
    east = degrees_east * widths
    squares = north * north + east * east
    smallest = squares.min(axis=1)
    nearest: np.ndarray = np.sqrt(smallest)
    return nearest


def constants(places: tuple[Place, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return latitudes, longitudes, and how many kilometres a degree of longitude has.

    The kilometres are rounded: the last digit of a cosine depends on the system.
    """
    latitudes = []
    longitudes = []
    widths = []
    for latitude, longitude in places:
        latitudes.append(latitude)
        longitudes.append(longitude)
        cosine = math.cos(math.radians(latitude))
        width = KM_PER_DEGREE * cosine
        widths.append(round(width, 6))
    return np.array(latitudes), np.array(longitudes), np.array(widths)
