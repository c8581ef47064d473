"""Text made from the templates beside this file."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/`, filled in."""
    return _pages().get_template(template).render(values)


@cache
def _pages() -> Environment:
    # What ends in .svg or .html is escaped, Markdown is not.
    pages = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=select_autoescape(["svg", "html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters |= {"cell": _cell, "day": day, "minute": _minute}
    return pages


def day(milliseconds: int) -> str:
    """Return a time in milliseconds since the epoch as its day, UTC."""
    return _minute(milliseconds)[:10]


def _minute(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _cell(text: str) -> str:
    """Return a text that does not end its cell of a Markdown table."""
    return text.replace("|", "\\|")
