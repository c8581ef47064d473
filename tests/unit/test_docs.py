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
    tracked = git(ROOT, "ls-files", "--", "*.md").splitlines()
    names = [name for name in tracked if not name.startswith(NOT_PAGES)]
    return [name for name in names if (ROOT / name).is_file()]


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text("utf-8")


def links(page: str) -> list[str]:
    """Return the targets of a page's links, without those of other sites."""
    prose = CODE_BLOCK.sub("", read(page))
    targets = LINK.findall(CODE.sub("", prose))
    return [target for target in targets if "://" not in target]


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    prose = CODE_BLOCK.sub("", read(page))
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
    return [link for link in links(page) if not leads_somewhere(page, link)]


def leads_somewhere(page: str, link: str) -> bool:
    """Check whether the file and the heading exist that a link on a page names."""
    path, _, fragment = link.partition("#")
    target = page
    if path:
        folder = posixpath.dirname(page)
        target = posixpath.normpath(posixpath.join(folder, path))
    is_empty_copy = not (ROOT / "mlruns/registry").is_dir()
    if is_empty_copy and target.startswith(PUBLISHED):
        return True
    if not (ROOT / target).exists():
        return False
    return not fragment or fragment in anchors(target)


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        on_pages.update(posixpath.basename(link) for link in links(page))
    pictures = {path.name for path in (ROOT / "docs/images").iterdir()}
    assert pictures - on_pages == set()


def test_the_index_lists_every_page() -> None:
    index = "README.md"
    linked = set()
    for link in links(f"docs/{index}"):
        path, _, _ = link.partition("#")
        linked.add(path)
    names = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert names - linked == {index}


def test_the_architecture_names_files_that_exist() -> None:
    files = FILE.findall(read("docs/architecture.md"))
    assert len(files) > 20
    missing = [name for name in files if not (ROOT / name).exists()]
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
    lines = [line for line in text.splitlines() if STOP.match(line)]
    for line in lines:
        first_word = STOP.sub("", line).split()[0]
        assert FILE.fullmatch(first_word), line
