"""The documentation as a site: links out of the folder, and a build that is strict."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tools import site

ADDRESS = "https://github.com/acme/churn"
PROJECT = """
[project]
site_name = "One"
docs_dir = "docs"
site_dir = "site"
"""


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("drift.md#windows", "drift.md#windows"),
        ("images/run.png", "images/run.png"),
        ("#here", "#here"),
        ("https://example.org/a", "https://example.org/a"),
        ("../params.yaml", f"{ADDRESS}/blob/HEAD/params.yaml"),
        ("../README.md#monitor", f"{ADDRESS}/blob/HEAD/README.md#monitor"),
        ("../pipeline/tasks", f"{ADDRESS}/tree/HEAD/pipeline/tasks"),
        (f"{site.PLACEHOLDER}/issues", f"{ADDRESS}/issues"),
        (f"{site.PAGES_PLACEHOLDER}/history/", "https://acme.github.io/churn/history/"),
    ],
)
def test_a_link_out_of_the_folder_leads_to_the_repository(
    link: str, expected: str
) -> None:
    rendered = site.render(f"See [there]({link}).", ADDRESS)
    assert rendered == f"See [there]({expected})."


def test_the_address_is_that_of_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.delenv("GITHUB_SERVER_URL", raising=False)
    assert site.repository() == site.PLACEHOLDER
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/churn")
    assert site.repository() == ADDRESS


def pages_in(entry: Any) -> Iterator[str]:
    """Go through the pages of an entry of the navigation: a page, a list or a group."""
    match entry:
        case str():
            yield entry
        case list():
            for part in entry:
                yield from pages_in(part)
        case dict():
            yield from pages_in(list(entry.values()))


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / site.CONFIGURATION).read_text("utf-8")
    configuration = tomllib.loads(text)
    listed = set(pages_in(configuration["project"]["nav"]))
    existing = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert listed == existing


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/Acme/Churn", "https://acme.github.io/Churn"),
        ("https://github.com/Acme/acme.github.io", "https://acme.github.io"),
        (site.PLACEHOLDER, site.PAGES_PLACEHOLDER),
    ],
)
def test_the_site_is_where_github_pages_shows_it(address: str, expected: str) -> None:
    assert site.published(address) == expected


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a site with two pages; the first one has no text yet."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "other.md").write_text("# Two\n", "utf-8")
    (tmp_path / site.CONFIGURATION).write_text(PROJECT, "utf-8")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "DOCS", docs)
    monkeypatch.setattr(site, "BUILD", tmp_path / "build")
    return tmp_path


def test_a_site_is_built(project: Path) -> None:
    page = project / "docs/README.md"
    page.write_text("# One\n\n[two](other.md)\n", "utf-8")
    assert site.main() == 0
    assert (project / "build/site/other/index.html").is_file()


def test_a_broken_link_stops_the_build(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = project / "docs/README.md"
    page.write_text("# One\n\n[two](missing.md)\n", "utf-8")
    assert site.main() == 1
    output = capsys.readouterr()
    assert "error: the site was not built" in output.err
