"""Text made from the templates beside this file."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from history import layout


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
    # A text that does not end its cell of a Markdown table.
    pages.filters["cell"] = lambda text: text.replace("|", "\\|")
    pages.filters |= {"day": day, "minute": _minute}
    return pages


def day(milliseconds: int) -> str:
    """Return a time in milliseconds since the epoch as its day, UTC."""
    return _minute(milliseconds)[:10]


def _minute(milliseconds: int) -> str:
    return f"{layout.time(milliseconds):%Y-%m-%d %H:%M}"
