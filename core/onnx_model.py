"""A model as it is served: the ONNX file, run on one thread without telemetry."""

import os
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.files import sha256_bytes

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Feeds = dict[str, NDArray[Any]]


class Table(Protocol):
    """Columns by name, such as a pandas DataFrame."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column, shape (rows,)."""


class OnnxModel:
    """An ONNX file with one input of shape (rows, 1) for each feature.

    Attributes:
        session: the running model.
        columns: the names of its inputs, in order.
        sha256: the digest of the file.
        size: the size of the file in bytes.
    """

    def __init__(self, source: bytes | Path) -> None:
        """Open a model's file or its content.

        Raises:
            Exception: it cannot be opened; ONNX Runtime's errors have no common class.
        """
        content = source if isinstance(source, bytes) else source.read_bytes()
        self.session = _open_session(content)
        self.sha256 = sha256_bytes(content)
        self.size = len(content)
        inputs = self.session.get_inputs()
        self.columns = tuple(entry.name for entry in inputs)
        # A classifier has two outputs, the label's number and the probabilities.
        self._output = self.session.get_outputs()[-1].name
        self._columns_by_type: dict[type, list[str]] = {}
        for entry in inputs:
            dtype = np.object_ if entry.type == "tensor(string)" else np.float32
            columns = self._columns_by_type.setdefault(dtype, [])
            columns.append(entry.name)
        self._values_by_type = {
            dtype: itemgetter(*names) for dtype, names in self._columns_by_type.items()
        }

    @property
    def text_columns(self) -> list[str]:
        """The inputs that take text; all others take numbers."""
        return self._columns_by_type.get(np.object_, [])

    def run(self, feeds: Feeds) -> NDArray[np.float32]:
        """Return the model's output, shape (rows, 1) or, probabilities, (rows, classes)."""
        output: NDArray[np.float32] = self.session.run([self._output], feeds)[0]
        return output

    def predict(self, table: Table) -> NDArray[np.float64]:
        """Return the predictions for a table that has the model's columns.

        Their shape is (rows,) for a regression and (rows, classes), probabilities, for
        a classification.
        """
        feeds = self.feeds_of_table(table)
        output = self.run(feeds).astype(np.float64)
        is_regression = len(self.session.get_outputs()) == 1
        return output.ravel() if is_regression else output

    def feeds_of_table(self, table: Table) -> Feeds:
        """Return the inputs for a table: for each column an array of shape (rows, 1)."""
        feeds: Feeds = {}
        for dtype, names in self._columns_by_type.items():
            for name in names:
                column: NDArray[Any] = np.asarray(table[name], dtype)
                feeds[name] = column.reshape(-1, 1)
        return feeds

    def feeds_of_records(self, records: Sequence[Mapping[str, Any]]) -> Feeds:
        """Return the inputs for records: for each column an array of shape (rows, 1).

        One array is created for each type and not for each column, which is faster.
        """
        feeds: Feeds = {}
        for dtype, names in self._columns_by_type.items():
            values = self._values_by_type[dtype]
            rows: NDArray[Any] = np.array([values(record) for record in records], dtype)
            # A single name has values of its own and not tuples: `rows` is then a row.
            columns = np.ascontiguousarray(rows.T).reshape(len(names), -1, 1)
            feeds |= zip(names, columns, strict=True)
        return feeds


def _open_session(content: bytes) -> "InferenceSession":
    # Read at the import. Without it ONNX Runtime writes an ID and a queue of events for
    # Microsoft into the home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A row takes microseconds: a thread pool would cost more than it saves.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )
