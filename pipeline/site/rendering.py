"""Renders the pages of the site, and copies their assets."""

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from core.files import write_atomic
from history import layout
from pipeline import html_templates
from pipeline.report.earlier_reasons import reword
from pipeline.report.templates import day

ASSETS = Path(__file__).with_name("assets")
# What people and tests read about a vendored file is no part of a page.
NOT_COPIED = shutil.ignore_patterns("vendored.json")


@dataclass(frozen=True)
class Frame:
    """What every page shows around its content.

    Attributes:
        documentation: a link to the documentation; none if it is empty.
        tasks: the slug and the title of each task, for the navigation.
    """

    documentation: str
    tasks: list[tuple[str, str]]


def write_page(site: Path, name: str, template: str, **values: Any) -> None:
    """Write a page from a template of `templates/`."""
    text = _environment().get_template(template).render(values, page=name)
    write_atomic(site / name, text)


def copy_assets(site: Path) -> None:
    """Copy styles and scripts."""
    shutil.copytree(ASSETS, site / ASSETS.name, ignore=NOT_COPIED)


def _minute(milliseconds: int) -> str:
    return f"{layout.time(milliseconds):%Y-%m-%d %H:%M}"


@cache
def _environment() -> Environment:
    environment = html_templates.environment("pipeline.site")
    environment.filters["day"] = day
    environment.filters["minute"] = _minute
    environment.filters["reword"] = reword
    return environment
