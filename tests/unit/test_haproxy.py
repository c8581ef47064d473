"""The proxy's own errors; `tests/stack/test_proxy.py` receives them from HAProxy."""

import json
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from app.errors import PROBLEM_JSON, TITLES, TYPE, Problem
from tests.paths import ROOT

HAPROXY = ROOT / "deployment" / "haproxy"
MOUNTED = "/usr/local/etc/haproxy"  # by docker-compose.yml
ERRORS = sorted(HAPROXY.glob("errors/*.http"))


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_an_error_has_the_problem_details_of_the_api(path: Path) -> None:
    head, _, body = path.read_text("utf-8").partition("\n\n")
    status_line, *headers = head.splitlines()
    problem = Problem.model_validate_json(body)
    assert json.loads(body) == problem.model_dump()
    assert problem.type == TYPE
    assert problem.status == int(path.stem)
    phrase = HTTPStatus(problem.status).phrase
    assert problem.title == TITLES.get(problem.status, phrase)
    assert status_line == f"HTTP/1.1 {problem.status} {problem.title}"
    assert f"Content-Type: {PROBLEM_JSON}" in headers
    assert f"Content-Length: {len(body)}" in headers


def test_haproxy_uses_every_file() -> None:
    configuration = (HAPROXY / "haproxy.cfg").read_text("utf-8")
    used = dict(re.findall(r"^ +errorfile (\d+) (\S+)$", configuration, re.MULTILINE))
    files = {}
    for path in ERRORS:
        files[path.stem] = f"{MOUNTED}/errors/{path.name}"
    assert used == files
    assert len(files) == 11
