"""Renders the templates in the folder `templates/`."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from history import layout
from pipeline.report.earlier_reasons import reword


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/`, filled in."""
    return _environment().get_template(template).render(values)


def day(milliseconds: int) -> str:
    """Return the UTC day of a time in milliseconds since the epoch."""
    return f"{layout.time(milliseconds):%Y-%m-%d}"


def _minute(milliseconds: int) -> str:
    return f"{layout.time(milliseconds):%Y-%m-%d %H:%M}"


def _cell(text: str) -> str:
    """Return a text that doesn't end its cell of a Markdown table."""
    return text.replace("|", "\\|")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        # SVG and HTML are escaped, Markdown is not.
        autoescape=select_autoescape(["svg", "html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["day"] = day
    environment.filters["minute"] = _minute
    environment.filters["reword"] = reword
    return environment
