"""Variables that libraries read from the environment as they are imported.

Variables that the user has set stay as they are. Child processes inherit all of them.
"""

import ipaddress
import os
from urllib.parse import urlsplit

# The hosts of our own services, on this machine and among the containers.
OURS = (
    "localhost",
    "127.0.0.1",
    "::1",
    "mlops-api",
    "proxy",
    "trainer",
    "mlflow-server",
    "jaeger",
    "prometheus",
    "dask-scheduler",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def prepare() -> None:
    """Bypass proxies for our own services, and switch off the libraries' telemetry."""
    bypass_proxies()
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def is_ours(address: str) -> bool:
    """Return whether an address is on this machine or one of our containers."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in OURS


def bypass_proxies() -> None:
    """Add our own services to `no_proxy`, if the environment names a proxy.

    Otherwise nothing is set: it would hide the proxy in the settings of Windows or
    macOS.
    """
    names = [*PROXIES, *map(str.upper, PROXIES)]
    if not any(os.environ.get(name) for name in names):
        return
    configured = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    stripped = [host.strip() for host in configured.split(",")]
    hosts = [host for host in stripped if host]
    for host in OURS:
        if host not in hosts:
            hosts.append(host)
    os.environ["no_proxy"] = ",".join(hosts)
    os.environ["NO_PROXY"] = os.environ["no_proxy"]
