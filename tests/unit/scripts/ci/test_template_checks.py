"""The workflow *course* takes the template's checks at the commit that a class names."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.git import git
from scripts.ci import template_checks
from scripts.ci.template_checks import Unknown, pinned
from tests.conftest import commit_all, native_git
from tests.paths import ROOT

TEMPLATE = "https://github.com/ann/template"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def text(template: str = TEMPLATE, grader: str = COMMIT) -> str:
    return f"name: a class\ntemplate: {template}\ngrader: {grader}\ndue: {{}}\n"


@pytest.mark.parametrize("template", [TEMPLATE, f"{TEMPLATE}.git", f'"{TEMPLATE}"'])
def test_a_class_names_repository_and_commit(template: str) -> None:
    expected = ("ann/template", COMMIT)
    assert pinned(text(template)) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (text("https://example.org/ann/template"), "names no template"),
        (text("https://github.com/ann"), "names no template"),
        (text(grader='""'), "names no commit"),
        (text(grader="main"), "names no commit"),
        ("name: a class\n", "names no template"),
    ],
)
def test_another_class_has_none(content: str, reason: str) -> None:
    with pytest.raises(Unknown, match=reason):
        pinned(content)


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository that Git takes for the template on GitHub."""
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "config", "user.name", "ann")
    git(folder, "config", "user.email", "ann@example.org")
    (folder / "VERSION").write_text("1.0.0\n", "utf-8")
    commit_all(folder, "feat: begin")
    settings = tmp_path / "settings"
    lines = f'[url "{folder.as_posix()}"]\n\tinsteadOf = {TEMPLATE}\n'
    # No test asks GitHub.
    lines += '[url "file:///nowhere/"]\n\tinsteadOf = https://github.com/\n'
    settings.write_text(lines, "utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    return folder


def outputs_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> tuple[str, str]:
    """Run the program in a copy with a class; return its outputs and the summary."""
    copy = folder / "copy"
    (copy / "course").mkdir(parents=True)
    (copy / "course" / "class.yaml").write_text(content, "utf-8")
    monkeypatch.chdir(copy)
    files = []
    for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        file = folder / variable
        monkeypatch.setenv(variable, str(file))
        files.append(file)
    template_checks.main()
    put, summary = files
    return put.read_text("utf-8"), summary.read_text("utf-8")


@native_git
def test_a_commit_of_the_template_is_put_out(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = git(template, "rev-parse", "HEAD")
    (template / "VERSION").write_text("2.0.0\n", "utf-8")
    commit_all(template, "feat: go on")
    content = text(grader=earlier)
    put, summary = outputs_of(tmp_path, monkeypatch, content)
    assert put == f"repository=ann/template\ncommit={earlier}\n"
    assert f"[ann/template at {earlier[:7]}]({TEMPLATE}/tree/{earlier})" in summary


@pytest.mark.parametrize(
    "content",
    [text(), text("https://github.com/ben/private")],
    ids=["no such commit", "no such repository"],
)
def test_what_cannot_be_read_leaves_the_checks_of_the_copy(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    put, summary = outputs_of(tmp_path, monkeypatch, content)
    assert put == "repository=\ncommit=\n"
    assert summary.startswith("The lessons are checked with the copy's own checks: ")
    assert f"commit {COMMIT[:7]} of" in summary


def test_it_needs_no_package() -> None:
    program = f"import {template_checks.__name__}"
    subprocess.run([sys.executable, "-S", "-c", program], cwd=ROOT, check=True)
