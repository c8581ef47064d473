"""Copies of a class are fetched and graded; whatever is wrong with one is its line."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from course.copy import Copy
from course.grading import worktree
from course.teacher import bounds, mirror, roster, sheet
from course.teacher.checkout import checkout
from course.teacher.collect import opened
from course.teacher.mirror import Mirror
from course.teacher.roster import Row
from tests.conftest import commit_all, native_git
from tests.support import forged_copies
from tests.support.forged_copies import FORGED, begun

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
Spoil = Callable[[Path], None]
BEGUN_FILES = ["course", "course/student.yaml"]
OPTIONS = ["", "--upload-pack=touch executed", "-x"]
ROSTERS = [
    ("handle\nann\n", "has no column address"),
    ("handle,address\n", "has no student"),
    ("handle,address\nann,x\nAnn,y\n", "has Ann twice"),
    ("handle,address\n../ann,x\n", "line 2: '../ann' is not a name"),
    ("handle,address,late_days\nann,x,-1\n", "late days are '-1'"),
    ("handle,address\nann\n", ""),
]
# As a spreadsheet writes it.
ROSTER = """\
name;handle;address;late_days
Ann A;ann;ann;2
B;ben;https://x.org/b;
"""


def mirrored(folder: Path, source: Path) -> Mirror:
    """Fetch a copy in this process."""
    bare = Mirror(folder / "mirror.git", "ann")
    bare.path.mkdir()
    bare.git("init", "--quiet", "--bare", "-b", "main")
    mirror.fetch(str(source), bare.path)
    return bare


def look(folder: Path, source: Path) -> list[str]:
    """Do what a collection does to a copy before it grades; return its files."""
    fetched = mirrored(folder, source)
    bounds.require_bounded(fetched.path, fetched.main)
    with checkout(fetched, fetched.main, str(source)) as root:
        assert git(root, "rev-parse", "HEAD") == fetched.main
        opened_copy = Copy(root, "")
        assert opened_copy.student.handle == "ann"
        names = []
        for path in root.rglob("*"):
            if ".git" not in path.parts:
                assert not path.is_symlink()
                name = path.relative_to(root).as_posix()
                names.append(name)
        return sorted(names)


def forgeries() -> list[object]:
    """Return ways to break a copy, of which a large one is slow."""
    listed = []
    for name, values in FORGED.items():
        marks = []
        if name == "many-files":
            marks.append(pytest.mark.slow)
        listed.append(pytest.param(*values, id=name, marks=marks))
    return listed


@native_git
@pytest.mark.parametrize(("spoil", "line"), forgeries())
def test_a_hostile_copy_is_a_sentence_or_plain_files(
    tmp_path: Path, spoil: Spoil, line: str
) -> None:
    source = begun(tmp_path / "copy", "ann")
    spoil(source)
    if line:
        with pytest.raises(PipelineError, match=line):
            look(tmp_path, source)
    else:
        files = look(tmp_path, source)
        others = set(files) - {".gitattributes"}
        assert others == set(BEGUN_FILES)
    assert not list(tmp_path.rglob("executed"))


@pytest.mark.parametrize("address", OPTIONS)
def test_an_address_is_no_option(tmp_path: Path, address: str) -> None:
    with pytest.raises(PipelineError, match="is not an address"):
        mirror.fetch(address, tmp_path)


@native_git
def test_a_bundle_is_a_copy(tmp_path: Path) -> None:
    source = begun(tmp_path / "copy", "ann")
    bundle = tmp_path / "ann.bundle"
    git(source, "bundle", "create", "--quiet", str(bundle), "main")
    assert look(tmp_path, bundle) == BEGUN_FILES


def test_trees_are_counted_as_git_lists_them(tmp_path: Path) -> None:
    source = begun(tmp_path / "copy", "ann")
    for name in ("a/b/c", "a/b/d", "a/e", "f"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("same", "utf-8")
    commit = commit_all(source, "feat: add files")
    tree = git(source, "rev-parse", f"{commit}^{{tree}}")
    counts = bounds.Counts(source)
    counts.read([tree])
    listed = git(source, "ls-tree", "-r", tree)
    assert counts.files(tree) == len(listed.splitlines())


def written(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_text(text, "utf-8-sig")
    return path


def test_a_roster_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    own_folder = tmp_path / "ann"
    own_folder.mkdir()
    path = written(tmp_path, ROSTER)
    rows = roster.read(path)
    assert rows == [
        Row("ann", str(own_folder.resolve()), 2),
        Row("ben", "https://x.org/b", 0),
    ]


@pytest.mark.parametrize(("text", "sentence"), ROSTERS)
def test_a_wrong_roster_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    if sentence:
        with pytest.raises(UsageError, match=sentence):
            roster.read(path)
    else:
        assert roster.read(path) == [Row("ann", "", 0)]


def test_students_with_one_address_are_named(tmp_path: Path) -> None:
    rows = [
        Row("a", "x.git"),
        Row("b", "y"),
        Row("c", "x"),
    ]
    assert roster.shared(rows) == {"a": "c", "c": "a"}


def test_a_folder_has_one_collection_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    file = folder / "salt"
    with opened(folder, None):
        salt = file.read_text("utf-8")
        with pytest.raises(PipelineError, match="another collection"):
            with opened(folder, None):
                pass
    with opened(folder, None):
        assert file.read_text("utf-8") == salt
    assert len(salt) == 32
    if os.name != "nt":
        mode = file.stat().st_mode
        assert mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_file_too_large_for_the_limits_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = begun(tmp_path / "copy", "ann")
    forged_copies.large_file(source)
    monkeypatch.setattr("course.grading.process.FILE_BYTES", 1_000_000)
    bare = Mirror(tmp_path / "mirror.git", "ann")
    with pytest.raises(PipelineError, match="too large"):
        bare.update(str(source), NOW)
    monkeypatch.setattr(worktree, "MOST_BYTES", 1_000_000)
    with pytest.raises(PipelineError, match="bytes"):
        look(tmp_path / "copy", source)


def test_what_a_spreadsheet_would_run_is_text() -> None:
    assert sheet.harmless("=1+1\nx") == "'=1+1 x"
    assert sheet.harmless("3 of 4") == "3 of 4"
