"""Requests to this machine go straight there, whatever proxy the user has for the outside."""

import ipaddress
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# How the environment names the hosts that are asked without a proxy.
NAMES = ("localhost", "127.0.0.1", "::1")
VARIABLES = ("no_proxy", "NO_PROXY")


def is_loopback(address: str) -> bool:
    """Tell whether a URL leads to this machine."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_url(request: str | urllib.request.Request, seconds: float) -> Any:
    """Open a URL as `urllib.request.urlopen` does; on this machine without a proxy.

    Raises:
        urllib.error.URLError: nothing answers, or it answers with an error.
    """
    address = request if isinstance(request, str) else request.full_url
    if not is_loopback(address):
        return urllib.request.urlopen(request, timeout=seconds)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return direct.open(request, timeout=seconds)


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep a program's own requests to this machine off a proxy.

    Without a proxy there are none. A proxy that the system has in its settings is named in them
    too: a program that finds `no_proxy` in its environment asks the system no more.
    """
    proxies = urllib.request.getproxies()
    named = {f"{scheme}_proxy": proxy for scheme, proxy in proxies.items() if scheme != "no"}
    if not named:
        return {}
    known = [environment[name] for name in VARIABLES if environment.get(name)]
    excepted = ",".join([*dict.fromkeys(known), *NAMES])
    return named | dict.fromkeys(VARIABLES, excepted)
