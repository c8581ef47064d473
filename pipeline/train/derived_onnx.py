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
    table = graph.add("Cast", operator.inputs[0].full_name, to=TensorProto.DOUBLE)
    parts = []
    if sums := step.arithmetic("+-"):
        parts.append(_sums(graph, table, step, sums))
    for operator_name, node in _NODES.items():
        if features := step.arithmetic(operator_name):
            places = [step.places(feature) for feature in features]
            left = graph.columns(table, [first for first, _ in places])
            right = graph.columns(table, [second for _, second in places])
            parts.append(graph.add(node, left, right))
    for columns, targets in step.distances().items():
        parts.append(_distances(graph, table, step, columns, targets))
    derived = graph.add("Concat", *parts, axis=1)
    container.add_node(
        "Cast",
        derived,
        operator.outputs[0].full_name,
        name=scope.get_unique_operator_name("Cast"),
        to=TensorProto.FLOAT,
    )


def _sums(
    graph: "_Graph", table: str, step: DerivedColumns, features: list[DerivedFeature]
) -> str:
    """Add sums and differences as one product with a matrix of 1, -1 and 0.

    Products with these are exact, and of two numbers that are not 0 the sum is rounded
    once.
    """
    weights = np.zeros((len(step.columns), len(features)))
    for place, feature in enumerate(features):
        first, second = step.places(feature)
        assert isinstance(feature.expression, Arithmetic)
        weights[first, place] += 1
        weights[second, place] += 1 if feature.expression.operator == "+" else -1
    return graph.add("MatMul", table, graph.constant(weights))


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
    weights = np.zeros((len(step.columns), 2 * count))
    weights[columns[0], :count] = 1
    weights[columns[1], count:] = 1
    origins = -np.concatenate([latitudes, longitudes])
    kilometres = np.concatenate([np.full(count, KM_PER_DEGREE), widths])
    degrees = graph.add("Gemm", table, graph.constant(weights), graph.constant(origins))
    legs = graph.add("Mul", degrees, graph.constant(kilometres))
    north, east = graph.split(graph.add("Mul", legs, legs), [count, count])
    squares = graph.add("Add", north, east)
    if count > len(targets):
        sizes = [len(target) for target in targets]
        nearest = []
        for part, size in zip(graph.split(squares, sizes), sizes, strict=True):
            if size > 1:
                part = graph.add("ReduceMin", part, graph.numbers([1]), keepdims=1)
            nearest.append(part)
        squares = graph.add("Concat", *nearest, axis=1)
    return graph.add("Sqrt", squares)


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
        return self.add("Gather", table, self.numbers(places), axis=1)

    def constant(self, values: np.ndarray) -> str:
        """Return the name of an array of float64."""
        return self._constant(TensorProto.DOUBLE, values)

    def numbers(self, values: list[int]) -> str:
        """Return the name of an array of whole numbers."""
        return self._constant(TensorProto.INT64, np.array(values))

    def _constant(self, element_type: int, values: np.ndarray) -> str:
        name = str(self._scope.get_unique_variable_name("constant"))
        flat = values.ravel().tolist()
        self._container.add_initializer(name, element_type, list(values.shape), flat)
        return name

    def _add(
        self, kind: str, inputs: tuple[str, ...], count: int, attributes: dict[str, Any]
    ) -> list[str]:
        outputs = []
        for _ in range(count):
            outputs.append(str(self._scope.get_unique_variable_name(kind.lower())))
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, list(inputs), outputs, name=name, **attributes)
        return outputs
