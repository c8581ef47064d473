"""The commands of docs/copies.md, as the page shows them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from tests.conftest import posix
from tests.paths import ROOT
from tests.support import copies
from tests.support.copies import Project

PAGE = (ROOT / "docs" / "copies.md").read_text("utf-8")
_, _, SECTION = PAGE.partition("## Update manually")
ONCE, EVERY = re.findall(r"```bash\n(.*?)```", SECTION, re.DOTALL)[:2]
(REPAIR,) = re.findall(r"`(git restore --source=HEAD\^1[^`]*)`", PAGE)


Make = Callable[[Project, Path], Project]


def run(project: Project, script: str, template: Project) -> None:
    """Run a script without `set -e`, as a person continues after a merge conflict."""
    script = script.replace("python ", f"'{sys.executable}' ")
    variables = {"TEMPLATE": str(template.root), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=os.environ | variables
    )
    assert done.returncode == 0


def add_remote(copy: Project, template: Project, is_fork: bool) -> None:
    """Make the template known to a copy, once."""
    if is_fork:
        git(copy.root, "remote", "add", "template", str(template.root))
    else:
        run(copy, ONCE, template)


@posix
@pytest.mark.parametrize("make", [copies.fork, copies.copy])
def test_two_manual_updates_and_one_by_the_command(
    template: Project, tmp_path: Path, make: Make
) -> None:
    copy = make(template, tmp_path / "copy")
    note = copy.repo.mlruns / ".local" / "note.txt"  # ignored by Git
    note.parent.mkdir()
    note.write_text("mine")
    copy.promote()
    own = copy.own()
    for number in (1, 2):
        template.promote()
        template.promote("credit")
        page = f"# Why\n\nBecause of {number}.\n"
        template.write("docs/why.md", page)
        if number == 1:
            is_fork = make is copies.fork
            add_remote(copy, template, is_fork)
        run(copy, EVERY, template)
        assert copy.text("docs/why.md") == page
        assert copy.own() == own
        assert copy.faults() == []
        assert git(copy.root, "status", "--porcelain") == ""
        assert note.read_text("utf-8") == "mine"
    template.write("docs/why.md", "# Why\n\nSo.\n")
    assert copy.update(template).commit
    assert copy.own() == own
    assert copy.text("docs/why.md") == "# Why\n\nSo.\n"


@posix
def test_the_page_s_command_repairs_a_plain_merge(
    template: Project, tmp_path: Path
) -> None:
    copy = copies.fork(template, tmp_path / "copy")
    copy.promote()
    own = copy.own()
    template.promote()
    template.promote()
    git(copy.root, "fetch", "--quiet", "origin")
    git(copy.root, "merge", "--quiet", "-X", "ours", "-m", "merge", "origin/main")
    assert copy.faults()
    run(copy, REPAIR, template)
    copy.commit("fix: keep our history")
    assert copy.faults() == []
    assert copy.own() == own
