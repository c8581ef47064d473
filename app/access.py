"""Who may change something: those who have the key, and no web page of somebody else."""

import ipaddress
import secrets
import socket
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader
from starlette.datastructures import Headers

from app.dependencies import Here
from app.errors import ApiError

key_header = APIKeyHeader(
    name="X-API-Key",
    scheme_name="AdminKey",
    description=(
        "The key that `API_ADMIN_KEY` names, or the one that the start script made."
    ),
    auto_error=False,
)
# The names of this machine, and those that the containers of docker-compose.yml have
# for the API.
OWN_NAMES = frozenset(("localhost", "front", "mlops-api", socket.gethostname().lower()))


async def require_key(
    services: Here, key: Annotated[str | None, Security(key_header)]
) -> None:
    """Let only those pass who have the key.

    Raises:
        ApiError: 403 if no key is set up, 401 if the request's is not that one.
    """
    expected = services.settings.key()
    if expected is None:
        raise ApiError(
            403,
            "this needs a key and none is set up: start with `./start-mlops.sh`, which"
            " makes one, or set API_ADMIN_KEY.",
        )
    if key is None or not secrets.compare_digest(key.encode(), expected.encode()):
        raise ApiError(
            401,
            "the header X-API-Key must hold the key of API_ADMIN_KEY: `./start-mlops.sh"
            " --key` prints it.",
        )


async def require_own_page(request: Request, services: Here) -> None:
    """Refuse what a browser sends for another web page, whatever key it has.

    A page of another origin can send what a form can, which is no JSON, and its browser
    says which origin that is. A page whose name was made to lead here afterwards (DNS
    rebinding) has the same origin as the API, but then the API is asked under a name
    that is none of its own.

    Raises:
        ApiError: 403 for a foreign page or name, 415 for a body that is not called
            JSON.
    """
    headers, names = request.headers, services.settings.host_names()
    host = headers.get("host", "")
    if not (_is_own(host) or _name(host) in {_name(name) for name in names}):
        raise ApiError(
            403,
            "this is refused under the name in the header Host: add it to API_HOSTS.",
        )
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() not in {
        host.lower(),
        *names,
    }:
        raise ApiError(
            403,
            "this is refused to web pages of another origin: use the API's own, /docs.",
        )
    if _has_body(headers) and not _is_json(headers.get("content-type", "")):
        raise ApiError(
            415,
            "the body must be JSON, and the header Content-Type application/json"
            " say so.",
        )


def _is_own(host: str) -> bool:
    """Tell whether a Host header has a name of this machine, or an address, which is no
    name.
    """
    name = _name(host)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name in OWN_NAMES
    return True


def _name(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
