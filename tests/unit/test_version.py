"""The template's version stands in one place, and the changelog tells of it."""

import re
import tomllib

from tests.paths import ROOT

VERSION = (ROOT / "VERSION").read_text("utf-8")
HEADINGS = re.findall(
    r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$",
    (ROOT / "CHANGELOG.md").read_text("utf-8"),
    re.M,
)


def test_the_newest_version_is_the_one_that_the_changelog_begins_with() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", VERSION)
    assert HEADINGS[0][0] == VERSION.strip()


def test_versions_and_days_only_rise() -> None:
    numbers = [tuple(map(int, number.split("."))) for number, _ in HEADINGS]
    days = [day for _, day in HEADINGS]
    assert numbers == sorted(set(numbers), reverse=True) and days == sorted(
        days, reverse=True
    )


def test_the_package_has_the_version_from_the_same_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert (
        project["project"]["dynamic"] == ["version"]
        and "version" not in project["project"]
    )
    found = project["tool"]["hatch"]["version"]
    match = re.search(found["pattern"], (ROOT / found["path"]).read_text("utf-8"))
    assert match and match["version"] == VERSION.strip()
