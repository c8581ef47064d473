"""Publishing in spite of a clone's settings, filters and hooks, and in deep folders."""

from pathlib import Path

import pytest

from core.git import git
from pipeline.publish import workspace
from pipeline.publish.loop import land
from tests.conftest import Clone, posix
from tests.paths import ROOT
from tests.support.publishing import give_history, note


@pytest.mark.parametrize(
    "settings",
    [
        {"core.autocrlf": "true"},
        {"core.autocrlf": "input", "core.safecrlf": "true"},
        {"core.eol": "crlf"},
        {"core.attributesFile": "ATTRIBUTES", "filter.large.clean": "false"},
        {"submodule.recurse": "true"},
        {"extensions.worktreeConfig": "true"},
        {"core.fileMode": "false"},
        {"safe.bareRepository": "explicit"},
    ],
    ids=lambda settings: "+".join(settings),
)
def test_settings_of_the_clone_change_no_byte(
    clone: Clone, origin: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    give_history(origin)
    repo = clone("mine")
    attributes = tmp_path / "attributes"
    attributes.write_text("* filter=large text eol=crlf\n")
    for key, value in settings.items():
        git(repo.root, "config", key, value.replace("ATTRIBUTES", str(attributes)))
    land(repo, "origin", "main", note("mine"))
    assert git(origin, "cat-file", "-p", "main:results/mine.txt") == "mine"
    folders = ["mlruns", "docs"]
    assert git(origin, "diff", "--name-only", "main~1", "main", "--", *folders) == ""


@pytest.mark.parametrize("address", ["../origin.git", "inside=here.git"])
@pytest.mark.parametrize("as_remote", [True, False])
def test_a_relative_address_is_seen_from_the_checkout(
    clone: Clone, origin: Path, address: str, as_remote: bool
) -> None:
    repo = clone("mine")
    target = (repo.root / address).resolve()
    if target != origin.resolve():
        git(repo.root, "clone", "--quiet", "--bare", str(origin), str(target))
    remote = "origin"
    origin_address = address
    if not as_remote:
        remote = address
        origin_address = "../nowhere.git"
    git(repo.root, "remote", "set-url", "origin", origin_address)
    land(repo, remote, "main", note("mine"))
    assert git(target, "cat-file", "-p", "main:results/mine.txt") == "mine"


@posix
def test_a_filter_of_the_clone_s_own_attributes_changes_no_byte(
    clone: Clone, origin: Path
) -> None:
    repo = clone("mine")
    attributes = repo.root / ".git" / "info" / "attributes"
    attributes.write_text("results/** filter=upper text eol=crlf\n")
    git(repo.root, "config", "filter.upper.clean", "tr a-z A-Z")
    land(repo, "origin", "main", note("mine"))
    assert git(origin, "cat-file", "-p", "main:results/mine.txt") == "mine"


@posix
@pytest.mark.parametrize(
    "hook", ["post-checkout", "prepare-commit-msg", "pre-push", "post-index-change"]
)
@pytest.mark.parametrize("shared", [True, False])
def test_no_hook_of_the_clone_runs(
    clone: Clone, origin: Path, tmp_path: Path, hook: str, shared: bool
) -> None:
    repo = clone("mine")
    folder = repo.root / ".git" / "hooks"
    if shared:
        folder = tmp_path / "hooks"
    folder.mkdir(exist_ok=True)
    if shared:
        git(repo.root, "config", "core.hooksPath", str(folder))
    program = folder / hook
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\nexit 2\n")
    program.chmod(0o755)
    land(repo, "origin", "main", note("mine"))
    assert git(origin, "show", "main:results/mine.txt") == "mine"
    assert not (tmp_path / "ran").exists()


def test_what_a_publish_adds_to_a_path_is_small() -> None:
    """Windows allows 260 characters; runners and OneDrive have the deepest folders."""
    names = git(ROOT, "ls-files", "-z").split("\0")
    longest = max(names, key=len)
    repository = "a-repository-with-quite-a-long-name-2026"
    onedrive = "C:\\Users\\firstname\\OneDrive - University of Somewhere"
    folders = [
        f"D:\\a\\{repository}\\{repository}",
        f"C:\\Users\\runneradmin\\AppData\\Local\\Temp\\{repository}",
        f"{onedrive}\\Documents\\{repository}",
    ]
    for folder in folders:
        path = f"{folder}\\.git\\{workspace.NAME}\\tip\\{longest}"
        length = len(path)
        assert length < 240, f"{length}: {path}"
