"""Files go into Git and come back byte for byte, without a checkout."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import PipelineError
from core.git import git, git_bytes
from core.git_objects import Tree, read_blobs, write_blobs
from core.git_trees import changed_tree, entries, files_below, folder_of
from tests.conftest import commit_all

NAMES = st.text("abä -_.'", min_size=1, max_size=8).filter(
    lambda name: name.strip(". ") == name and name != ""
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=50), max_size=6)


def without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the files that are in the place of another one's folder."""
    kept = {}
    for path, content in files.items():
        folders = [other for other in files if other.startswith(f"{path}/")]
        if not folders:
            kept[path] = content
    return kept


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit, whose attributes would change most files."""
    git(tmp_path, "init", "--quiet", "repo")
    folder = tmp_path / "repo"
    (folder / "other.txt").write_bytes(b"one\r\n")
    commit_all(folder, "feat: begin")
    (folder / ".git" / "info" / "attributes").write_text("* text eol=crlf ident\n")
    return folder


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES.map(without_clashes))
def test_any_files_are_stored_and_written_again_as_they_were(
    root: Path, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    paths = []
    for number, content in enumerate(files.values()):
        path = folder / str(number)
        path.write_bytes(content)
        paths.append(path)
    names = [f"added/{name}" for name in files]
    blobs = dict(zip(names, write_blobs(root, paths), strict=True))
    tree = Tree(root, changed_tree(root, "HEAD", blobs))
    assert dict(tree.files("added")) == blobs
    assert files_below(root, folder_of(root, tree.name, "added")) == blobs
    tree.write_files(blobs, folder / "again")
    for name, content in zip(names, files.values(), strict=True):
        assert (folder / "again" / name).read_bytes() == content
    # Everything else is as it was, here and in the tree.
    options = ("--name-only", "--no-renames", "--diff-filter=DMT")
    assert git(root, "diff-tree", "-r", *options, "HEAD", tree.name) == ""
    assert git(root, "ls-files") == "other.txt"


def test_a_file_is_replaced_in_the_tree_alone(root: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"two\r\n")
    (blob,) = write_blobs(root, [new])
    tree = changed_tree(root, "HEAD", {"other.txt": blob})
    assert git(root, "cat-file", "-p", f"{tree}:other.txt") == "two"
    assert list(read_blobs(root, [blob, blob])) == [b"two\r\n", b"two\r\n"]
    assert (root / "other.txt").read_bytes() == b"one\r\n"


def test_links_and_other_repositories_are_not_files(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    blob = git(root, "rev-parse", "HEAD:other.txt")
    entries = [
        f"120000 blob {blob}\tlink",
        f"160000 commit {commit}\tmodule",
        f"100755 blob {blob}\tprogram",
    ]
    folder = git(root, "mktree", stdin="\n".join(entries))
    tree = git(root, "mktree", stdin=f"040000 tree {folder}\tfolder")
    assert list(Tree(root, tree).files("folder")) == [("folder/program", blob)]
    assert list(Tree(root, tree).files("elsewhere")) == []


def test_an_object_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(PipelineError, match=f"the object {'1' * 40} is not in this"):
        list(read_blobs(root, ["1" * 40]))


def test_a_tree_is_changed_deep_inside_and_keeps_everything_else(
    root: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.write_bytes(b"new")
    (blob,) = write_blobs(root, [new])
    odd = "odd\udcff"  # a name that is not UTF-8
    first = changed_tree(root, "HEAD", {f"{odd}/a/file": blob, "one/two/file": blob})
    second = changed_tree(root, first, {"one/two/other": blob, "one/three": blob})
    names = git_bytes(root, "ls-tree", "-r", "-z", "--name-only", second)
    assert names.split(b"\0")[:-1] == [
        b"odd\xff/a/file",
        b"one/three",
        b"one/two/file",
        b"one/two/other",
        b"other.txt",
    ]
    assert git(root, "fsck", "--strict", "--no-dangling", second) == ""
    unchanged = git(root, "rev-parse", "HEAD^{tree}")
    assert changed_tree(root, "HEAD", {}) == unchanged


def test_files_are_removed_from_a_tree_with_the_folders_that_they_leave_empty(
    root: Path,
) -> None:
    blob = git(root, "rev-parse", "HEAD:other.txt")
    paths = ("one/two/a", "one/two/b", "one/c", "deep/er/file")
    tree = changed_tree(root, "HEAD", dict.fromkeys(paths, blob))
    left = changed_tree(root, tree, {}, ["one/two/a", "deep/er/file", "no/such"])
    names = git(root, "ls-tree", "-r", "-t", "--name-only", left).splitlines()
    assert names == ["one", "one/c", "one/two", "one/two/b", "other.txt"]
    replaced = changed_tree(root, left, {"one/two": blob}, ["one/two/b"])
    names = git(root, "ls-tree", "-r", "--name-only", replaced).splitlines()
    assert names == ["one/c", "one/two", "other.txt"]
    assert git(root, "fsck", "--strict", "--no-dangling", replaced) == ""


def test_a_folder_takes_the_place_of_a_file(root: Path) -> None:
    blob = git(root, "rev-parse", "HEAD:other.txt")
    tree = changed_tree(root, "HEAD", {"other.txt/file": blob})
    assert dict(Tree(root, tree).files("other.txt")) == {"other.txt/file": blob}


def test_many_folders_are_read_at_once(root: Path) -> None:
    blob = git(root, "rev-parse", "HEAD:other.txt")
    tree = changed_tree(root, "HEAD", {"one/file": blob, "two/sub/file": blob})
    folders = folder_of(root, tree, "one") | folder_of(root, tree, "two")
    assert folder_of(root, tree, "three") == {}
    (file,), (sub,) = entries(root, folders)
    assert (file.path, file.name, file.is_file) == ("one/file", blob, True)
    assert (sub.path, sub.is_folder, sub.is_file) == ("two/sub", True, False)
