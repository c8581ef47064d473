"""One comment a pull request, with a real HTTP server in GitHub's place."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ci.comment import LONGEST, MARK, body
from tests.paths import ROOT
from tools.rehearse.act import REPOSITORY, TOKEN
from tools.rehearse.github import GitHub, github


@pytest.fixture
def api() -> Iterator[GitHub]:
    with github() as server:
        yield server


def comment(api: GitHub, file: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as the workflow does: nothing but the standard library can be
    imported.
    """
    told = {
        "GITHUB_API_URL": api.address,
        "GITHUB_REPOSITORY": REPOSITORY,
        "PULL_REQUEST": "7",
    }
    told |= {
        "GITHUB_TOKEN": TOKEN,
        "PYTHONUTF8": "1",
        "http_proxy": "http://127.0.0.1:9",
    } | more
    command = [sys.executable, "-S", "-m", "scripts.ci.comment", str(file)]
    environment = os.environ | told
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_it_is_written_once_and_then_changed(api: GitHub, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    foreign = {"id": 0, "user": {"type": "User"}, "body": f"{MARK} quoted by a person"}
    api.comments.append(dict(foreign))
    for text in ("# ❌ Stopped", "# ✅ All good"):
        page.write_text(text, encoding="utf-8")
        assert comment(api, page).returncode == 0
    assert api.comments[0] == foreign and len(api.comments) == 2
    assert api.comments[1]["body"] == f"{MARK}\n# ✅ All good"


def test_it_is_found_behind_many_others(api: GitHub, tmp_path: Path) -> None:
    person = {"user": {"type": "User"}, "body": "yes"}
    api.comments += [{"id": number, **person} for number in range(99)]
    api.comments.append({"id": 99, "user": {"type": "Bot"}, "body": f"{MARK}\nold"})
    (tmp_path / "page").write_text("new")
    assert comment(api, tmp_path / "page").returncode == 0
    assert len(api.comments) == 100 and api.comments[99]["body"] == f"{MARK}\nnew"


def test_it_is_cut_to_what_github_takes() -> None:
    assert body("short") == f"{MARK}\nshort"
    cut = body("é" * 2 * LONGEST)
    assert len(cut) == LONGEST and cut.endswith("on the page of the workflow run.\n")


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"GITHUB_TOKEN": "wrong"}, 1, "GitHub answers 404"),
        ({"GITHUB_TOKEN": ""}, 2, "GITHUB_TOKEN is not set"),
        ({"PULL_REQUEST": ""}, 2, "PULL_REQUEST is not set"),
    ],
)
def test_what_keeps_it_from_writing_is_one_sentence(
    api: GitHub, tmp_path: Path, told: dict[str, str], status: int, words: str
) -> None:
    (tmp_path / "page").write_text("text")
    done = comment(api, tmp_path / "page", **told)
    assert (done.returncode, done.stderr.count("\n")) == (status, 1)
    assert words in done.stderr and TOKEN not in done.stderr
