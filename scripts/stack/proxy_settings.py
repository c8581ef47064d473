"""The settings of the reverse proxies, which HAProxy itself checks before a start."""

import re
from dataclasses import replace
from typing import NamedTuple

from scripts.stack.settings import MLFLOW_AUTH, MLFLOW_PROXY, Settings

PROXY = "proxy"
CERTIFICATES = "PROXY_CERTIFICATES"
NAMES = (CERTIFICATES, "PROXY_API_KEYS", "PROXY_RATE_LIMIT")
MLFLOW_USERS = "MLFLOW_USERS"
API_FILE = "/usr/local/etc/haproxy/haproxy.cfg"
MLFLOW_FILE = "/usr/local/etc/haproxy/mlflow.cfg"
USERS_FILE = "/run/secrets/mlflow-users/users.cfg"
# What HAProxy says about a fault, after the level, the process and the line.
ALERT = re.compile(
    r"^\[ALERT\] +\(\d+\) : (?:config : )?(?:parsing \[.*?\] ?: )?(.+)$", re.MULTILINE
)
COMMAND = ("haproxy", "-c", "-f")


class ProxyCheck(NamedTuple):
    """A check of a configuration.

    Attributes:
        service: the service whose container runs it.
        command: the command in the container.
        names: the settings that it concerns.
    """

    service: str
    command: tuple[str, ...]
    names: list[str]


def used(settings: Settings) -> list[str]:
    """Return the names of the settings of the API's proxy that have a value."""
    return [name for name in NAMES if settings.variables.get(name)]


def checks(settings: Settings) -> list[ProxyCheck]:
    """Return the checks of the proxies that have settings and are to run."""
    listed = []
    names = used(settings)
    if names and "mlops-api" not in settings.without:
        listed.append(ProxyCheck(PROXY, (*COMMAND, API_FILE), names))
    if MLFLOW_AUTH in settings.profiles and MLFLOW_PROXY not in settings.without:
        command = (*COMMAND, MLFLOW_FILE, "-f", USERS_FILE)
        names = [MLFLOW_USERS]
        if settings.variables.get(CERTIFICATES):
            names.append(CERTIFICATES)
        listed.append(ProxyCheck(MLFLOW_PROXY, command, names))
    return listed


def applied(settings: Settings) -> Settings:
    """Return the settings with the services that the proxies serve over TLS."""
    secure: frozenset[str] = frozenset()
    if settings.variables.get(CERTIFICATES):
        secure = frozenset(("mlops-api", MLFLOW_PROXY))
    return replace(settings, secure=secure)


def first_fault(output: str) -> str:
    """Return the first fault that HAProxy reports, otherwise the last line, Docker's."""
    alert = ALERT.search(output)
    if alert:
        return alert[1]
    lines = output.strip().splitlines()
    if lines:
        return lines[-1]
    return "the check failed"
