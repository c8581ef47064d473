"""Publishing from every form of checkout that Git offers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.paths import ROOT
from tests.support.publishing import give_history, note


@pytest.fixture
def origin(origin: Path) -> Path:
    """The origin with a history."""
    give_history(origin)
    return origin


def linked_worktree(clone: Clone) -> Path:
    repo = clone("mine")
    tree = repo.root.parent / "linked"
    git(repo.root, "worktree", "add", "--quiet", "-b", "work", str(tree))
    return tree


def submodule(clone: Clone) -> Path:
    origin = clone("look").root.with_name("origin.git")
    outer = origin.parent / "outer"
    git(origin.parent, "init", "--quiet", str(outer))
    command = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    git(outer, *command, origin.as_uri(), "inner")
    return outer / "inner"


def detached(clone: Clone) -> Path:
    root = clone("mine").root
    git(root, "switch", "--quiet", "--detach")
    return root


def sparse(*patterns: str) -> Callable[[Clone], Path]:
    def make(clone: Clone) -> Path:
        root = clone("mine", "--filter=blob:none", "--sparse").root
        git(root, "sparse-checkout", "set", *patterns)
        return root

    return make


def worktree_of_a_bare_clone(clone: Clone) -> Path:
    origin = clone("look").root.with_name("origin.git")
    bare = origin.parent / "bare"
    tree = origin.parent / "checkout"
    git(origin.parent, "clone", "--quiet", "--bare", origin.as_uri(), str(bare))
    git(bare, "worktree", "add", "--quiet", "-b", "work", str(tree))
    return tree


def cloned(*options: str) -> Callable[[Clone], Path]:
    return lambda clone: clone("mine", *options).root


FORMS = {
    "linked worktree": linked_worktree,
    "submodule": submodule,
    "detached": detached,
    "shallow": cloned("--depth=1"),
    "shallow with one branch": cloned("--depth=1", "--single-branch"),
    "partial without blobs": cloned("--filter=blob:none"),
    "partial without trees": cloned("--filter=tree:0"),
    "partial and shallow": cloned("--filter=tree:0", "--depth=1"),
    "sparse by folders": sparse("--cone", "docs"),
    "sparse by patterns": sparse("--no-cone", "/params.yaml", "/docs/"),
    "sparse with a sparse index": sparse("--cone", "--sparse-index", "docs"),
    "git folder elsewhere": cloned("--separate-git-dir=mine.git"),
    "worktree of a bare clone": worktree_of_a_bare_clone,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_checkout_publishes_and_stays_as_it_is(
    clone: Clone, origin: Path, form: str
) -> None:
    root = FORMS[form](clone)
    before = state(root)
    repo = Repo.open(root)
    commit, _ = land(repo, "origin", "main", note("mine"))
    assert git(origin, "rev-parse", "main") == commit
    # Every other file is kept, even those that this checkout leaves out.
    changes = git(origin, "diff", "--name-status", "main~1", "main").splitlines()
    assert changes == ["A\tresults/count", "A\tresults/mine.txt"]
    assert state(root) == before


def state(root: Path) -> dict[str, object]:
    """Return what a user would see if the publish changed it."""
    files = []
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if ".git" not in path.parts and name != "build":
            files.append(name)
    fetched = Path(git(root, "rev-parse", "--git-path", "FETCH_HEAD"))
    fetched = root / fetched
    return {
        "changes": git(root, "status", "--porcelain"),
        "commit": git(root, "rev-parse", "HEAD"),
        "files": sorted(files),
        "settings": git(root, "config", "--local", "--list"),
        "worktrees": git(root, "worktree", "list"),
        "branches": git(root, "for-each-ref", "refs/heads"),
        "shallow": git(root, "rev-parse", "--is-shallow-repository"),
        "fetched": fetched.read_bytes() if fetched.exists() else None,
    }


def has_reftable() -> bool:
    """Return whether this Git can keep references in tables."""
    version = git(ROOT, "version").split()[2]
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= (2, 45)


@pytest.mark.skipif(not has_reftable(), reason="this Git has no reftable")
def test_a_clone_that_keeps_its_references_in_tables(
    clone: Clone, origin: Path
) -> None:
    repo = clone("mine", "--ref-format=reftable")
    commit, _ = land(repo, "origin", "main", note("mine"))
    assert git(origin, "rev-parse", "main") == commit
