"""A template and a copy of it that a test may change."""

import shutil
from pathlib import Path

import pytest

from tests.support import copies
from tests.support.copies import Project


@pytest.fixture(scope="session")
def unchanged_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a template that is made once, to be copied."""
    folder = tmp_path_factory.mktemp("unchanged") / "template"
    return copies.template(folder).root


@pytest.fixture
def template(unchanged_template: Path, tmp_path: Path) -> Project:
    """Return a template that a test may change."""
    folder = tmp_path / "template"
    shutil.copytree(unchanged_template, folder)
    return Project(folder)


@pytest.fixture
def copy(template: Project, tmp_path: Path) -> Project:
    """Return a copy of the template with a history of its own."""
    return copies.copy(template, tmp_path / "copy")
