"""The commands of docs/copies.md, as they stand there."""

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
ONCE, EVERY = re.findall(
    r"```bash\n(.*?)```", PAGE.split("## Update manually")[1], re.S
)[:2]
(REPAIR,) = re.findall(r"`(git restore --source=HEAD\^1[^`]*)`", PAGE)


def run(project: Project, script: str, template: Project) -> None:
    """Run commands one by one as a person does, who goes on after a merge with
    conflicts.
    """
    script = script.replace("python ", f"'{sys.executable}' ")
    variables = os.environ | {"TEMPLATE": str(template.root), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=project.root, env=variables)
    assert done.returncode == 0


@posix
@pytest.mark.parametrize("make", [copies.fork, copies.copy])
def test_two_updates_by_hand_and_one_by_the_command(
    tmp_path: Path, make: Callable[[Project, Path], Project]
) -> None:
    template = copies.template(tmp_path / "template")
    copy = make(template, tmp_path / "copy")
    note = copy.repo.mlruns / ".local" / "note.txt"  # of a notebook; Git ignores it
    note.parent.mkdir()
    note.write_text("mine")
    copy.promote()
    own = copy.own()
    for number in (1, 2):
        template.promote()
        template.promote("credit")
        template.write("docs/why.md", f"# Why\n\nBecause of {number}.\n")
        if number == 1 and make is copies.copy:
            run(copy, ONCE, template)
        elif number == 1:
            git(copy.root, "remote", "add", "template", str(template.root))
        run(copy, EVERY, template)
        assert copy.text("docs/why.md") == template.text("docs/why.md")
        assert copy.own() == own
        assert copy.faults() == []
        assert git(copy.root, "status", "--porcelain") == ""
        assert note.read_text("utf-8") == "mine"
    template.write("docs/why.md", "# Why\n\nSo.\n")
    assert copy.update(template).commit
    assert copy.own() == own
    assert copy.text("docs/why.md") == "# Why\n\nSo.\n"


@posix
def test_a_plain_merge_is_mended_by_the_command_of_the_page(tmp_path: Path) -> None:
    template = copies.template(tmp_path / "template")
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
