"""Publishing from every form of checkout that Git offers, and with settings of the
clone's own.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish import worktree
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.conftest import commit_all, make_clone, make_origin, posix
from tests.paths import ROOT
from tests.unit.pipeline.publish.test_loop import note

Clone = Callable[..., Repo]


def give_history(origin: Path) -> None:
    """Give the origin a history, a model and a page: something to leave out, or to
    alter.
    """
    git(origin, "config", "uploadpack.allowFilter", "true")
    seed = origin.parent / "seed"
    (seed / ".gitattributes").write_text("mlruns/** -text\n* text=auto eol=lf\n")
    for name in (
        "mlruns/iris/run.json",
        "deployment/models/iris/model.onnx",
        "docs/why.md",
    ):
        (seed / name).parent.mkdir(parents=True)
        (seed / name).write_text("one\ntwo\n")
    commit_all(seed, "feat: a history")
    git(seed, "push", "--quiet", str(origin), "main")


@pytest.fixture
def origin(origin: Path) -> Path:
    """The origin with a history."""
    give_history(origin)
    return origin


def linked(clone: Clone) -> Path:
    repo = clone("mine")
    tree = repo.root.parent / "linked"
    git(repo.root, "worktree", "add", "--quiet", "-b", "work", str(tree))
    return tree


def submodule(clone: Clone) -> Path:
    origin = clone("look").root.with_name("origin.git")
    outer = origin.parent / "outer"
    git(origin.parent, "init", "--quiet", str(outer))
    allowed = "-c", "protocol.file.allow=always"
    git(outer, *allowed, "submodule", "--quiet", "add", origin.as_uri(), "inner")
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


def separate(clone: Clone) -> Path:
    return clone("mine", "--separate-git-dir=mine.git").root


def of_a_bare_clone(clone: Clone) -> Path:
    origin = clone("look").root.with_name("origin.git")
    bare = origin.parent / "bare"
    tree = origin.parent / "checkout"
    git(origin.parent, "clone", "--quiet", "--bare", origin.as_uri(), str(bare))
    git(bare, "worktree", "add", "--quiet", "-b", "work", str(tree))
    return tree


def cloned(*options: str) -> Callable[[Clone], Path]:
    return lambda clone: clone("mine", *options).root


FORMS = {
    "linked worktree": linked,
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
    "git folder elsewhere": separate,
    "worktree of a bare clone": of_a_bare_clone,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_checkout_publishes_and_stays_as_it_is(
    clone: Clone, origin: Path, form: str
) -> None:
    root = FORMS[form](clone)
    before = state(root)
    commit, _ = land(Repo.open(root), "origin", "main", note("mine"))
    assert git(origin, "rev-parse", "main") == commit
    # Every other file is still there, even those that this checkout leaves out.
    changes = git(origin, "diff", "--name-status", "main~1", "main").splitlines()
    assert changes == ["A\tresults/count", "A\tresults/mine.txt"]
    assert state(root) == before


def state(root: Path) -> tuple[str, ...]:
    """Return what a user would see changed: branch, changes, files, sparse settings,
    worktrees.
    """
    files = sorted(
        p.relative_to(root).as_posix() for p in root.rglob("*") if ".git" not in p.parts
    )
    return (
        git(root, "status", "--porcelain"),
        git(root, "rev-parse", "HEAD"),
        " ".join(name for name in files if name != "build"),
        git(root, "config", "--local", "--list"),
        git(root, "worktree", "list"),
        git(root, "for-each-ref", "refs/heads"),
    )


@pytest.mark.skipif(
    tuple(map(int, git(ROOT, "version").split()[2].split(".")[:2])) < (2, 45),
    reason="this Git has no reftable",
)
def test_a_clone_that_keeps_its_references_in_tables(
    clone: Clone, origin: Path
) -> None:
    repo = clone("mine", "--ref-format=reftable")
    commit, _ = land(repo, "origin", "main", note("mine"))
    assert git(origin, "rev-parse", "main") == commit


def as_somebody_else(root: Path) -> "subprocess.CompletedProcess[str]":
    """Publish as another user of this machine, who may read the checkout and not write
    to it.
    """
    code = f"""
import sys, os
sys.path[:0] = [{str(ROOT)!r}]
from pathlib import Path
from core.errors import PipelineError
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.unit.pipeline.publish.test_loop import note
os.setgid(65534)
os.setuid(65534)
try:
    land(Repo.open(Path.cwd()), "origin", "main", note("mine"))
except PipelineError as error:
    sys.exit(str(error))
"""
    build = root.parent / "build-of-another"
    build.mkdir(exist_ok=True)
    build.chmod(0o777)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "MLOPS_BUILD_DIR": str(build), "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may read: pytest makes its own private again at any time."""
    with tempfile.TemporaryDirectory(prefix="mlops-test-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


@posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another"
)
def test_a_checkout_of_somebody_else_s_ends_with_git_s_advice_and_a_read_only_one_with_ours(
    open_folder: Path,
) -> None:
    repo = make_clone(make_origin(open_folder), "mine")
    done = as_somebody_else(repo.root)
    assert "dubious ownership" in done.stderr, done.stderr
    assert f"git config --global --add safe.directory {repo.root}" in done.stderr
    settings = open_folder / "settings"
    settings.write_text("[safe]\n\tdirectory = *\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        done = as_somebody_else(repo.root)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "read-only" in done.stderr or "cannot write" in done.stderr
    assert "clone of your own" in done.stderr


def test_a_git_that_is_too_old_is_named(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktree, "OLDEST_GIT", (99, 1))
    with pytest.raises(
        PipelineError, match="git version .* is too old .* install Git 99.1 or newer"
    ):
        land(clone("mine"), "origin", "main", note("mine"))


def test_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    with pytest.raises(GitError, match="not a git repository"):
        land(Repo.open(tmp_path), "origin", "main", note("mine"))


def test_a_folder_of_another_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "params.yaml").touch()
    with pytest.raises(
        PipelineError, match="is the folder inner/ of another repository"
    ):
        land(Repo.open(tmp_path / "inner"), "origin", "main", note("mine"))


def test_a_branch_of_another_kind_is_refused(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    empty = git(repo.root, "mktree", stdin="")
    identity = "-c", "user.name=Tester", "-c", "user.email=tester@example.org"
    pages = git(repo.root, *identity, "commit-tree", empty, stdin="pages\n")
    git(repo.root, "push", "--quiet", "origin", f"{pages}:refs/heads/gh-pages")
    with pytest.raises(
        PipelineError, match="branch gh-pages does not belong to this project"
    ):
        land(repo, "origin", "gh-pages", note("mine"))
    assert git(origin, "rev-parse", "gh-pages") == pages


def test_a_worktree_that_lost_its_git_file_is_not_used(clone: Clone) -> None:
    repo = clone("mine")
    (repo.root / "draft.txt").write_text("precious")

    def lose(tip: Repo) -> None:
        (tip.root / ".git").unlink()
        worktree.checkout(tip.root, "HEAD")

    with pytest.raises(PipelineError, match="nothing was changed"):
        land(repo, "origin", "main", lose)  # type: ignore[arg-type]
    assert (repo.root / "draft.txt").read_text("utf-8") == "precious"
