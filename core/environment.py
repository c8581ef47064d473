"""What libraries read from the environment, set before they are imported.

Only what a person has not set is set. The processes that are started inherit it.
"""

import ipaddress
import os
from urllib.parse import urlsplit

# Our own services, as they are called on this machine and among the containers.
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
)


def prepare() -> None:
    """Ask our own services directly, and let no library send its statistics home."""
    bypass_proxies()
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime's
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def is_ours(address: str) -> bool:
    """Return whether an address is of this machine or of one of our containers."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in OURS


def bypass_proxies() -> None:
    """Name our own services among those that are not asked by way of the user's proxy.

    Where no proxy is named in the environment nothing is set: that would hide the one
    in the settings of Windows or macOS.
    """
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    if not any(
        os.environ.get(name) or os.environ.get(name.upper()) for name in proxies
    ):
        return
    told = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    known = [host.strip() for host in told.split(",") if host.strip()]
    names = ",".join([*known, *(host for host in OURS if host not in known)])
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = names
