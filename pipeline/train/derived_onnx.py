"""The nodes of an ONNX graph that compute derived features.

Each node costs about a microsecond whatever it computes, so features are computed
together where they can be.
"""

from itertools import chain
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType

from pipeline.data.derived import Arithmetic, DerivedFeature, Place
from pipeline.train.derived_columns import KM_PER_DEGREE, DerivedColumns, constants

_NODES = {"*": "Mul", "/": "Div"}


def register() -> None:
    """Let skl2onnx convert `DerivedColumns`."""
    update_registered_converter(
        DerivedColumns,
        "MlopsDerivedColumns",
        _infer_shape,
        _convert,
        overwrite=True,
    )


def _infer_shape(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    count = len(operator.raw_operator.features)
    operator.outputs[0].type = FloatTensorType([rows, count])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes that compute what `DerivedColumns.transform` does."""
    step: DerivedColumns = operator.raw_operator
    graph = _Graph(scope, container)
    whole_input = operator.inputs[0].full_name
    table = graph.add("Cast", whole_input, to=TensorProto.DOUBLE)
    parts = []
    sums = step.arithmetic("+-")
    if sums:
        part = _sums(graph, table, step, sums)
        parts.append(part)
    for operator_name, node in _NODES.items():
        features = step.arithmetic(operator_name)
        if features:
            left, right = _operands(graph, table, step, features)
            part = graph.add(node, left, right)
            parts.append(part)
    for columns, targets in step.distances().items():
        part = _distances(graph, table, step, columns, targets)
        parts.append(part)
    derived = graph.add("Concat", *parts, axis=1)
    container.add_node(
        "Cast",
        derived,
        operator.outputs[0].full_name,
        name=scope.get_unique_operator_name("Cast"),
        to=TensorProto.FLOAT,
    )


def _operands(
    graph: "_Graph", table: str, step: DerivedColumns, features: list[DerivedFeature]
) -> tuple[str, str]:
    """Return the names of the left and of the right operands of some features."""
    left_places = []
    right_places = []
    for feature in features:
        left, right = step.places(feature)
        left_places.append(left)
        right_places.append(right)
    left_columns = graph.columns(table, left_places)
    right_columns = graph.columns(table, right_places)
    return left_columns, right_columns


def _sums(
    graph: "_Graph", table: str, step: DerivedColumns, features: list[DerivedFeature]
) -> str:
    """Add sums and differences as one product with a matrix of 1, -1 and 0.

    Products with these are exact, and of two numbers that are not 0 the sum is rounded
    once.
    """
    shape = (len(step.columns), len(features))
    weights = np.zeros(shape)
    for place, feature in enumerate(features):
        expression = feature.expression
        assert isinstance(expression, Arithmetic)
        first, second = step.places(feature)
        weights[first, place] += 1
        if expression.operator == "+":
            weights[second, place] += 1
        else:
            weights[second, place] -= 1
    factors = graph.constant(weights)
    return graph.add("MatMul", table, factors)


def _distances(
    graph: "_Graph",
    table: str,
    step: DerivedColumns,
    columns: tuple[int, int],
    targets: list[tuple[Place, ...]],
) -> str:
    """Add the distances to the nearest of some places, for each of the targets."""
    places = tuple(chain.from_iterable(targets))
    count = len(places)
    latitudes, longitudes, widths = constants(places)
    # Of a row: all differences of latitude, then those of longitude.
    shape = (len(step.columns), 2 * count)
    weights = np.zeros(shape)
    latitude, longitude = columns
    weights[latitude, :count] = 1
    weights[longitude, count:] = 1
    factors = graph.constant(weights)
    origins = graph.constant(-np.concatenate([latitudes, longitudes]))
    degrees = graph.add("Gemm", table, factors, origins)
    heights = np.full(count, KM_PER_DEGREE)
    kilometres = graph.constant(np.concatenate([heights, widths]))
    legs = graph.add("Mul", degrees, kilometres)
    squared_legs = graph.add("Mul", legs, legs)
    north, east = graph.split(squared_legs, [count, count])
    squares = graph.add("Add", north, east)
    if count > len(targets):
        sizes = [len(target) for target in targets]
        squares = _smallest(graph, squares, sizes)
    return graph.add("Sqrt", squares)


def _smallest(graph: "_Graph", table: str, sizes: list[int]) -> str:
    """Add the smallest number of each group of columns that stand together."""
    smallest = []
    parts = graph.split(table, sizes)
    for part, size in zip(parts, sizes, strict=True):
        if size > 1:
            axes = graph.numbers([1])
            part = graph.add("ReduceMin", part, axes, keepdims=1)
        smallest.append(part)
    return graph.add("Concat", *smallest, axis=1)


class _Graph:
    """Adds nodes and constants to the ONNX graph of a conversion."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        (output,) = self._add(kind, inputs, 1, attributes)
        return output

    def split(self, table: str, sizes: list[int]) -> list[str]:
        """Return the names of parts of a table, each with some columns."""
        if len(sizes) == 1:
            return [table]
        inputs = (table, self.numbers(sizes))
        return self._add("Split", inputs, len(sizes), {"axis": 1})

    def columns(self, table: str, places: list[int]) -> str:
        """Return the name of some columns of a table."""
        indices = self.numbers(places)
        return self.add("Gather", table, indices, axis=1)

    def constant(self, values: np.ndarray) -> str:
        """Return the name of an array of float64."""
        return self._constant(TensorProto.DOUBLE, values)

    def numbers(self, values: list[int]) -> str:
        """Return the name of an array of whole numbers."""
        array = np.array(values)
        return self._constant(TensorProto.INT64, array)

    def _constant(self, element_type: int, values: np.ndarray) -> str:
        name = str(self._scope.get_unique_variable_name("constant"))
        shape = list(values.shape)
        flat = values.ravel().tolist()
        self._container.add_initializer(name, element_type, shape, flat)
        return name

    def _add(
        self, kind: str, inputs: tuple[str, ...], count: int, attributes: dict[str, Any]
    ) -> list[str]:
        outputs = []
        for _ in range(count):
            output = self._scope.get_unique_variable_name(kind.lower())
            outputs.append(str(output))
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, list(inputs), outputs, name=name, **attributes)
        return outputs
