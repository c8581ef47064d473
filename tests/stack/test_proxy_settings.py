"""The settings of the reverse proxy: TLS, API keys and a request limit."""

import hashlib
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.stack import proxy_settings, verify
from scripts.stack.settings import Settings
from tests.stack.engine import ADMIN_KEY, Stack, eventually
from tests.stack.proxy_with_settings import (
    ANSWER_SECONDS,
    HOST,
    add_key,
    refusal,
    reload_proxy,
    restart_proxy,
)
from tests.support.certificates import write_certificate

pytestmark = pytest.mark.slow
JSON = {"Content-Type": "application/json"}
KEY = "a key of the web shop"
OTHER_KEY = "a key, of somebody else"
GREEDY_KEY = "a key of the client that sends too much"
LIMIT = 50  # more than the tests send in 10 seconds, but for one
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, which nobody else can read."""
    folder: Path = tmp_path_factory.mktemp("certificates")
    write_certificate(folder, "tls", HOST)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the hashes of the keys of three clients."""
    file: Path = tmp_path_factory.mktemp("keys") / "keys.map"
    add_key(file, KEY, "web-shop")
    add_key(file, OTHER_KEY, "other")
    add_key(file, GREEDY_KEY, "greedy")
    return file


@pytest.fixture(scope="module")
def secured(stack: Stack, certificates: Path, keys: Path) -> Iterator[Stack]:
    """The stack whose proxy has every setting; afterwards it has none again."""
    own = {
        "PROXY_CERTIFICATES": str(certificates),
        "PROXY_API_KEYS": str(keys.parent),
        "PROXY_RATE_LIMIT": str(LIMIT),
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


def test_the_api_answers_over_tls_alone(
    secured: Stack, client: httpx.Client, record: bytes
) -> None:
    headers = JSON | {"X-API-Key": KEY}
    answer = client.post("/predict/iris", content=record, headers=headers)
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
    reload_proxy(secured)
    eventually(
        lambda: ssl.get_server_certificate((HOST, port)) == renewed,
        ANSWER_SECONDS,
        "the proxy has the new certificate",
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"X-API-Key": OTHER_KEY},
        {"X-API-Key": ADMIN_KEY},
    ],
)
def test_a_known_key_opens_predictions(
    client: httpx.Client, record: bytes, headers: dict[str, str]
) -> None:
    answer = client.post("/predict/iris", content=record, headers=JSON | headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": hashlib.sha256(KEY.encode()).hexdigest()},
        {"X-API-Key": "web-shop"},
        {"Authorization": f"Basic {KEY}"},
    ],
)
@pytest.mark.parametrize("path", ["/predict/iris", "/%70redict/iris", "/train"])
def test_without_a_known_key_the_answer_is_401_with_problem_details(
    secured: Stack,
    client: httpx.Client,
    record: bytes,
    path: str,
    headers: dict[str, str],
) -> None:
    answer = client.post(path, content=record, headers=JSON | headers)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["status"] == 401


def test_what_only_reads_needs_no_key(secured: Stack, client: httpx.Client) -> None:
    for path in ("/health", "/models", "/docs", "/metrics"):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert client.options("/predict/iris").status_code != 401


def test_a_key_that_is_added_or_removed_counts_after_a_reload(
    secured: Stack, client: httpx.Client, record: bytes, keys: Path
) -> None:
    hashes = keys.read_text("utf-8")

    def status(key: str) -> int:
        headers = JSON | {"X-API-Key": key}
        return client.post("/predict/iris", content=record, headers=headers).status_code

    replaced = keys.with_suffix(".new")
    add_key(replaced, "a new key", "web-shop")
    replaced.replace(keys)
    reload_proxy(secured)
    eventually(lambda: status("a new key") == 200, ANSWER_SECONDS, "it is known")
    assert status(KEY) == 401
    keys.write_text(hashes, "utf-8")
    reload_proxy(secured)
    eventually(lambda: status(KEY) == 200, ANSWER_SECONDS, "the old key is known again")


def test_a_client_over_its_limit_gets_429_and_others_do_not(
    client: httpx.Client, record: bytes
) -> None:
    greedy = JSON | {"X-API-Key": GREEDY_KEY}
    statuses = []
    for _ in range(LIMIT + 3):
        refused = client.post("/predict/iris", content=record, headers=greedy)
        statuses.append(refused.status_code)
    assert statuses == [200] * LIMIT + [429] * 3
    assert refused.headers["Content-Type"] == PROBLEM
    assert refused.headers["Retry-After"] == "10"
    assert refused.json()["title"] == "Too Many Requests"
    assert client.get("/health", headers=greedy).status_code == 200
    other = JSON | {"X-API-Key": OTHER_KEY}
    answer = client.post("/predict/iris", content=record, headers=other)
    assert answer.status_code == 200


def test_no_key_is_in_the_log_the_image_or_the_configuration(
    secured: Stack, client: httpx.Client, record: bytes
) -> None:
    for key in (KEY, "a wrong key"):
        headers = JSON | {"X-API-Key": key}
        client.post("/predict/iris", content=record, headers=headers)
    (proxy,) = secured.containers("proxy")
    texts = [secured.compose("logs", "proxy", "mlops-api"), json.dumps(proxy)]
    for text in texts:
        assert KEY not in text
        assert "a wrong key" not in text


def test_settings_that_cannot_be_used_are_one_sentence(
    stack: Stack, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    error = refusal(stack, PROXY_CERTIFICATES=str(missing))
    assert error.startswith("error: proxy cannot use PROXY_CERTIFICATES: ")
    assert str(missing) in error
    write_certificate(tmp_path, "tls", HOST)
    (tmp_path / "tls.key").unlink()
    (tmp_path / "tls.crt").chmod(0o644)
    tmp_path.chmod(0o755)
    error = refusal(stack, PROXY_CERTIFICATES=str(tmp_path))
    assert "No Private Key found" in error
    error = refusal(stack, PROXY_API_KEYS=str(tmp_path))
    assert "keys.map" in error
    for limit in ("many", "0"):
        error = refusal(stack, PROXY_RATE_LIMIT=limit)
        assert error.startswith("error: proxy cannot use PROXY_RATE_LIMIT: ")
