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


def is_a_name(text: str) -> bool:
    """Return whether a file may have a name on every system."""
    return text != "" and text.strip(". ") == text


TEXTS = st.text(
    "abä -_.'",
    min_size=1,
    max_size=8,
)
NAMES = TEXTS.filter(is_a_name)
NAMES_OF_A_PATH = st.lists(
    NAMES,
    min_size=1,
    max_size=3,
)
PATHS = NAMES_OF_A_PATH.map("/".join)
CONTENTS = st.binary(max_size=50)
FILES = st.dictionaries(PATHS, CONTENTS, max_size=6)


def without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the files that are in the place of another one's folder."""
    kept = {}
    for path, content in files.items():
        folder = f"{path}/"
        is_folder = any(other.startswith(folder) for other in files)
        if not is_folder:
            kept[path] = content
    return kept


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit, whose attributes would change most files."""
    git(tmp_path, "init", "--quiet", "repo")
    folder = tmp_path / "repo"
    (folder / "other.txt").write_bytes(b"one\r\n")
    commit_all(folder, "feat: begin")
    attributes = folder / ".git" / "info" / "attributes"
    attributes.write_text("* text eol=crlf ident\n")
    return folder


def blob_of(
    root: Path,
    file: Path,
    content: bytes,
) -> str:
    """Write a file, store it in a repository, and return its object's name."""
    file.write_bytes(content)
    (blob,) = write_blobs(root, [file])
    return blob


def files_in(
    root: Path,
    tree: str,
    folder: str,
) -> dict[str, str]:
    """Return the blobs of the files below a folder of a tree, by their paths."""
    files = Tree(root, tree).files(folder)
    return dict(files)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES.map(without_clashes))
def test_any_files_are_stored_and_written_again_as_they_were(
    root: Path,
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, bytes],
) -> None:
    folder = tmp_path_factory.mktemp("files")
    contents = list(files.values())
    paths = []
    for number, content in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(content)
        paths.append(path)
    names = [f"added/{name}" for name in files]
    stored = write_blobs(root, paths)
    blobs = dict(zip(names, stored, strict=True))
    changed = changed_tree(root, "HEAD", blobs)
    assert files_in(root, changed, "added") == blobs
    added = folder_of(root, changed, "added")
    assert files_below(root, added) == blobs
    again = folder / "again"
    Tree(root, changed).write_files(blobs, again)
    for name, content in zip(names, contents, strict=True):
        path = again / name
        assert path.read_bytes() == content
    # Everything else is as it was, here and in the tree.
    options = (
        "-r",
        "--name-only",
        "--no-renames",
        "--diff-filter=DMT",
    )
    differences = git(root, "diff-tree", *options, "HEAD", changed)
    assert differences == ""
    assert git(root, "ls-files") == "other.txt"


def test_a_file_is_replaced_in_the_tree_alone(
    root: Path,
    tmp_path: Path,
) -> None:
    content = b"two\r\n"
    blob = blob_of(root, tmp_path / "new", content)
    tree = changed_tree(root, "HEAD", {"other.txt": blob})
    in_tree = git(root, "cat-file", "-p", f"{tree}:other.txt")
    assert in_tree == "two"
    read = read_blobs(root, [blob, blob])
    assert list(read) == [content, content]
    here = root / "other.txt"
    assert here.read_bytes() == b"one\r\n"


def test_links_and_other_repositories_are_not_files(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    blob = git(root, "rev-parse", "HEAD:other.txt")
    entries = [
        f"120000 blob {blob}\tlink",
        f"160000 commit {commit}\tmodule",
        f"100755 blob {blob}\tprogram",
    ]
    content = "\n".join(entries)
    folder = git(root, "mktree", stdin=content)
    entry = f"040000 tree {folder}\tfolder"
    name = git(root, "mktree", stdin=entry)
    tree = Tree(root, name)
    files = list(tree.files("folder"))
    assert files == [("folder/program", blob)]
    elsewhere = list(tree.files("elsewhere"))
    assert elsewhere == []


def test_an_object_that_is_not_there_is_named(root: Path) -> None:
    blob = "1" * 40
    message = f"the object {blob} is not in this"
    with pytest.raises(PipelineError, match=message):
        list(read_blobs(root, [blob]))


def test_a_tree_is_changed_deep_inside_and_keeps_everything_else(
    root: Path,
    tmp_path: Path,
) -> None:
    blob = blob_of(root, tmp_path / "new", b"new")
    odd = "odd\udcff"  # a name that is not UTF-8
    first_files = {
        f"{odd}/a/file": blob,
        "one/two/file": blob,
    }
    first = changed_tree(root, "HEAD", first_files)
    second_files = {
        "one/two/other": blob,
        "one/three": blob,
    }
    second = changed_tree(root, first, second_files)
    listing = git_bytes(root, "ls-tree", "-r", "-z", "--name-only", second)
    *names, rest = listing.split(b"\0")
    assert rest == b""
    assert names == [
        b"odd\xff/a/file",
        b"one/three",
        b"one/two/file",
        b"one/two/other",
        b"other.txt",
    ]
    faults = git(root, "fsck", "--strict", "--no-dangling", second)
    assert faults == ""
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
    whole_folder = changed_tree(root, tree, {}, ["one/two", "deep/er/file"])
    names = git(root, "ls-tree", "-r", "--name-only", whole_folder).splitlines()
    assert names == ["one/c", "other.txt"]
    replaced = changed_tree(root, left, {"one/two": blob}, ["one/two/b"])
    names = git(root, "ls-tree", "-r", "--name-only", replaced).splitlines()
    assert names == ["one/c", "one/two", "other.txt"]
    assert git(root, "fsck", "--strict", "--no-dangling", replaced) == ""


def test_a_folder_takes_the_place_of_a_file(root: Path) -> None:
    blob = git(root, "rev-parse", "HEAD:other.txt")
    files = {"other.txt/file": blob}
    tree = changed_tree(root, "HEAD", files)
    assert files_in(root, tree, "other.txt") == files


def test_many_folders_are_read_at_once(root: Path) -> None:
    blob = git(root, "rev-parse", "HEAD:other.txt")
    files = {
        "one/file": blob,
        "two/sub/file": blob,
    }
    tree = changed_tree(root, "HEAD", files)
    one = folder_of(root, tree, "one")
    two = folder_of(root, tree, "two")
    assert folder_of(root, tree, "three") == {}
    (file,), (sub,) = entries(root, one | two)
    assert file.path == "one/file"
    assert file.name == blob
    assert file.is_file is True
    assert sub.path == "two/sub"
    assert sub.is_folder is True
    assert sub.is_file is False
