"""Errors as problem details (RFC 9457); the V2 protocol has a form of its own."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.asgi import route_path

PROBLEM_JSON = "application/problem+json"
# RFC 9457: the problem is what the status says, and has no page of its own.
TYPE = "about:blank"
# The phrases of RFC 9110 that Python has used only since 3.13.
TITLES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}
MAX_FAULTS = 20
MAX_LOCATION_LENGTH = 200
FRAGMENT_CHARACTERS = "/!$&'()*+,;=:@?"
NO_BODY = object()

Headers = Mapping[str, str] | None
Location = Sequence[str | int]
log = logging.getLogger(__name__)


def _none() -> None:
    """Return a field's default; as a factory's value it is not in the schema.

    There it would say that a member may be null, though it is left out instead.
    """


class Fault(BaseModel):
    """One fault in a request: what is wrong, and in which part of it."""

    detail: str = Field(description="What is wrong there.")
    pointer: str | SkipJsonSchema[None] = Field(
        default_factory=_none,
        description="The place in the body, a JSON pointer such as `#/3/MedInc`.",
    )
    parameter: str | SkipJsonSchema[None] = Field(
        default_factory=_none,
        description="The parameter of the path or query, where it is not the body.",
    )


class Problem(BaseModel, json_schema_extra={"additionalProperties": False}):
    """Problem details (RFC 9457), the body of every response that is not a success."""

    type: str = Field(description="`about:blank`: the status says what kind it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The status code.")
    detail: str = Field(description="One sentence: what went wrong and what to do.")
    errors: list[Fault] = Field(
        description="The faults in the request, at most 20 of them."
    )
    request_id: str = Field(
        description="The request, as in the header X-Request-ID and the log."
    )


class ApiError(HTTPException):
    """An error for the client: a status, a sentence, and maybe faults in its request."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Fault] = (),
        headers: Headers = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.status = status
        self.message = message
        self.errors = errors


def problem(
    status: int, detail: str, request_id: str, errors: Sequence[Fault] = ()
) -> dict[str, Any]:
    """Return problem details, ready to be rendered as JSON."""
    details = Problem(
        type=TYPE,
        title=_title(status),
        status=status,
        detail=detail,
        errors=list(errors),
        request_id=request_id,
    )
    return details.model_dump(exclude_none=True)


def _title(status: int) -> str:
    """Return the status in words, the same on every version of Python."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def invalid(faults: Sequence[Any]) -> ApiError:
    """Return the error 422 for faults that pydantic found in a body."""
    in_body = [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
    return _unprocessable(in_body, NO_BODY)


def body_fault(location: Location, detail: str) -> Fault:
    """Return a fault at a place in the body, such as `("features", 0)`."""
    return Fault(detail=detail, pointer=_pointer(location))


async def error_response(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an error.

    The Open Inference Protocol has a form of its own, and does not have the status 422.
    """
    request_id = request.scope["request_id"]
    if isinstance(error, RequestValidationError):
        api_error = _unprocessable(error.errors(), error.body)
    elif isinstance(error, ApiError):
        api_error = error
    elif isinstance(error, HTTPException):
        api_error = _from_framework(error)
    else:
        log.error("an error of ours", exc_info=error, extra={"request_id": request_id})
        api_error = ApiError(500, "an error of ours: the log has it by request id.")
    if route_path(request.scope).startswith("/v2"):
        status = 400 if api_error.status == 422 else api_error.status
        content = {"error": api_error.message}
        return JSONResponse(content, status, api_error.headers)
    content = problem(api_error.status, api_error.message, request_id, api_error.errors)
    return JSONResponse(
        content, api_error.status, api_error.headers, media_type=PROBLEM_JSON
    )


def _from_framework(error: HTTPException) -> ApiError:
    if error.status_code == 400:  # FastAPI's for a body that is not UTF-8
        return invalid([{"loc": (), "msg": "Invalid JSON"}])
    message = error.detail
    if error.status_code == 404:
        message = "there is nothing at this path: GET / lists what there is."
    headers = dict(error.headers or {})
    if headers.get("Allow") == "GET":  # FastAPI does not know of `core.asgi.Head`
        headers["Allow"] = "GET, HEAD"
    return ApiError(error.status_code, message, headers=headers)


def _unprocessable(faults: Sequence[Any], body: Any) -> ApiError:
    """Return the error 422 for faults whose locations begin with a part of the request.

    Args:
        faults: as pydantic lists them.
        body: the parsed body, to leave out of pointers what is not in it.
    """
    first = faults[0]
    more = ""
    if len(faults) > 1:
        more = f" (and {len(faults) - 1} more)"
    message = f"{_place(first['loc'])}: {first['msg']}{more}"
    errors = [_fault(fault, body) for fault in faults[:MAX_FAULTS]]
    return ApiError(422, message, errors)


def _fault(fault: Any, body: Any) -> Fault:
    part, *location = fault["loc"]
    if part != "body":
        return Fault(detail=fault["msg"], parameter=_place(location))
    if fault.get("type") == "json_invalid":  # its location is a number of characters
        location = []
    if body is not NO_BODY:
        resolved = _resolve(location, body)
        if fault["type"] == "missing":  # from a part of the body that is there
            resolved += location[-1:]
        location = resolved
    return body_fault(location, fault["msg"])


def _resolve(location: Location, body: Any) -> list[str | int]:
    """Return the keys of a location that lead to a value in the body.

    pydantic adds others, such as the names of the types of a union.
    """
    resolved: list[str | int] = []
    value = body
    for key in location:
        try:
            value = value[key]
        except (LookupError, TypeError):
            continue
        resolved.append(key)
    return resolved


def _pointer(location: Location) -> str:
    """Return a JSON pointer as the fragment of a URI (RFC 6901, section 6)."""
    path = ""
    for key in location:
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        path += f"/{escaped}"
    path = path[:MAX_LOCATION_LENGTH]
    return "#" + quote(path, safe=FRAGMENT_CHARACTERS, errors="replace")


def _place(location: Location) -> str:
    """Return a location as a sentence has it; its keys are the client's, any text."""
    place = ".".join(map(str, location))[:MAX_LOCATION_LENGTH]
    return place.encode("utf-8", "replace").decode()
