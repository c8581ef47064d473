"""The folder of a site: what it may replace, and what stays if that fails."""

from pathlib import Path

import pytest

from core.errors import UsageError
from pipeline.site.target import MARKER, PROGRAM, replacing_folder


def write_site(folder: Path, page: str) -> None:
    with replacing_folder(folder) as site:
        (site / MARKER).write_text(f'{{"program": "{PROGRAM}"}}')
        (site / page).touch()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_and_an_empty_folder_are_filled(tmp_path: Path) -> None:
    new = tmp_path / "a" / "new"
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (new, empty):
        write_site(folder, "index.html")
        assert names(folder) == ["index.html", MARKER]
    assert names(tmp_path) == ["a", "empty"]
    assert names(new.parent) == ["new"]


def test_an_earlier_site_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(folder, "old.html")
    write_site(folder, "index.html")
    assert names(folder) == ["index.html", MARKER]
    assert names(tmp_path) == ["site"]


def test_a_failure_leaves_the_earlier_site(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_site(folder, "old.html")
    with pytest.raises(KeyboardInterrupt), replacing_folder(folder) as site:
        (site / "index.html").touch()
        raise KeyboardInterrupt
    assert names(folder) == ["old.html", MARKER]
    assert names(tmp_path) == ["site"]


@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", '{"program": "another"}', "\0"],
)
def test_what_is_no_site_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / MARKER).write_text(content)
    with pytest.raises(UsageError, match="docs is not empty, and not a site"):
        write_site(folder, "index.html")
    assert names(folder) == [MARKER]
    assert names(tmp_path) == ["docs"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="file is a file: name a folder that is new"):
        write_site(file, "index.html")
