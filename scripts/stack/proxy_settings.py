"""The settings of the reverse proxy, which HAProxy itself checks before a start."""

import re
from dataclasses import replace

from scripts.stack.settings import Settings

CERTIFICATES = "PROXY_CERTIFICATES"
NAMES = (CERTIFICATES, "PROXY_API_KEYS", "PROXY_RATE_LIMIT")
# The command with which HAProxy checks its configuration, in the container.
CHECK = ("haproxy", "-c", "-f", "/usr/local/etc/haproxy/haproxy.cfg")
# What HAProxy says about a fault, after the level, the process and the line.
ALERT = re.compile(
    r"^\[ALERT\] +\(\d+\) : (?:config : )?(?:parsing \[.*?\] ?: )?(.+)$", re.MULTILINE
)


def used(settings: Settings) -> list[str]:
    """Return the names of the settings that have a value."""
    return [name for name in NAMES if settings.variables.get(name)]


def applied(settings: Settings) -> Settings:
    """Return the settings with the services that the proxy serves over TLS."""
    secure = (
        frozenset(("mlops-api",)) if CERTIFICATES in used(settings) else frozenset()
    )
    return replace(settings, secure=secure)


def first_fault(output: str) -> str:
    """Return the first fault that HAProxy reports, otherwise the last line, Docker's."""
    alert = ALERT.search(output)
    if alert:
        return alert[1]
    lines = output.strip().splitlines()
    return lines[-1] if lines else "the check failed"
