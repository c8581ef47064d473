"""The settings of the reverse proxy: TLS."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.stack import proxy_settings, verify
from scripts.stack.settings import Settings
from tests.stack.engine import Stack, eventually
from tests.support.certificates import write_certificate

HOST = "localhost"
JSON = {"Content-Type": "application/json"}
ANSWER_SECONDS = 30
RELOAD = ("kill", "--signal", "USR2", "proxy")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, which nobody else can read."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    write_certificate(folder, "tls", HOST)
    return folder


@pytest.fixture(scope="module")
def secured(stack: Stack, certificates: Path) -> Iterator[Stack]:
    """The stack whose proxy has every setting; afterwards it has none again."""
    own = {
        "PROXY_CERTIFICATES": str(certificates),
        "PROXY_USER": str(os.getuid()),
    }
    stack.environment |= own
    try:
        restart_proxy(stack, f"https://{HOST}")
        yield stack
    finally:
        for name in own:
            del stack.environment[name]
        restart_proxy(stack, f"http://{HOST}")


@pytest.fixture
def client(secured: Stack, certificates: Path) -> Iterator[httpx.Client]:
    """A client that trusts the certificate."""
    port = secured.ports["API"]
    context = ssl.create_default_context(cafile=certificates / "tls.crt")
    address = f"https://{HOST}:{port}"
    with httpx.Client(verify=context, base_url=address, trust_env=False) as client:
        yield client


def restart_proxy(stack: Stack, address: str) -> None:
    """Start the proxy with the settings as they are, and wait until it answers."""
    stack.compose("up", "--detach", "--no-deps", "proxy")
    port = stack.ports["API"]
    with httpx.Client(verify=False, trust_env=False) as anyone:

        def is_ready() -> bool:
            try:
                answer = anyone.get(f"{address}:{port}/health/ready")
            except httpx.HTTPError:
                return False
            return answer.status_code == 200

        eventually(is_ready, ANSWER_SECONDS, "the proxy answers")


def refusal(stack: Stack, **settings: str) -> str:
    """Return the error of the start command with settings that cannot be used."""
    done = subprocess.run(
        ["./start-mlops.sh", "--only", "mlops-api"],
        cwd=stack.checkout,
        env=stack.environment | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_the_api_answers_over_tls_alone(
    secured: Stack, client: httpx.Client, record: bytes
) -> None:
    answer = client.post("/predict/iris", content=record, headers=JSON)
    assert answer.status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(secured.url("API", "/health"), trust_env=False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_versions_of_tls_that_are_in_use_are_accepted(
    secured: Stack, certificates: Path, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(cafile=certificates / "tls.crt")
    context.minimum_version = version
    context.maximum_version = version
    port = secured.ports["API"]
    address = f"https://{HOST}:{port}/health"
    assert httpx.get(address, verify=context, trust_env=False).status_code == 200


def test_the_start_script_and_the_health_check_reach_the_api(secured: Stack) -> None:
    settings = Settings(0, (), (), secured.environment)
    seen = verify.api(proxy_settings.applied(settings))
    addresses = [row.address for row in seen]
    assert f"https://127.0.0.1:{secured.ports['API']}/docs" in addresses
    (proxy,) = secured.containers("proxy")
    _, command = proxy["Config"]["Healthcheck"]["Test"]
    secured.compose("exec", "-T", "proxy", "sh", "-c", command)


def test_a_renewed_certificate_is_read_without_a_restart(
    secured: Stack, certificates: Path
) -> None:
    port = secured.ports["API"]
    before = ssl.get_server_certificate((HOST, port))
    renewed = write_certificate(certificates, "tls", HOST).read_text("utf-8")
    assert ssl.get_server_certificate((HOST, port)) == before
    secured.compose(*RELOAD)
    eventually(
        lambda: ssl.get_server_certificate((HOST, port)) == renewed,
        ANSWER_SECONDS,
        "the proxy has the new certificate",
    )


def test_settings_that_cannot_be_used_are_one_sentence(
    stack: Stack, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    error = refusal(stack, PROXY_CERTIFICATES=str(missing))
    assert error.startswith("error: the proxy cannot use PROXY_CERTIFICATES: ")
    assert str(missing) in error
    write_certificate(tmp_path, "tls", HOST)
    (tmp_path / "tls.key").unlink()
    (tmp_path / "tls.crt").chmod(0o644)
    tmp_path.chmod(0o755)
    error = refusal(stack, PROXY_CERTIFICATES=str(tmp_path))
    assert "No Private Key found" in error
