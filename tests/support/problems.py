"""The form of every error of the API: problem details as RFC 9457 describes them."""

from typing import Any

from httpx import Response

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "errors",
    "request_id",
}


def problem_of(response: Response) -> dict[str, Any]:
    """Return the problem details of a response, checked in their form."""
    headers = response.headers
    assert headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) == MEMBERS
    assert problem["title"]
    assert problem["detail"]
    expected = {
        "type": "about:blank",
        "status": response.status_code,
        "request_id": headers["x-request-id"],
    }
    assert problem.items() >= expected.items()
    return problem
