"""The documentation as a site: links out of the folder, and a build that is strict."""

import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT
from tools import site

ADDRESS = "https://github.com/acme/churn"


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
    ],
)
def test_a_link_out_of_the_folder_leads_to_the_repository(
    link: str, expected: str
) -> None:
    assert site.render(f"See [there]({link}).", ADDRESS) == f"See [there]({expected})."


def test_the_address_is_that_of_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.delenv("GITHUB_SERVER_URL", raising=False)
    assert site.repository() == site.PLACEHOLDER
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/churn")
    assert site.repository() == ADDRESS


def test_every_page_is_in_the_navigation() -> None:
    configuration = tomllib.loads((ROOT / site.CONFIGURATION).read_text("utf-8"))
    listed = set()
    for entry in configuration["project"]["nav"]:
        for value in entry.values():
            pages = [value] if isinstance(value, str) else value
            for page in pages:
                listed |= {page} if isinstance(page, str) else set(page.values())
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize(("link", "status"), [("other.md", 0), ("missing.md", 1)])
def test_a_page_with_a_broken_link_stops_the_build(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    link: str,
    status: int,
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "README.md").write_text(f"# One\n\n[two]({link})\n", "utf-8")
    (docs / "other.md").write_text("# Two\n", "utf-8")
    (tmp_path / site.CONFIGURATION).write_text(
        '[project]\nsite_name = "One"\ndocs_dir = "docs"\nsite_dir = "site"\n', "utf-8"
    )
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "DOCS", docs)
    monkeypatch.setattr(site, "BUILD", tmp_path / "build")
    assert site.main() == status
    output = capsys.readouterr()
    assert (tmp_path / "build/site/other/index.html").is_file() or status
    assert ("error: the site was not built" in output.err) == bool(status)
