"""Features that a model computes from others: sums, ratios, distances to places.

They are part of the model's graph, so training and service compute them alike, and
clients send the task's features only.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

# Latitude and longitude in degrees.
Place = tuple[float, float]
OPERATORS = ("+", "-", "*", "/")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SIGN = r"[-+*/]"
_ARITHMETIC = re.compile(rf"({_NAME})\s*({_SIGN})\s*({_NAME})")
_DISTANCE = re.compile(rf"distance\(\s*({_NAME})\s*,\s*({_NAME})\s*,\s*({_NAME})\s*\)")


class Input(Protocol):
    """A feature of a task."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def type(self) -> str:
        """Either `category` or `number`."""

    def allows(self, value: int | float | str, /) -> bool:
        """Return whether a value is allowed."""


@dataclass(frozen=True)
class Arithmetic:
    """Two features, and one of `OPERATORS` between them."""

    left: str
    operator: str
    right: str


@dataclass(frozen=True)
class Distance:
    """The distance in kilometres to the nearest of some places."""

    latitude: str
    longitude: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class DerivedFeature:
    """A feature that is computed from others."""

    name: str
    expression: Arithmetic | Distance

    @property
    def inputs(self) -> tuple[str, str]:
        """The features that it is computed from."""
        expression = self.expression
        if isinstance(expression, Arithmetic):
            return expression.left, expression.right
        return expression.latitude, expression.longitude


def parse(
    definitions: Mapping[str, str], places: Mapping[str, tuple[Place, ...]]
) -> list[DerivedFeature]:
    """Parse the derived features of a task.

    Args:
        definitions: by name, `a + b` (or `-`, `*`, `/`), or `distance(latitude,
            longitude, places)`.
        places: the places of distances, by name.

    Raises:
        ValueError: a text is not a definition, or its places do not exist.
    """
    features = []
    for name, text in definitions.items():
        expression = _expression(name, text, places)
        features.append(DerivedFeature(name, expression))
    return features


def without(
    features: Iterable[DerivedFeature], excluded: Collection[str]
) -> list[DerivedFeature]:
    """Return the derived features that are not excluded, nor computed from one that is."""
    kept = []
    for feature in features:
        if not {feature.name, *feature.inputs}.intersection(excluded):
            kept.append(feature)
    return kept


def check(
    features: Iterable[DerivedFeature],
    inputs: Iterable[Input],
    columns: Collection[str],
) -> None:
    """Check derived features against the features and columns of their task.

    Raises:
        ValueError: a feature has the name of a column, is computed from anything but
            numeric features, or divides by one that may be 0.
    """
    numbers = {entry.name: entry for entry in inputs if entry.type == "number"}
    for feature in features:
        where = f"derived.{feature.name}"
        if feature.name in columns or not re.fullmatch(_NAME, feature.name):
            raise ValueError(f"{where}: choose a new name of letters and digits")
        for name in feature.inputs:
            if name not in numbers:
                choice = ", ".join(numbers)
                raise ValueError(
                    f"{where}: {name} is not a numeric feature; choose from {choice}"
                )
        expression = feature.expression
        if isinstance(expression, Arithmetic) and expression.operator == "/":
            if numbers[expression.right].allows(0):
                raise ValueError(f"{where}: {expression.right} may be 0")


def _expression(
    name: str, text: str, places: Mapping[str, tuple[Place, ...]]
) -> Arithmetic | Distance:
    arithmetic = _ARITHMETIC.fullmatch(text.strip())
    if arithmetic:
        return Arithmetic(arithmetic[1], arithmetic[2], arithmetic[3])
    distance = _DISTANCE.fullmatch(text.strip())
    if distance is None:
        raise ValueError(
            f"derived.{name}: {text!r} is neither `a + b` (or -, *, /) nor"
            " `distance(latitude, longitude, places)`"
        )
    if not places.get(distance[3]):
        choice = ", ".join(places) or "none is defined"
        raise ValueError(
            f"derived.{name}: there are no places {distance[3]!r}; choose from {choice}"
        )
    return Distance(distance[1], distance[2], places[distance[3]])
