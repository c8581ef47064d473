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
    """Run the script as the workflow does, with only the standard library."""
    variables = {
        "GITHUB_API_URL": api.address,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN,
        "PULL_REQUEST": "7",
        "PYTHONUTF8": "1",
        "http_proxy": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-S", "-m", "scripts.ci.comment", str(file)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables | more,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_it_is_written_once_and_then_changed(api: GitHub, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    foreign = {
        "id": 0,
        "user": {"type": "User"},
        "body": f"{MARK} quoted by a person",
    }
    api.comments.append(dict(foreign))
    for text in ("# ❌ Stopped", "# ✅ All good"):
        page.write_text(text, encoding="utf-8")
        assert comment(api, page).returncode == 0
    assert api.comments[0] == foreign
    assert len(api.comments) == 2
    assert api.comments[1]["body"] == f"{MARK}\n# ✅ All good"


def test_a_comment_on_the_second_page_is_changed(api: GitHub, tmp_path: Path) -> None:
    person = {"type": "User"}
    bot = {"type": "Bot"}
    for number in range(99):
        other = {
            "id": number,
            "user": person,
            "body": "yes",
        }
        api.comments.append(other)
    own_comment = {
        "id": 99,
        "user": bot,
        "body": f"{MARK}\nold",
    }
    api.comments.append(own_comment)
    page = tmp_path / "page"
    page.write_text("new")
    assert comment(api, page).returncode == 0
    assert len(api.comments) == 100
    assert api.comments[99]["body"] == f"{MARK}\nnew"


def test_it_is_cut_to_the_length_that_github_accepts() -> None:
    assert body("short") == f"{MARK}\nshort"
    cut = body("é" * 2 * LONGEST)
    assert len(cut) == LONGEST
    assert cut.endswith("on the page of the workflow run.\n")


@pytest.mark.parametrize(
    ("variables", "status", "words"),
    [
        ({"GITHUB_TOKEN": "wrong"}, 1, "GitHub answers 404"),
        ({"GITHUB_TOKEN": ""}, 2, "GITHUB_TOKEN is not set"),
        ({"PULL_REQUEST": ""}, 2, "PULL_REQUEST is not set"),
    ],
)
def test_a_failure_is_one_sentence(
    api: GitHub, tmp_path: Path, variables: dict[str, str], status: int, words: str
) -> None:
    page = tmp_path / "page"
    page.write_text("text")
    done = comment(api, page, **variables)
    assert done.returncode == status
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert TOKEN not in done.stderr
