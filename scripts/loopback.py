"""This machine's own addresses: free ports, and requests that no proxy of the user
sees.
"""

import socket
import urllib.request
from contextlib import ExitStack
from typing import Any

from core.environment import is_ours


def open_url(request: str | urllib.request.Request, seconds: float) -> Any:
    """Open a URL as `urllib.request.urlopen` does, without a proxy if it is one of our
    services.

    Raises:
        urllib.error.URLError: nothing answers, or it answers with an error.
    """
    address = request if isinstance(request, str) else request.full_url
    handlers = [urllib.request.ProxyHandler({})] if is_ours(address) else []
    return urllib.request.build_opener(*handlers).open(request, timeout=seconds)


def free_port() -> int:
    """Return a port that nobody uses."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses, all of them different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
