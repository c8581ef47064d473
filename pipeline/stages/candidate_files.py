"""Candidates as files: `<algorithm>.json` and `<algorithm>.onnx`, without the timings.

What a clock gives is in a file of its own: a candidate that is trained again is the
same bytes, and the stages after it need not run.
"""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from pydantic import TypeAdapter

from core.files import to_json, write_atomic
from pipeline.stages.files import read_json, require
from pipeline.train.candidates import Candidate, Failure

ORDER = "order.json"
MODEL_FIELD = "onnx"
REASON_FIELD = "reason"
CLOCKED = ("fit_seconds", "latency_ms")


@dataclass(frozen=True)
class Timed:
    """A candidate, and when its training began, in seconds since the epoch."""

    result: Candidate | Failure
    began: float


def write(folder: Path, results: list[Candidate | Failure]) -> None:
    """Write candidates without their timings into a folder."""
    for result in results:
        content = {}
        for name, hint in get_type_hints(type(result)).items():
            value = getattr(result, name)
            if name == MODEL_FIELD:
                write_atomic(folder / f"{result.algorithm}.onnx", value)
            elif name not in CLOCKED:
                content[name] = _encode(hint, value)
        write_atomic(folder / f"{result.algorithm}.json", to_json(content))
    order = [result.algorithm for result in results]
    write_atomic(folder / ORDER, to_json({"candidates": order}))


def read(folder: Path) -> list[Candidate | Failure]:
    """Return all candidates in their order, with timings of 0.

    Raises:
        UsageError: the stage that writes them has not been run.
    """
    order = read_json(folder / ORDER)["candidates"]
    return [_read(folder, algorithm) for algorithm in order]


def render_timings(results: list[Timed]) -> str:
    """Return the timings of candidates as JSON."""
    content = {}
    for timed in results:
        entry = {"began": timed.began}
        if isinstance(timed.result, Candidate):
            for name in CLOCKED:
                entry[name] = getattr(timed.result, name)
        content[timed.result.algorithm] = entry
    return to_json(content)


def read_timed(folder: Path, timings: Path) -> list[Timed]:
    """Return all candidates in their order, with their timings; see `read`."""
    entries = read_json(timings)
    results = []
    for result in read(folder):
        entry = entries[result.algorithm]
        if isinstance(result, Candidate):
            result = replace(
                result,
                fit_seconds=entry["fit_seconds"],
                latency_ms=entry["latency_ms"],
            )
        results.append(Timed(result, entry["began"]))
    return results


def _read(folder: Path, algorithm: str) -> Candidate | Failure:
    content = read_json(folder / f"{algorithm}.json")
    if REASON_FIELD in content:
        return Failure(**content)
    model_file = require(folder / f"{algorithm}.onnx")
    onnx = model_file.read_bytes()
    values: dict[str, Any] = dict.fromkeys(CLOCKED, 0.0)
    values[MODEL_FIELD] = onnx
    hints = get_type_hints(Candidate)
    for field in fields(Candidate):
        name = field.name
        if name in content:
            values[name] = _decode(hints[name], content[name])
    return Candidate(**values)


def _encode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        return value.tolist()
    # As JSON it has words for numbers that JSON lacks.
    content = TypeAdapter(hint).dump_json(value)
    return json.loads(content)


def _decode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    is_array = hint is np.ndarray
    if is_array or np.ndarray in get_args(hint):
        return np.array(value)
    return TypeAdapter(hint).validate_python(value)
