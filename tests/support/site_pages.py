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


class Page(HTMLParser):
    """The elements of a page.

    Attributes:
        elements: the tag and the attributes of each, in their order.
        text: what a person reads.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text = f"{self.text} {data.strip()}"

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of the elements with a tag."""
        return [attributes for name, attributes in self.elements if name == tag]

    def values(self, attribute: str) -> list[str]:
        """Return the values of an attribute, whatever element has it."""
        values = []
        for _, attributes in self.elements:
            if attribute in attributes:
                values.append(attributes[attribute])
        return values


@cache
def read_page(path: Path) -> Page:
    """Return a page that no longer changes."""
    return Page(path)


@cache
def read_data(site: Path, key: str) -> Any:
    """Return the content of a data file that no longer changes."""
    text = (site / "data" / f"{key}.js").read_text("utf-8")
    return parse_data(key, text)


def parse_data(key: str, text: str) -> Any:
    """Return the content of a data file from its text."""
    match = DATA_FILE.fullmatch(text)
    assert match, key
    assert json.loads(match[1]) == key
    return json.loads(match[2])


def broken_links(site: Path) -> list[str]:
    """Return the links of all pages that lead to nothing, each after its page."""
    broken = []
    for path in sorted(site.glob("*.html")):
        page = read_page(path)
        for link in page.values("href") + page.values("src"):
            if not _leads_somewhere(site, path.name, link):
                broken.append(f"{path.name}: {link}")
    return broken


def _leads_somewhere(site: Path, page: str, link: str) -> bool:
    if link.startswith(("https://", "data:,")):
        return True
    name, _, fragment = link.partition("#")
    target = site / unquote(name or page)
    if not target.is_file():
        return False
    if not fragment or fragment in read_page(target).values("id"):
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
    return run_id in read_data(site, f"{folder}/{day}")["runs"]


def _has_month(site: Path, place: str) -> bool:
    match = MONTH.fullmatch(place)
    if not match:
        return False
    folder, month = match.groups()
    index = {entry["folder"]: entry for entry in read_data(site, "index")}
    if folder not in index:
        return False
    days = [day for day, _ in index[folder]["days"]]
    return month is None or any(day.startswith(month) for day in days)
