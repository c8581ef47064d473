"""Variables that libraries read: no proxy for our services, and no telemetry."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import httpx
import pytest
import requests
import yaml

from core.environment import OURS, bypass_proxies, is_ours, prepare
from core.files import sha256_file
from tests.paths import ROOT
from tests.support.service import MODELS, make

# Nothing listens on this port.
PROXY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an environment of its own, without the settings of this machine."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        for variable in (name, name.upper()):
            os.environ.pop(variable, None)


@pytest.mark.parametrize(
    "variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"]
)
def test_our_own_services_are_reached_directly(variable: str) -> None:
    os.environ[variable] = PROXY
    bypass_proxies()
    for host in (
        "127.0.0.1",
        "localhost",
        "[::1]",
        "trainer",
        "mlflow-server",
        "jaeger",
    ):
        address = f"http://{host}:5000/"
        assert (
            requests.utils.get_environ_proxies(address) == {} or host == "[::1]"
        ), host
        assert urllib.request.proxy_bypass(host.strip("[]"))
        with httpx.Client() as client:
            transport = client._transport_for_url(httpx.URL(address))
            assert transport is client._transport, host


def test_other_services_are_reached_through_the_users_proxy() -> None:
    os.environ |= {"HTTP_PROXY": PROXY, "NO_PROXY": "intranet.example, .corp"}
    bypass_proxies()
    assert not urllib.request.proxy_bypass("mlflow.example.org")
    assert not urllib.request.proxy_bypass("api.github.com")
    assert urllib.request.proxy_bypass("intranet.example")
    assert os.environ["NO_PROXY"].startswith("intranet.example,.corp,localhost,")
    before = os.environ["NO_PROXY"]
    bypass_proxies()
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == before


def test_without_a_proxy_nothing_is_set() -> None:
    """Otherwise the proxy in the settings of Windows or macOS would be ignored."""
    bypass_proxies()
    assert "NO_PROXY" not in os.environ
    assert "no_proxy" not in os.environ


def test_variables_that_the_user_has_set_are_kept() -> None:
    os.environ |= {"ORT_DISABLE_TELEMETRY": "0", "MLFLOW_DISABLE_TELEMETRY": "false"}
    prepare()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://proxy:8000", True),
        ("http://example.org", False),
        ("http://10.0.0.1", False),
        ("http://trainer.example", False),
        ("nonsense", False),
    ],
)
def test_our_own_addresses_are_recognized(address: str, ours: bool) -> None:
    assert is_ours(address) == ours


def test_every_container_that_serves_others_is_named() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    servers = {
        "mlops-api",
        "proxy",
        "trainer",
        "mlflow-server",
        "jaeger",
        "prometheus",
    }
    assert servers <= set(services)
    assert servers <= set(OURS)


@pytest.mark.parametrize("home", ["empty", "none"])
def test_a_model_that_is_opened_leaves_the_home_folder_empty(
    tmp_path: Path, home: str
) -> None:
    make()
    script = (
        "import sys; from pathlib import Path; from core.onnx_model import OnnxModel;"
        " print(OnnxModel(Path(sys.argv[1])).sha256)"
    )
    environment = dict(os.environ)
    environment.pop("HOME", None)
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    if home == "empty":
        environment |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    path = MODELS / "iris" / "model.onnx"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == sha256_file(path)
    assert list(tmp_path.rglob("*")) == []
