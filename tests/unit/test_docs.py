"""The pages of the documentation: links, the files that they name, their length."""

import posixpath
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from core.git import git
from tests.paths import ROOT

PAGES = [
    name
    for name in git(ROOT, "ls-files", "--", "*.md").splitlines()
    if not name.startswith(("mlruns/", "deployment/models/", "pipeline/report/"))
    and (ROOT / name).is_file()
]
# What a copy with an empty history does not have before its first push.
PUBLISHED = ("mlruns/", "deployment/models/", "results/")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"`((?:app|core|history|pipeline)/[\w./]+)`")
MAX_STOPS = 9


def links(page: str) -> list[str]:
    """Return the targets of a page's links, without those of other sites."""
    text = (ROOT / page).read_text("utf-8")
    text = CODE.sub("", CODE_BLOCK.sub("", text))
    return [target for target in LINK.findall(text) if "://" not in target]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    text = CODE_BLOCK.sub("", (ROOT / page).read_text("utf-8"))
    return {anchor(heading) for heading in HEADING.findall(text)}


def anchor(heading: str) -> str:
    """Return the anchor of a heading: words in lower case, joined by hyphens."""
    kept = [
        character
        for character in heading.lower()
        if character in "-_ " or unicodedata.category(character)[0] in "LN"
    ]
    return "".join(kept).replace(" ", "-")


def faults(page: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in links(page):
        path, _, fragment = link.partition("#")
        folder = posixpath.dirname(page)
        target = posixpath.normpath(posixpath.join(folder, path)) if path else page
        if target.startswith(PUBLISHED) and not (ROOT / "mlruns/registry").is_dir():
            continue
        is_missing = not (ROOT / target).exists()
        is_unknown = bool(fragment) and fragment not in anchors(target)
        if is_missing or is_unknown:
            found.append(link)
    return found


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def test_an_anchor_is_that_of_github() -> None:
    assert anchor("Names of other stacks") == "names-of-other-stacks"
    assert anchor("`run.json`, format 1") == "runjson-format-1"
    assert anchor("Why not 0.1 and 0.25?") == "why-not-01-and-025"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    assert faults(page) == []


def test_a_link_to_an_unknown_heading_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(
        "# One\n[a](#one) [b](#two) [c](other.md) [d](https://example.org) `[e](f)`\n",
        encoding="utf-8",
    )
    assert faults("page.md") == ["#two", "other.md"]


def test_the_index_lists_every_page() -> None:
    linked = {link.partition("#")[0] for link in links("docs/README.md")}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages - linked == {"README.md"}


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = FILE.findall(text)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_path_through_the_code_has_at_most_nine_stops_and_a_picture() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    paths = [section for section in sections if section.startswith("The path of")]
    assert len(paths) == 2
    for section in paths:
        stops = re.findall(r"^\d+\. ", section, re.MULTILINE)
        assert 0 < len(stops) <= MAX_STOPS
        assert section.count("```mermaid") == 1
