"""What a clone would not get, or would get with other bytes, is named."""

import shutil
from pathlib import Path

import pytest

from core.files import write_atomic
from core.git import git
from history import layout
from tests.conftest import commit_all, posix
from tests.paths import ROOT
from tests.support.history_checkout import Checkout, heard
from tests.support.history_factories import Workspace, add_run, verify


def test_a_shallow_clone_says_what_it_cannot_see(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", checkout.root.as_uri(), str(shallow))
    faults, said = heard(Workspace(shallow))
    assert faults == [] and "git fetch --unshallow" in said
    git(shallow, "fetch", "--quiet", "--unshallow")
    faults, said = heard(Workspace(shallow))
    assert len(faults) == 1 and said == ""


def test_a_folder_without_git_says_so(checkout: Checkout, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    shutil.copytree(checkout.root, exported, ignore=shutil.ignore_patterns(".git"))
    faults, said = heard(Workspace(exported))
    assert faults == [] and "is not in a Git repository" in said
    git(exported, "init", "--quiet")
    faults, said = heard(Workspace(exported))
    assert faults == [] and "There is no commit yet" in said
    inside = checkout.root / "inside"
    shutil.copytree(exported, inside, ignore=shutil.ignore_patterns(".git"))
    faults, said = heard(Workspace(inside))
    assert faults == [] and "does not hold it" in said


def test_a_project_below_the_repository_s_root_is_checked_too(
    checkout: Checkout, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(checkout.root, outer / "ml", ignore=shutil.ignore_patterns(".git"))
    git(outer, "init", "--quiet")
    commit_all(outer, "begin")
    repo = Workspace(outer / "ml")
    assert heard(repo) == ([], "")
    file = repo.root / checkout.place(checkout.file)
    checkout.better(file)
    commit_all(outer, "better")
    (fault,), _ = heard(repo)
    assert "was changed in commit" in fault


def _add(checkout: Checkout, files: dict[str, bytes]) -> str:
    run = add_run(checkout.repo.mlruns, files)
    return checkout.place(
        layout.run_folders(checkout.repo.mlruns)[run.run_id] / "artifacts"
    )


def test_what_git_would_leave_out_is_named_where_it_was_saved(
    checkout: Checkout,
) -> None:
    (checkout.root / ".gitignore").write_text("__pycache__/\n*.log\n")
    checkout.commit("ignore")
    folder = _add(
        checkout, {"code/__pycache__/a.pyc": b"", "out.log": b"x", "kept.txt": b"y"}
    )
    faults = checkout.faults()
    assert [fault.partition(":")[0] for fault in faults] == [
        f"{folder}/code/__pycache__/a.pyc",
        f"{folder}/out.log",
    ]
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


def test_the_user_s_own_ignore_file_counts(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.png\n")
    (tmp_path / "config").write_text(
        f"[core]\nexcludesFile = {(tmp_path / 'ignore').as_posix()}\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    folder = _add(checkout, {"plot.png": b"x"})
    assert checkout.only_fault().startswith(f"{folder}/plot.png: is ignored by Git")
    shutil.copy(ROOT / ".gitignore", checkout.root)
    assert checkout.faults() == []  # the project's own file overrules that


@pytest.mark.parametrize(
    "attribute", ["filter=lfs", "text eol=lf", "ident", "text=auto"]
)
def test_what_git_would_change_is_named_where_it_was_saved(
    checkout: Checkout, attribute: str
) -> None:
    (checkout.root / ".gitattributes").write_text(f"*.csv {attribute}\n")
    folder = _add(checkout, {"table.csv": b"$Id$\r\n"})
    assert checkout.only_fault().startswith(
        f"{folder}/table.csv: would be changed by Git ("
    )
    shutil.copy(ROOT / ".gitattributes", checkout.root)
    assert checkout.faults() == []  # the project's own file overrules that
    attributes = checkout.root / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(f"*.csv {attribute.replace('=auto', '')}\n")
    assert "table.csv: would be changed by Git" in " ".join(checkout.faults())


def test_what_git_has_changed_already_is_named(checkout: Checkout) -> None:
    (checkout.root / ".gitattributes").write_text("*.csv text eol=lf\n")
    folder = _add(checkout, {"table.csv": b"a\r\nb\r\n"})
    checkout.commit("a table")
    (checkout.root / ".gitattributes").unlink()
    named = f"{folder}/table.csv: has other bytes in Git than here"
    assert any(fault.startswith(named) for fault in checkout.faults())


def test_a_repository_within_an_artifact_is_named(checkout: Checkout) -> None:
    folder = _add(checkout, {"project/a.txt": b"a"})
    project = checkout.root / folder / "project"
    git(project, "init", "--quiet")
    commit_all(project, "theirs")
    assert any("Git would leave files out" in fault for fault in checkout.faults())
    checkout.commit("all of it")
    (project / ".git").rename(checkout.root.with_name("theirs.git"))
    assert checkout.only_fault().startswith(
        f"{folder}/project: is not a file in Git but a link to"
    )


@posix
def test_a_link_in_git_is_named(checkout: Checkout) -> None:
    folder = _add(checkout, {"a.txt": b"b.txt"})
    blob = checkout.git("hash-object", "-w", f"{folder}/a.txt")
    checkout.git("add", "--all")
    checkout.git("update-index", "--cacheinfo", f"120000,{blob},{folder}/a.txt")
    assert "is not a file in Git but a symbolic link" in checkout.only_fault()


def test_files_of_the_work_tree_alone_are_not_asked_for_by_a_publish(
    checkout: Checkout,
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    assert verify(checkout.repo, [checkout.run.run_id]) == []


def test_other_text_below_mlruns_may_change(checkout: Checkout) -> None:
    for text in ("one\n", "two\n"):
        write_atomic(checkout.repo.mlruns / "README.md", text)
        checkout.commit("leaderboard")
    write_atomic(checkout.repo.mlruns / "README.md", "three\n")
    assert checkout.faults() == []
