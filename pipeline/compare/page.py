"""Writes comparisons as one HTML file that needs nothing else, pictures included."""

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment

from core.files import write_atomic
from pipeline import html_templates
from pipeline.compare import text
from pipeline.compare.comparison import Comparison


def write(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write the page, whole or not at all."""
    template = _environment().get_template("diff.html")
    content = template.render(comparisons=comparisons)
    write_atomic(path, content)


def _data_uri(png: bytes) -> str:
    encoded = base64.b64encode(png).decode()
    return f"data:image/png;base64,{encoded}"


@cache
def _environment() -> Environment:
    environment = html_templates.environment("pipeline.compare")
    environment.filters["data_uri"] = _data_uri
    environment.filters["describe"] = text.describe
    environment.filters["measured"] = text.measured
    environment.filters["number"] = text.number
    environment.filters["predicted"] = text.predicted
    environment.filters["short"] = text.short
    environment.filters["summary"] = text.summary
    return environment
