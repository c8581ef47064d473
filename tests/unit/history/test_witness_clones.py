"""Files that a clone would not get, or would get with other bytes, are reported."""

import shutil
from pathlib import Path

import pytest

from core.files import write_atomic
from core.git import git
from history import layout
from tests.conftest import commit_all, posix
from tests.paths import ROOT
from tests.support.history_checkout import Checkout, faults_and_notices
from tests.support.history_factories import Workspace, add_run, verify


def copy_without_git(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns(".git")
    shutil.copytree(source, target, ignore=ignored)


def only_notice(folder: Path) -> str:
    """Return the notice about a history that has no fault."""
    faults, notice = faults_and_notices(Workspace(folder))
    assert faults == []
    return notice


def test_a_shallow_clone_is_checked_with_a_notice(
    checkout: Checkout,
    tmp_path: Path,
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    shallow = tmp_path / "shallow"
    source = checkout.root.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", source, "shallow")
    assert "git fetch --unshallow" in only_notice(shallow)
    git(shallow, "fetch", "--quiet", "--unshallow")
    faults, notice = faults_and_notices(Workspace(shallow))
    assert len(faults) == 1
    assert notice == ""


def test_a_folder_without_git_is_checked_with_a_notice(
    checkout: Checkout,
    tmp_path: Path,
) -> None:
    exported = tmp_path / "exported"
    copy_without_git(checkout.root, exported)
    assert "is not in a Git repository" in only_notice(exported)
    git(exported, "init", "--quiet")
    assert "There is no commit yet" in only_notice(exported)
    inside = checkout.root / "inside"
    copy_without_git(exported, inside)
    assert "does not hold it" in only_notice(inside)


def test_a_project_below_the_repository_s_root_is_checked_too(
    checkout: Checkout,
    tmp_path: Path,
) -> None:
    outer = tmp_path / "outer"
    copy_without_git(checkout.root, outer / "ml")
    git(outer, "init", "--quiet")
    commit_all(outer, "begin")
    repo = Workspace(outer / "ml")
    assert faults_and_notices(repo) == ([], "")
    file = repo.root / checkout.place(checkout.file)
    checkout.better(file)
    commit_all(outer, "better")
    (fault,), _ = faults_and_notices(repo)
    assert "was changed in commit" in fault


def add_artifacts(checkout: Checkout, files: dict[str, bytes]) -> str:
    """Add a run with artifacts, and return the path of their folder."""
    run = add_run(checkout.repo.mlruns, files)
    folder = layout.run_folders(checkout.repo.mlruns)[run.run_id]
    return checkout.place(folder / "artifacts")


def test_files_that_git_ignores_are_reported_where_they_were_added(
    checkout: Checkout,
) -> None:
    ignore = checkout.root / ".gitignore"
    ignore.write_text("__pycache__/\n*.log\n")
    checkout.commit("ignore")
    files = {
        "code/__pycache__/a.pyc": b"",
        "out.log": b"x",
        "kept.txt": b"y",
    }
    folder = add_artifacts(checkout, files)
    first, second = checkout.faults()
    assert first.startswith(f"{folder}/code/__pycache__/a.pyc: ")
    assert second.startswith(f"{folder}/out.log: ")
    checkout.follow(first)
    checkout.follow(second)
    assert checkout.faults() == []


def test_the_user_s_own_ignore_file_counts(
    checkout: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignore = tmp_path / "ignore"
    ignore.write_text("*.png\n")
    config = tmp_path / "config"
    config.write_text(f"[core]\nexcludesFile = {ignore.as_posix()}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    folder = add_artifacts(checkout, {"plot.png": b"x"})
    fault = checkout.only_fault()
    assert fault.startswith(f"{folder}/plot.png: is ignored by Git")
    # The project's own file takes precedence.
    shutil.copy(ROOT / ".gitignore", checkout.root)
    assert checkout.faults() == []


@pytest.mark.parametrize(
    "attribute",
    ["filter=lfs", "text eol=lf", "ident", "text=auto"],
)
def test_files_that_git_would_change_are_reported_where_they_were_added(
    checkout: Checkout,
    attribute: str,
) -> None:
    of_the_project = checkout.root / ".gitattributes"
    of_the_project.write_text(f"*.csv {attribute}\n")
    folder = add_artifacts(checkout, {"table.csv": b"$Id$\r\n"})
    message = f"{folder}/table.csv: would be changed by Git ("
    fault = checkout.only_fault()
    assert fault.startswith(message)
    # The project's own file takes precedence.
    shutil.copy(ROOT / ".gitattributes", checkout.root)
    assert checkout.faults() == []
    of_the_clone = checkout.root / ".git" / "info" / "attributes"
    of_the_clone.parent.mkdir(exist_ok=True)
    always = attribute.replace("=auto", "")
    of_the_clone.write_text(f"*.csv {always}\n")
    faults = " ".join(checkout.faults())
    assert "table.csv: would be changed by Git" in faults


def test_files_that_git_has_changed_are_reported(checkout: Checkout) -> None:
    attributes = checkout.root / ".gitattributes"
    attributes.write_text("*.csv text eol=lf\n")
    folder = add_artifacts(checkout, {"table.csv": b"a\r\nb\r\n"})
    checkout.commit("a table")
    attributes.unlink()
    message = f"{folder}/table.csv: has other bytes in Git than here"
    faults = checkout.faults()
    assert any(fault.startswith(message) for fault in faults)


def test_a_repository_within_an_artifact_is_reported(checkout: Checkout) -> None:
    folder = add_artifacts(checkout, {"project/a.txt": b"a"})
    project = checkout.root / folder / "project"
    git(project, "init", "--quiet")
    commit_all(project, "theirs")
    faults = checkout.faults()
    assert any("Git would leave files out" in fault for fault in faults)
    checkout.commit("all of it")
    aside = checkout.root.with_name("theirs.git")
    (project / ".git").rename(aside)
    message = f"{folder}/project: is not a file in Git but a link to"
    fault = checkout.only_fault()
    assert fault.startswith(message)


@posix
def test_a_link_in_git_is_reported(checkout: Checkout) -> None:
    folder = add_artifacts(checkout, {"a.txt": b"b.txt"})
    file = f"{folder}/a.txt"
    blob = checkout.git("hash-object", "-w", file)
    checkout.git("add", "--all")
    link = f"120000,{blob},{file}"
    checkout.git("update-index", "--cacheinfo", link)
    assert "is not a file in Git but a symbolic link" in checkout.only_fault()


def test_git_is_not_asked_about_some_runs_alone(
    checkout: Checkout,
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    assert verify(checkout.repo, [checkout.run.run_id]) == []


def test_other_text_below_mlruns_may_change(checkout: Checkout) -> None:
    readme = checkout.repo.mlruns / "README.md"
    for text in ("one\n", "two\n"):
        write_atomic(readme, text)
        checkout.commit("leaderboard")
    write_atomic(readme, "three\n")
    assert checkout.faults() == []
