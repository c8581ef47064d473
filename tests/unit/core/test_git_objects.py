"""Files go into Git and come back byte for byte, without a checkout."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import PipelineError
from core.git import git
from core.git_objects import Index, Tree, read_blobs, write_blobs
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
    index = Index(root, folder / "index")
    index.read("HEAD")
    index.add(blobs)
    tree = Tree(root, index.write())
    assert dict(tree.files("added")) == blobs
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
    index = Index(root, tmp_path / "index")
    index.read("HEAD")
    (blob,) = write_blobs(root, [new])
    index.add({"other.txt": blob})
    tree = index.write()
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
