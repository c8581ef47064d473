"""Reads the pages and data files of a site."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

DATA_FILE = re.compile(r'Site\.receive\(("[^"]*"),(.*)\);\n', re.DOTALL)
RUN = re.compile(r"([\w-]+)/(\d{4}-\d\d-\d\d(?:_\d+)?)/([0-9a-f]{32})")
MONTH = re.compile(r"([\w-]+)(?:/(\d{4}-\d\d))?")
Attributes = dict[str, str]


class Page(HTMLParser):
    """The elements of a page.

    Attributes:
        elements: the tag and the attributes of each, in their order.
        text: what a person reads.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.text = ""
        markup = path.read_text("utf-8")
        self.feed(markup)

    def handle_starttag(
        self,
        tag: str,
        attrs: list[tuple[str, str | None]],
    ) -> None:
        """Note an element."""
        attributes = {}
        for name, value in attrs:
            attributes[name] = value or ""
        element = (tag, attributes)
        self.elements.append(element)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        stripped = data.strip()
        self.text = f"{self.text} {stripped}"

    def all(self, tag: str) -> list[Attributes]:
        """Return the attributes of the elements with a tag."""
        with_tag = []
        for name, attributes in self.elements:
            if name == tag:
                with_tag.append(attributes)
        return with_tag

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute, whatever element has it."""
        values = []
        for _, attributes in self.elements:
            if attribute in attributes:
                value = attributes[attribute]
                values.append(value)
        return values


@cache
def read_page(path: Path) -> Page:
    """Return a page that no longer changes."""
    return Page(path)


@cache
def read_data(site: Path, key: str) -> Any:
    """Return the content of a data file that no longer changes."""
    folder = site / "data"
    path = folder / f"{key}.js"
    text = path.read_text("utf-8")
    return parse_data(key, text)


def parse_data(key: str, text: str) -> Any:
    """Return the content of a data file from its text."""
    match = DATA_FILE.fullmatch(text)
    assert match, key
    named, content = match.groups()
    assert json.loads(named) == key
    return json.loads(content)


def broken_links(site: Path) -> list[str]:
    """Return the links of all pages that lead to nothing, each after its page."""
    broken = []
    paths = site.glob("*.html")
    for path in sorted(paths):
        page = read_page(path)
        links = page.values("href")
        sources = page.values("src")
        for link in links + sources:
            if not _leads_somewhere(site, path.name, link):
                broken.append(f"{path.name}: {link}")
    return broken


def _leads_somewhere(
    site: Path,
    page: str,
    link: str,
) -> bool:
    if link.startswith(("https://", "data:,")):
        return True
    name, _, fragment = link.partition("#")
    target = site / unquote(name or page)
    if not target.is_file():
        return False
    if not fragment:
        return True
    return _has_place(site, target, fragment)


def _has_place(
    site: Path,
    target: Path,
    fragment: str,
) -> bool:
    """Return whether a page has an element with the id, or a script that shows it."""
    page = read_page(target)
    if fragment in page.values("id"):
        return True
    if target.name == "run.html":
        return has_run(site, fragment)
    if target.name in ("runs.html", "parallel.html"):
        return _has_month(site, fragment)
    return False


def has_run(site: Path, place: str) -> bool:
    """Return whether the page of a run would show it."""
    match = RUN.fullmatch(place)
    if not match:
        return False
    folder, day, run_id = match.groups()
    content = read_data(site, f"{folder}/{day}")
    return run_id in content["runs"]


def _has_month(site: Path, place: str) -> bool:
    match = MONTH.fullmatch(place)
    if not match:
        return False
    folder, month = match.groups()
    days = _days_by_folder(site)
    if folder not in days:
        return False
    if month is None:
        return True
    return any(day.startswith(month) for day in days[folder])


def _days_by_folder(site: Path) -> dict[str, list[str]]:
    """Return the days with runs of each experiment, by its folder."""
    by_folder = {}
    for entry in read_data(site, "index"):
        folder = entry["folder"]
        by_folder[folder] = [day for day, _ in entry["days"]]
    return by_folder
