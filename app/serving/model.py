"""One version of one model, checked and ready to answer."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from app.serving.validation import Record, RequestValidator
from core.file_names import CARD, MANIFEST, MODEL
from core.manifest import Manifest
from core.onnx_model import OnnxModel

Prediction = dict[str, Any]


class ModelError(Exception):
    """A model's folder cannot be served; the text says why."""


class Model:
    """A running ONNX model with its manifest.

    Attributes:
        validator: validates the task's requests.
        identity: which model gave an answer: task, version and run.
        digest: SHA-256 of the manifest's bytes.
        loaded: when, in seconds since 1970.
        load_seconds: how long opening and checking took.
    """

    def __init__(self, folder: Path) -> None:
        """Load and check a folder: the manifest's form, the file's hash, the golden
        request.

        Raises:
            ModelError: something is missing, damaged or does not fit.
        """
        started = time.perf_counter()
        text = _read(folder / MANIFEST)
        content = _read(folder / MODEL)
        manifest = self.manifest = _parse_manifest(text)
        if hashlib.sha256(content).hexdigest() != manifest.sha256:
            raise ModelError(
                f"{MODEL} is not the file that {MANIFEST} names: its SHA-256 differs"
            )
        try:
            self.onnx = OnnxModel(content)
        except Exception as error:
            raise ModelError(f"{MODEL} cannot be opened: {error}") from error
        self.session = self.onnx.session
        self.feeds = self.onnx.feeds_of_records
        self.validator = RequestValidator(manifest)
        self.digest = hashlib.sha256(text).hexdigest()
        card = folder / CARD
        self.card = ""
        if card.is_file():
            self.card = card.read_text("utf-8")
        self.loaded = time.time()
        self.identity: dict[str, Any] = {
            "task": manifest.task,
            "model_version": manifest.version,
            "run_id": manifest.run_id,
        }
        self._check_inputs()
        self._check_golden()
        self.load_seconds = time.perf_counter() - started

    def predict(self, records: list[Record]) -> list[Prediction]:
        """Return a prediction for each record.

        That of a class has its confidence, and the probabilities of all classes.
        """
        return self.describe(self.run(records))

    def describe(self, output: NDArray[np.float32]) -> list[Prediction]:
        """Return the predictions that the model's output stands for, row by row."""
        classes = self.manifest.target.classes
        if not classes:
            return [{"prediction": value} for value in output[:, 0]]
        return [
            {
                "prediction": classes[best],
                "probabilities": dict(zip(classes, row, strict=True)),
                "confidence": row[best],
            }
            for row, best in zip(output, output.argmax(axis=1), strict=True)
        ]

    def run(self, records: list[Record]) -> NDArray[np.float32]:
        """Return the model's output: shape (records, 1), or (records, classes)."""
        return self.onnx.run(self.onnx.feeds_of_records(records))

    def _check_inputs(self) -> None:
        features = self.manifest.features
        names = sorted(feature.name for feature in features)
        texts = sorted(f.name for f in features if f.type == "category")
        same_names = names == sorted(self.onnx.columns)
        if not same_names or texts != sorted(self.onnx.text_columns):
            raise ModelError(
                f"the inputs of {MODEL} are not the features of {MANIFEST}"
            )

    def _check_golden(self) -> None:
        golden = self.manifest.golden
        try:
            answer = self.run(self.validator.validate([golden.request]))[0]
        except Exception as error:
            raise ModelError(
                f"the golden request cannot be answered: {error}"
            ) from error
        expected = np.atleast_1d(golden.answer)
        same_shape = answer.shape == expected.shape
        tolerance = self.manifest.tolerance
        if not same_shape or not np.allclose(answer, expected, 1e-5, tolerance):
            raise ModelError(
                f"the golden request is answered with {json.dumps(answer.tolist())} "
                f"instead of {json.dumps(expected.tolist())}"
            )


def _parse_manifest(text: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"{MANIFEST}: {place}: {first['msg']}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}") from error
