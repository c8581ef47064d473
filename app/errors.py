"""One form for everything that goes wrong: what, where, and which request it was."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.asgi import route_path

MAX_DETAILS = 20
MAX_PLACE = 200
Headers = Mapping[str, str] | None
log = logging.getLogger(__name__)


class Detail(BaseModel):
    """One fault in a request."""

    where: str = Field(description="The place in the request, such as `body.3.MedInc`.")
    what: str = Field(description="What is wrong there.")


class Problem(BaseModel, json_schema_extra={"additionalProperties": False}):
    """Every answer that is not a success."""

    error: str = Field(description="One sentence: what went wrong and what to do.")
    details: list[Detail] = Field(
        description="The faults in the request, at most 20 of them."
    )
    request_id: str = Field(
        description="The request, as in the header X-Request-ID and the log."
    )


class ApiError(HTTPException):
    """What the client is told, with a status of HTTP; FastAPI lets its own class pass."""

    def __init__(
        self,
        status: int,
        message: str,
        details: Sequence[Detail] = (),
        headers: Headers = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.status, self.message, self.details = status, message, details


def invalid(faults: Sequence[Any], *, prefix: str = "body") -> ApiError:
    """Return the error 422 for faults as pydantic lists them."""
    told = faults[:MAX_DETAILS]
    details = [
        Detail(where=_place(prefix, fault["loc"]), what=fault["msg"]) for fault in told
    ]
    first = details[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return ApiError(422, f"{first.where}: {first.what}{more}", details)


async def answer(request: Request, error: Exception) -> JSONResponse:
    """Render an error; the Open Inference Protocol has a form of its own, and no status
    422.
    """
    request_id = request.scope["request_id"]
    if isinstance(error, RequestValidationError):
        error = invalid(error.errors(), prefix="")
    elif isinstance(error, HTTPException):
        error = error if isinstance(error, ApiError) else _of_framework(error)
    else:
        log.error("an error of ours", exc_info=error, extra={"request_id": request_id})
        error = ApiError(500, "an error of ours: the log has it by request id.")
    if route_path(request.scope).startswith("/v2"):
        status = 400 if error.status == 422 else error.status
        return JSONResponse({"error": error.message}, status, error.headers)
    problem = Problem(
        error=error.message, details=list(error.details), request_id=request_id
    )
    return JSONResponse(problem.model_dump(), error.status, error.headers)


def _of_framework(error: HTTPException) -> ApiError:
    if error.status_code == 400:  # FastAPI's for a body that is no UTF-8
        return invalid([{"loc": (), "msg": "Invalid JSON"}])
    words = {404: "there is nothing at this path: GET / says what is here."}
    message, headers = words.get(error.status_code, error.detail), dict(
        error.headers or {}
    )
    if headers.get("Allow") == "GET":  # FastAPI does not know of `core.asgi`
        headers["Allow"] = "GET, HEAD"
    return ApiError(error.status_code, message, headers=headers)


def _place(prefix: str, path: Sequence[str | int]) -> str:
    """Return where a fault is: the keys are the client's, who may think of anything."""
    place = ".".join([prefix, *map(str, path)]).strip(".")[:MAX_PLACE]
    return place.encode("utf-8", "replace").decode()
