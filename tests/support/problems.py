"""The form of every error of the API: problem details as RFC 9457 describes them."""

from httpx import Response

from tests.support.json_content import Json

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "errors",
    "request_id",
}


def problem_of(response: Response) -> Json:
    """Return the problem details of a response, checked in their form."""
    headers = response.headers
    assert headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
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
