"""ONNX Runtime as it is used everywhere here: one thread, no telemetry."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(content: bytes) -> "InferenceSession":
    """Return a session of a model's file; its exceptions have no common class of their
    own.
    """
    # Read at the import: without it an id and a queue for Microsoft are written to the
    # home folder.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One row is a matter of microseconds: a thread pool would cost more than it brings.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )
