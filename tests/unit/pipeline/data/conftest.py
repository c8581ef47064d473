"""A web server of the tests' own, and a checkout without data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.repo import Repo
from tests.support.web_servers import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)
