"""Requests to our own services, whatever proxy the user has for the outside."""

import urllib.request
from typing import Any

from app.surroundings import is_ours


def open_url(request: str | urllib.request.Request, seconds: float) -> Any:
    """Open a URL as `urllib.request.urlopen` does, without a proxy if it is one of our services.

    Raises:
        urllib.error.URLError: nothing answers, or it answers with an error.
    """
    address = request if isinstance(request, str) else request.full_url
    handlers = [urllib.request.ProxyHandler({})] if is_ours(address) else []
    return urllib.request.build_opener(*handlers).open(request, timeout=seconds)
