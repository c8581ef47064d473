"""The titles of problem details, checked on every supported version of Python."""

import pytest

from app.errors import problem
from app.openapi.document import PROBLEMS

# The phrases of RFC 9110; some are others in Python 3.11 and 3.12.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@pytest.mark.parametrize(("status", "title"), TITLES.items())
def test_the_title_of_a_status_does_not_depend_on_the_version_of_python(
    status: int, title: str
) -> None:
    assert problem(status, "it failed.", "abc")["title"] == title


def test_the_title_of_every_documented_status_is_checked() -> None:
    assert PROBLEMS.keys() <= TITLES.keys()
