"""Git calls depend on their folder, and on nothing that the caller's Git has set."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import git as calls
from core.errors import PipelineError
from core.git import GitError, environment, git, succeeds
from tests.conftest import Clone, commit_all, make_origin, posix
from tests.paths import ROOT
from tests.support.clock import replace_sleep

PASSED_ON = (
    "GIT_AUTHOR",
    "GIT_COMMITTER",
    "GIT_ASKPASS",
    "GIT_S",
    "GIT_HTTP",
    "GIT_PROXY",
    "GIT_ALLOW",
    "GIT_PROTOCOL",
    "GIT_CONFIG_",
    "GIT_EXEC",
)
SOURCES = (
    "app",
    "core",
    "course",
    "history",
    "pipeline",
    "scripts",
    "tools",
    "monitoring",
)


def test_no_variable_that_git_calls_local_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = git(tmp_path, "rev-parse", "--local-env-vars").split()
    assert {"GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"} <= set(local)
    more = (
        "GIT_NAMESPACE",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_KEY_0",
        "GIT_EXTERNAL_DIFF",
    )
    for name in (*local, *more, "GIT_OF_A_LATER_VERSION"):
        monkeypatch.setenv(name, "x")
    forbidden = {*local, *more, "GIT_OF_A_LATER_VERSION"}
    assert not environment().keys() & forbidden


def test_variables_for_the_identity_and_for_servers_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = (
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_ASKPASS",
        "GIT_SSH_COMMAND",
        "GIT_SSH",
    )
    for name in kept:
        monkeypatch.setenv(name, "mine")
    variables = environment()
    for name in kept:
        assert variables[name] == "mine"


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map(lambda name: f"GIT_{name}")
)
def test_only_named_variables_of_git_are_passed_on(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, "x")
        is_passed_on = environment().get(name) == "x"
        assert not is_passed_on or name.startswith(PASSED_ON)


@pytest.mark.parametrize(
    "name",
    [
        "GIT_DIR",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
    ],
)
def test_a_call_answers_for_its_folder_whatever_the_caller_works_on(
    clone: Clone, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = clone("mine").root
    (tmp_path / "unrelated").mkdir()
    git(tmp_path / "unrelated", "init", "--quiet")
    monkeypatch.setenv(name, str(tmp_path / "unrelated" / ".git"))
    assert Path(git(mine, "rev-parse", "--show-toplevel")).samefile(mine)
    assert git(mine, "status", "--porcelain") == ""


def test_settings_in_variables_are_ignored(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert git(clone("mine").root, "status", "--porcelain") == ""


def user_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *settings: tuple[str, str]
) -> None:
    """Give the user settings of their own, as in ~/.gitconfig."""
    file = folder / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    for key, value in settings:
        subprocess.run(["git", "config", "--file", file, key, value], check=True)


@posix
@pytest.mark.parametrize("hook", ["pre-commit", "post-commit", "reference-transaction"])
def test_no_hook_of_the_user_is_run(
    clone: Clone, tmp_path: Path, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hooks").mkdir()
    own_hooks = clone("mine").root / ".git" / "hooks"
    for folder in (tmp_path / "hooks", own_hooks):
        (folder / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (folder / hook).chmod(0o755)
    user_settings(tmp_path, monkeypatch, ("core.hooksPath", str(tmp_path / "hooks")))
    (tmp_path / "mine" / "new").touch()
    commit_all(tmp_path / "mine", "feat: new")
    assert not (tmp_path / "ran").exists()


@posix
def test_ignore_and_attributes_files_of_the_user_are_ignored(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignored").write_text("*.yaml\n")
    (tmp_path / "attributes").write_text("* filter=large\n")
    settings = (
        ("core.excludesFile", str(tmp_path / "ignored")),
        ("core.attributesFile", str(tmp_path / "attributes")),
        ("filter.large.clean", "echo pointer"),
        ("filter.large.required", "true"),
        ("status.showUntrackedFiles", "no"),
    )
    user_settings(tmp_path, monkeypatch, *settings)
    mine = clone("mine").root
    (mine / "new.yaml").write_text("content")
    assert git(mine, "status", "--porcelain") == "?? new.yaml"
    commit_all(mine, "feat: new")
    assert git(mine, "show", "HEAD:new.yaml") == "content"


def test_an_error_has_the_whole_output_of_git(tmp_path: Path) -> None:
    error = GitError(
        "status", "fatal: dubious ownership\nTo allow it, call:\n\n\tgit config x\n"
    )
    assert str(error) == (
        "git status failed: fatal: dubious ownership To allow it, call: git config x"
    )
    with pytest.raises(
        GitError, match="git rev-parse failed: fatal: not a git repository"
    ):
        git(tmp_path, "-c", "core.bare=false", "rev-parse", "HEAD")


def test_an_error_hides_what_is_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_origin(tmp_path)
    git(folder, "remote", "add", "far", "http://me:pass-word@127.0.0.1:9/x.git")
    with pytest.raises(GitError) as caught:
        git(folder, "fetch", "far")
    assert "127.0.0.1" in str(caught.value)
    assert "pass-word" not in str(caught.value) + caught.value.output


@posix  # Windows looks for programs elsewhere, too
def test_without_git_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PipelineError, match="Git is not installed"):
        git(tmp_path, "status")


def test_a_lock_that_another_git_holds_for_a_moment_is_waited_for(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = clone("mine").root
    lock = mine / ".git" / "index.lock"
    lock.touch()
    waited: list[float] = []

    def released(seconds: float) -> None:
        waited.append(seconds)
        lock.unlink()

    replace_sleep(monkeypatch, calls, released)
    git(mine, "add", "--all")
    assert len(waited) == 1
    replace_sleep(monkeypatch, calls, waited.append)
    lock.touch()
    with pytest.raises(GitError, match="index.lock.*remove the file manually"):
        git(mine, "add", "--all")


def test_succeeds_returns_whether_the_status_is_0(tmp_path: Path) -> None:
    assert succeeds(tmp_path, "version")
    assert not succeeds(tmp_path, "rev-parse", "HEAD")


def test_every_call_of_git_goes_through_the_one_module() -> None:
    callers = set()
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            for line in path.read_text("utf-8").splitlines():
                if '"git"' in line and '"git", "--version"' not in line:
                    callers.add(path.relative_to(ROOT).as_posix())
    # The others run Git where no user has settings: in the sandbox of a student's
    # programs, and in a container.
    others = {"course/grading/reproduce.py", "scripts/stack/follow.py"}
    assert callers - others == {"core/git.py"}
