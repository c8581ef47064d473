"""This machine's own addresses: free ports, and requests that bypass the user's proxy."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from core.environment import is_ours

# The errors of a request without an answer, or with an unexpected one.
FAILURES = (urllib.error.URLError, OSError, ValueError)
PROBE_SECONDS = 5.0


def open_url(request: str | urllib.request.Request, seconds: float) -> Any:
    """Open a URL as `urllib.request.urlopen` does, but our services without a proxy.

    Raises:
        urllib.error.URLError: nothing answers, or it answers with an error.
    """
    address = request if isinstance(request, str) else request.full_url
    opener = urllib.request.build_opener()
    if is_ours(address):
        without_proxy = urllib.request.ProxyHandler({})
        over_tls = urllib.request.HTTPSHandler(context=_any_certificate())
        opener = urllib.request.build_opener(without_proxy, over_tls)
    return opener.open(request, timeout=seconds)


def _any_certificate() -> ssl.SSLContext:
    """Accept every certificate: that of a service does not name this machine's address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(
    address: str,
    content: Any = None,
    seconds: float = 30,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Return the JSON at an address; with content, the answer to a POST of it."""
    body = None
    if content is not None:
        body = json.dumps(content).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(address, body, sent)
    with open_url(request, seconds) as answer:
        return json.load(answer)


def answers(address: str) -> bool:
    """Return whether an address answers with success."""
    try:
        with open_url(address, PROBE_SECONDS):
            return True
    except FAILURES:
        return False


def refuses(address: str) -> bool:
    """Return whether an address answers that it is not ready."""
    try:
        open_url(address, PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        # While the API starts, the proxy answers 503 too, but without this header.
        return error.code == 503 and "X-Request-ID" in error.headers
    except FAILURES:
        return False
    return False


def free_port() -> int:
    """Return a port that no program uses."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return ports that no program uses, all of them different."""
    ports = []
    with ExitStack() as stack:
        for _ in range(count):
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            _, port = probe.getsockname()
            ports.append(int(port))
    return ports
