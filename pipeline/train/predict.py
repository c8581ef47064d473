"""A model as it is served: the ONNX file and nothing else."""

import timeit
from pathlib import Path

import numpy as np
import pandas as pd

from core.files import sha256_bytes
from core.onnx_model import open_session

REPEATS = 200


class OnnxModel:
    """An ONNX file with one input of shape (rows, 1) a column.

    Attributes:
        session: the running model.
        columns: the columns that it needs, in order.
        sha256: the digest of the file.
        size: its bytes.
    """

    def __init__(self, source: bytes | Path) -> None:
        content = source if isinstance(source, bytes) else source.read_bytes()
        self.session = open_session(content)
        self._types = {
            entry.name: object if entry.type == "tensor(string)" else np.float32
            for entry in self.session.get_inputs()
        }
        self.columns = tuple(self._types)
        self.sha256, self.size = sha256_bytes(content), len(content)

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return values (rows,) of a regression, or probabilities (rows, classes), as
        float64.
        """
        # A classifier's outputs are the label's number and the probabilities.
        output = np.asarray(
            self.session.run(None, self._feeds(frame))[-1], dtype=np.float64
        )
        return output.ravel() if len(self.session.get_outputs()) == 1 else output

    def latency_ms(self, frame: pd.DataFrame) -> float:
        """Return the median time of one row on one thread, in milliseconds."""
        feeds = self._feeds(frame.iloc[:1])
        times = timeit.repeat(
            lambda: self.session.run(None, feeds), number=1, repeat=REPEATS
        )
        return float(np.median(times) * 1000)

    def _feeds(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        return {
            name: frame[name].to_numpy(dtype=dtype).reshape(-1, 1)
            for name, dtype in self._types.items()
        }
