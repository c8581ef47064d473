"""Proxies before the API: the prefix it is reached under, and whom `X-Forwarded-*` is
believed.
"""

import ipaddress
import re
from functools import lru_cache

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Put into pages and links, so nothing but plain segments.
PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
FORWARDED = frozenset(
    (
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-forwarded-prefix",
    )
)


def networks(trusted: str) -> list[Network]:
    """Read addresses and networks that are separated by commas; `*` is everyone, `none`
    nobody.

    Raises:
        ValueError: one of them is neither.
    """
    words = [
        word
        for part in trusted.split(",")
        if (word := part.strip()) not in ("", "none")
    ]
    everyone = ["0.0.0.0/0", "::/0"]
    return [
        ipaddress.ip_network(w)
        for word in words
        for w in (everyone if word == "*" else [word])
    ]


class Proxies:
    """Makes of a request that came through proxies the one that the client sent."""

    def __init__(self, trusted: str, root_path: str = "") -> None:
        self._networks, self._root_path = networks(trusted), root_path
        self._trusts = lru_cache(4096)(self._find)

    def apply(self, scope: Scope) -> None:
        """Set the prefix, and, if a trusted proxy names them, client, scheme and host."""
        root_path = self._root_path
        headers = [pair for pair in scope["headers"] if pair[0] in FORWARDED]
        if headers and self._trusts((scope.get("client") or ("",))[0]):
            told = _joined(headers)
            self._believe(scope, told)
            root_path = _prefix(told.get("prefix", [])) or root_path
        if root_path:
            scope["root_path"], path = root_path, scope["path"]
            if path == root_path:
                scope["path"] = root_path + "/"
            elif not path.startswith(
                root_path + "/"
            ):  # the proxy has taken the prefix away
                scope["path"] = root_path + path

    def _believe(self, scope: Scope, told: dict[str, list[str]]) -> None:
        if told.get("proto", [""])[0].lower() in ("http", "https"):
            scope["scheme"] = told["proto"][0].lower()
        if HOST.fullmatch(host := told.get("host", [""])[0]):
            kept = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.encode()), *kept]
        # Each proxy adds whom it was asked by: what stands before the first stranger is
        # hearsay.
        for hop in reversed(told.get("for", [])):
            address = _address(hop)
            if address is None:
                break
            scope["client"] = (address, 0)
            if not self._trusts(address):
                break

    def _find(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # of a Unix socket or of a test
            return False
        address = (
            getattr(address, "ipv4_mapped", None) or address
        )  # of a socket for both kinds
        return any(address in network for network in self._networks)


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Return the parts of each header by the end of its name; one may come several
    times.
    """
    told: dict[str, list[str]] = {}
    for name, value in headers:
        parts = [part.strip() for part in value.decode("latin-1").split(",")]
        told.setdefault(name.decode().rpartition("-")[2], []).extend(
            filter(None, parts)
        )
    return {name: parts for name, parts in told.items() if parts}


def _prefix(parts: list[str]) -> str:
    """Return the prefix that one proxy after the other has taken away, empty if it is
    no path.
    """
    prefix = "".join(part.rstrip("/") for part in parts)
    return prefix if PREFIX.fullmatch(prefix) else ""


def _address(hop: str) -> str | None:
    """Return the address of `10.0.0.1`, `10.0.0.1:443`, `::1` or `[::1]:443`."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return None
