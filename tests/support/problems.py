"""What every error of the API must be: problem details as RFC 9457 describes them."""

from typing import Any

from httpx import Response

MEMBERS = {"type", "title", "status", "detail", "errors", "request_id"}


def problem_of(response: Response) -> dict[str, Any]:
    """Return the problem details of a response, checked in their form."""
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) == MEMBERS
    assert problem["type"] == "about:blank"
    assert problem["status"] == response.status_code
    assert problem["title"] and problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem
