"""Proxies in front of the API: its path prefix, and trust in `X-Forwarded-*`."""

import ipaddress
import re
from functools import lru_cache

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EVERYONE = ("0.0.0.0/0", "::/0")
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
    """Parse addresses and networks that are separated by commas.

    `*` stands for all addresses, `none` for no address.

    Raises:
        ValueError: one of them is neither.
    """
    parsed: list[Network] = []
    for part in trusted.split(","):
        word = part.strip()
        if word == "*":
            parsed += [ipaddress.ip_network(network) for network in EVERYONE]
        elif word not in ("", "none"):
            parsed.append(ipaddress.ip_network(word))
    return parsed


class Proxies:
    """Restores the request that the client sent from the one that proxies passed on."""

    def __init__(self, trusted: str, root_path: str = "") -> None:
        self._networks = networks(trusted)
        self._root_path = root_path
        self._trusts = lru_cache(4096)(self._is_trusted)

    def apply(self, scope: Scope) -> None:
        """Set the prefix; from a trusted proxy also the client, the scheme, the host."""
        root_path = self._root_path
        headers = [header for header in scope["headers"] if header[0] in FORWARDED]
        if headers:
            peer = scope.get("client") or ("",)
            if self._trusts(peer[0]):
                forwarded = _parse(headers)
                self._use(scope, forwarded)
                prefix = _prefix(forwarded.get("prefix", []))
                root_path = prefix or root_path
        if root_path:
            scope["root_path"] = root_path
            scope["path"] = _with_prefix(scope["path"], root_path)

    def _use(self, scope: Scope, forwarded: dict[str, list[str]]) -> None:
        """Set the scheme, the host and the client that the headers name."""
        scheme = forwarded.get("proto", [""])[0].lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        host = forwarded.get("host", [""])[0]
        if HOST.fullmatch(host):
            others = [header for header in scope["headers"] if header[0] != b"host"]
            scope["headers"] = [(b"host", host.encode()), *others]
        # Each proxy appends the address it was called from: what stands before the
        # first address that is not trusted may be invented.
        for hop in reversed(forwarded.get("for", [])):
            address = _address(hop)
            if address is None:
                break
            scope["client"] = (address, 0)
            if not self._trusts(address):
                break

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # of a Unix socket or of a test
            return False
        # A socket for IPv4 and IPv6 gives IPv4 addresses in the form of IPv6.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


def _with_prefix(path: str, root_path: str) -> str:
    """Return a path with the prefix, which a proxy may have stripped."""
    if path == root_path:
        return root_path + "/"
    if path.startswith(root_path + "/"):
        return path
    return root_path + path


def _parse(headers: list[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Return the parts of each header by the end of its name; one may come twice."""
    forwarded: dict[str, list[str]] = {}
    for name, value in headers:
        _, _, key = name.decode().rpartition("-")
        parts = forwarded.setdefault(key, [])
        for part in value.decode("latin-1").split(","):
            stripped = part.strip()
            if stripped:
                parts.append(stripped)
    return {key: parts for key, parts in forwarded.items() if parts}


def _prefix(parts: list[str]) -> str:
    """Return the prefix that proxies stripped one after the other.

    It is empty if that is not a plain path.
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
