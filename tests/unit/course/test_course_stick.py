"""A stick has what a class needs without network; what it lacks is a sentence."""

from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from course.classroom import ROOT
from course.teacher import stick


def test_a_template_on_a_stick_is_the_last_commit_of_this_checkout(
    tmp_path: Path,
) -> None:
    stick.write_template(tmp_path)
    stick.write_template(tmp_path)
    bare = tmp_path / "template.git"
    assert git(bare, "rev-parse", "main") == git(ROOT, "rev-parse", "HEAD")
    assert git(bare, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert [path.name for path in tmp_path.iterdir()] == ["template.git"]


def test_pages_name_each_system_that_was_added(tmp_path: Path) -> None:
    stick.write_pages(tmp_path, "plan9 with Python 3.13")
    stick.write_pages(tmp_path, "beos with Python 3.12")
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "for: beos with Python 3.12, plan9 with Python 3.13." in text
    assert "UV_OFFLINE" in (tmp_path / "offline.ps1").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.nightly
def test_a_stick_without_packages_is_not_ready(tmp_path: Path) -> None:
    stick.write_template(tmp_path)
    (tmp_path / "wheels").mkdir()
    with pytest.raises(PipelineError, match="the stick is not ready"):
        stick.rehearse(tmp_path, "-l")
