"""The template's version stands in one place, and the changelog describes it."""

import re
import tomllib
from itertools import pairwise

from tests.paths import ROOT

VERSION = (ROOT / "VERSION").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)
HEADINGS = HEADING.findall(CHANGELOG)


def test_the_newest_version_is_the_one_that_the_changelog_begins_with() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", VERSION)
    newest, _ = HEADINGS[0]
    assert newest == VERSION.strip()


def test_versions_and_days_only_rise() -> None:
    numbers = []
    for number, _ in HEADINGS:
        numbers.append([int(part) for part in number.split(".")])
    days = [day for _, day in HEADINGS]
    for newer, older in pairwise(numbers):
        assert newer > older
    assert days == sorted(days, reverse=True)


def test_the_package_has_the_version_from_the_same_place() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = content["project"]
    assert project["dynamic"] == ["version"]
    assert "version" not in project
    source = content["tool"]["hatch"]["version"]
    text = (ROOT / source["path"]).read_text("utf-8")
    match = re.search(source["pattern"], text)
    assert match
    assert match["version"] == VERSION.strip()
