"""Access control for administration: an API key, and no web pages of other origins."""

import ipaddress
import secrets
import socket
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader
from starlette.datastructures import Headers

from app.dependencies import ServicesDep
from app.errors import ApiError

key_header = APIKeyHeader(
    name="X-API-Key",
    scheme_name="AdminKey",
    description=(
        "The key in `API_ADMIN_KEY`, or the one that the start script generated."
    ),
    auto_error=False,
)
# The names of this machine, and the API's names in the network of docker-compose.yml.
OWN_NAMES = frozenset(("localhost", "proxy", "mlops-api", socket.gethostname().lower()))


async def require_key(
    services: ServicesDep, key: Annotated[str | None, Security(key_header)]
) -> None:
    """Require the admin key.

    Raises:
        ApiError: 403 if no key is configured, 401 if the request's key is another one.
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


async def require_own_page(request: Request, services: ServicesDep) -> None:
    """Refuse what a browser sends for a web page of another origin, whatever its key.

    Such a page can send what a form can, which is not JSON, and its browser names the
    origin. A page whose host name was pointed here afterwards (DNS rebinding) has the
    API's own origin, but then the header Host has a name that is not the API's.

    Raises:
        ApiError: 403 for a foreign page or name, 415 for a body that is not called
            JSON.
    """
    headers = request.headers
    configured_hosts = services.settings.host_names()
    host = headers.get("host", "")
    configured_names = {_name(other) for other in configured_hosts}
    if not _is_own(host) and _name(host) not in configured_names:
        raise ApiError(
            403,
            "this is refused under the name in the header Host: add it to API_HOSTS.",
        )
    origin = headers.get("origin")
    allowed_hosts = {host.lower(), *configured_hosts}
    if origin is not None and _host_of(origin) not in allowed_hosts:
        raise ApiError(
            403,
            "this is refused to web pages of another origin: use the API's own, /docs.",
        )
    if _has_body(headers) and not _is_json(headers.get("content-type", "")):
        raise ApiError(
            415, "the body must be JSON with the header Content-Type: application/json."
        )


# What every path of the administration depends on.
ADMIN_ONLY = [Depends(require_own_page), Depends(require_key)]


def _host_of(origin: str) -> str:
    return origin.partition("://")[2].lower()


def _is_own(host: str) -> bool:
    """Return whether a Host header holds a name of this machine, or an IP address."""
    name = _name(host)
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name in OWN_NAMES
    return True


def _name(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.lower().rpartition(":")
    if colon and port.isdigit():
        return name
    return host.lower()


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return True
    return media_type.startswith("application/") and media_type.endswith("+json")
