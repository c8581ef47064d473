"""The pages of the documentation: links, the files that they name, their length."""

import posixpath
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from core.git import git
from tests.paths import ROOT

# Written by the pipeline, or a template of what it writes.
NOT_PAGES = ("mlruns/", "deployment/models/", "pipeline/report/")
# What a copy with an empty history does not have before its first push.
PUBLISHED = ("mlruns/", "deployment/models/", "results/")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SECTION = re.compile(r"^## ", re.MULTILINE)
STOP = re.compile(r"^\d+\. ", re.MULTILINE)
FILE = re.compile(r"`((?:app|core|history|pipeline)/[\w./]+)`")
MAX_README_LINES = 120
MAX_STOPS = 9


def pages() -> list[str]:
    """Return the paths of the pages that people write."""
    tracked = git(ROOT, "ls-files", "--", "*.md")
    names = []
    for name in tracked.splitlines():
        path = ROOT / name
        if path.is_file() and not name.startswith(NOT_PAGES):
            names.append(name)
    return names


def read(page: str) -> str:
    """Return the text of a page."""
    path = ROOT / page
    return path.read_text("utf-8")


def without_code_blocks(page: str) -> str:
    """Return the text of a page but for its blocks of code."""
    text = read(page)
    return CODE_BLOCK.sub("", text)


def links(page: str) -> list[str]:
    """Return the targets of a page's links, without those of other sites."""
    prose = without_code_blocks(page)
    without_code = CODE.sub("", prose)
    targets = LINK.findall(without_code)
    return [target for target in targets if "://" not in target]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    prose = without_code_blocks(page)
    headings = HEADING.findall(prose)
    return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """Return the anchor of a heading: words in lower case, joined by hyphens."""
    kept = ""
    for character in heading.lower():
        category = unicodedata.category(character)
        if character in "-_ " or category.startswith(("L", "N")):
            kept += character
    return kept.replace(" ", "-")


def broken_links(page: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    broken = []
    for link in links(page):
        if not leads_somewhere(page, link):
            broken.append(link)
    return broken


def leads_somewhere(page: str, link: str) -> bool:
    """Check whether the file and the heading exist that a link on a page names."""
    path, _, fragment = link.partition("#")
    target = page
    if path:
        folder = posixpath.dirname(page)
        joined = posixpath.join(folder, path)
        target = posixpath.normpath(joined)
    registry = ROOT / "mlruns/registry"
    is_empty_copy = not registry.is_dir()
    if is_empty_copy and target.startswith(PUBLISHED):
        return True
    # Those who do not want the course delete its folder.
    if target.startswith("course/") and not (ROOT / "course").is_dir():
        return True
    file = ROOT / target
    if not file.exists():
        return False
    if not fragment:
        return True
    return fragment in anchors(target)


def test_the_readme_is_short() -> None:
    lines = read("README.md").splitlines()
    assert len(lines) <= MAX_README_LINES


def test_an_anchor_is_that_of_github() -> None:
    assert anchor("Names of other stacks") == "names-of-other-stacks"
    assert anchor("`run.json`, format 1") == "runjson-format-1"
    assert anchor("Why not 0.1 and 0.25?") == "why-not-01-and-025"


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    assert broken_links(page) == []


def test_a_link_to_an_unknown_heading_or_file_is_broken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    text = (
        "# One\n[a](#one) [b](#two) [c](other.md) [d](https://example.org) `[e](f)`\n"
    )
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert broken_links(page.name) == ["#two", "other.md"]


def test_every_picture_is_on_a_page() -> None:
    on_pages = set()
    for page in pages():
        for link in links(page):
            name = posixpath.basename(link)
            on_pages.add(name)
    images = ROOT / "docs/images"
    pictures = {path.name for path in images.iterdir()}
    assert pictures - on_pages == set()


def test_the_index_lists_every_page() -> None:
    index = "README.md"
    linked = set()
    for link in links(f"docs/{index}"):
        path, _, _ = link.partition("#")
        linked.add(path)
    docs = ROOT / "docs"
    names = {path.name for path in docs.glob("*.md")}
    assert names - linked == {index}


def test_the_architecture_names_files_that_exist() -> None:
    files = FILE.findall(read("docs/architecture.md"))
    assert len(files) > 20
    missing = []
    for name in files:
        path = ROOT / name
        if not path.exists():
            missing.append(name)
    assert missing == []


def test_each_path_through_the_code_has_a_picture_and_at_most_nine_stops() -> None:
    sections = SECTION.split(read("docs/architecture.md"))
    paths = [section for section in sections if section.startswith("The path of")]
    assert len(paths) == 2
    for section in paths:
        stops = STOP.findall(section)
        assert 0 < len(stops) <= MAX_STOPS
        assert section.count("```mermaid") == 1


def test_each_stop_of_a_path_is_a_file() -> None:
    text = read("docs/architecture.md")
    for line in text.splitlines():
        if STOP.match(line):
            stop = STOP.sub("", line)
            first_word, *_ = stop.split()
            assert FILE.fullmatch(first_word), line
