"""Data files of the site: scripts that a page loads when it needs them.

A browser lets a page on a disk load scripts from beside it, and read no other files.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files import write_atomic

DATA = "data"
# Names and values that a user chose: as keys of an object some would mean something
# else to JavaScript, such as `__proto__`.
Pairs = list[list[Any]]


def write(folder: Path, key: str, content: object) -> None:
    """Write the data file with a key, such as `housing/2026-11`, below a site."""
    write_atomic(folder / DATA / f"{key}.js", render(key, content))


def render(key: str, content: object) -> str:
    """Return the text of a data file."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return f"Site.receive({json.dumps(key)},{text});\n"


def pairs(mapping: Mapping[str, Any]) -> Pairs:
    """Return the entries of a mapping, sorted by name."""
    entries = []
    for name in sorted(mapping):
        entry = [name, mapping[name]]
        entries.append(entry)
    return entries


def number(value: float) -> float | str:
    """Return a number for JSON, which has no infinity: `"NaN"`, `"Infinity"`."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def short_number(value: float) -> float | str:
    """Return the same with 6 significant digits."""
    if not math.isfinite(value):
        return number(value)
    short = float(f"{value:.6g}")
    if short.is_integer():
        return int(short)
    return short
