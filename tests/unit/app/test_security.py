"""Who may start jobs: requests as a browser sends them for pages of other origins."""

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from tests.support.api_client import serving
from tests.support.service import MODELS

KEY = "a key for the tests"
RUN = "0" * 32
PATHS = ["/train", "/retrain", "/models/iris/load", f"/model/load/{RUN}", "/alerts"]
# One with a body and one without, for tests with many kinds of requests.
TWO = ["/train", f"/model/load/{RUN}"]
# Requests that are allowed are sent to a worker that does not run.
NO_WORKER = 503


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = {
        "admin_key": SecretStr(KEY),
        "trainer_url": "http://127.0.0.1:9",
        "hosts": "lab.example.org, shown.example.org:8443",
        "cors_origins": ["https://friend.example.org"],
    }
    with serving(MODELS, tmp_path_factory.mktemp("access"), **settings) as client:
        yield client


BODIES = {
    "/train": '{"task": "iris", "algorithm": "random_forest"}',
    "/retrain": "{}",
    "/models/iris/load": '{"version": 1}',
    "/alerts": '{"alerts": [{"status": "firing", "labels": '
    '{"alertname": "DriftDetected", "task": "iris"}}]}',
}


def status(api: TestClient, path: str, key: str | None = KEY, **headers: str) -> int:
    """Return the status that a request is answered with."""
    sent = {"Host": "127.0.0.1:8000"}
    if path in BODIES:
        sent["Content-Type"] = "application/json"
    if key:
        sent["X-API-Key"] = key
    for name, value in headers.items():
        sent[name.replace("_", "-")] = value
    answer = api.post(path, content=BODIES.get(path), headers=sent)
    return answer.status_code


@pytest.mark.parametrize("path", TWO)
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "localhost",
        "LOCALHOST:8000",
        "[::1]:8000",
        "[::1]",
        "10.1.2.3",
        "proxy:8000",
        "mlops-api:8000",
        "lab.example.org",
        "lab.example.org:9000",
    ],
)
def test_our_own_names_and_all_addresses_are_allowed(
    api: TestClient, path: str, host: str
) -> None:
    assert status(api, path, Host=host) == NO_WORKER
    origin = f"http://{host}"
    assert status(api, path, Host=host, Origin=origin) == NO_WORKER


@pytest.mark.parametrize("path", TWO)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "proxy.evil.example:8000",
        "localhost:8000.evil.example",
        "xlab.example.org",
        "",
        "[::1",
    ],
)
def test_any_other_name_is_refused(api: TestClient, path: str, host: str) -> None:
    """DNS rebinding: for the browser, page and API have the same origin."""
    assert status(api, path, Host=host) == 403
    origin = f"http://{host}"
    assert status(api, path, Host=host, Origin=origin) == 403


@pytest.mark.parametrize("path", PATHS)
def test_no_header_that_a_rebound_page_may_add_helps_it(
    api: TestClient, path: str
) -> None:
    evil = {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}
    for claimed in ("127.0.0.1:8000", "localhost:8000", "evil.example:8000"):
        assert status(api, path, X_Forwarded_Host=claimed, **evil) == 403


@pytest.mark.parametrize("path", TWO)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1:8001",
        "http://127.0.0.1",
        "null",
        "",
        "x",
        "http://localhost:8000",
        "http://127.0.0.1:8000.evil.example",
        "file://",
        "https://friend.example.org",
        "https://shown.example.org",
        "http://lab.example.org:1",
    ],
)
def test_pages_of_other_origins_are_refused(
    api: TestClient, path: str, origin: str
) -> None:
    assert status(api, path, Origin=origin) == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_page_is_refused_on_every_path_before_the_key_is_looked_at(
    api: TestClient, path: str
) -> None:
    for key in (KEY, "wrong", None):
        assert status(api, path, key, Origin="https://evil.example") == 403
        assert status(api, path, key, Host="evil.example") == 403


@pytest.mark.parametrize("path", TWO)
@pytest.mark.parametrize(
    "origin", ["https://lab.example.org", "https://shown.example.org:8443"]
)
def test_pages_under_a_configured_name_are_allowed_behind_any_proxy(
    api: TestClient, path: str, origin: str
) -> None:
    assert status(api, path, Origin=origin) == NO_WORKER


@pytest.mark.parametrize("path", sorted(BODIES))
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "/",
    ],
)
def test_what_a_form_can_send_is_refused(api: TestClient, path: str, kind: str) -> None:
    assert status(api, path, Content_Type=kind) == 415


@pytest.mark.parametrize("path", sorted(BODIES))
@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON"]
)
def test_the_type_of_json_may_be_written_in_several_ways(
    api: TestClient, path: str, kind: str
) -> None:
    assert status(api, path, Content_Type=kind) == NO_WORKER


@pytest.mark.parametrize("path", ["/retrain", f"/model/load/{RUN}"])
def test_an_empty_body_may_be_left_out(api: TestClient, path: str) -> None:
    headers = {"Host": "localhost", "X-API-Key": KEY}
    answer = api.post(path, headers=headers)
    assert answer.status_code == NO_WORKER


@pytest.mark.parametrize("path", PATHS)
def test_the_key_alone_is_not_guessed_by_its_beginning(
    api: TestClient, path: str
) -> None:
    wrong_keys = [
        "",
        KEY[:-1],
        f"{KEY}x",
        KEY.upper(),
        None,
    ]
    for key in wrong_keys:
        assert status(api, path, key) == 401


def test_the_key_is_compared_in_constant_time(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import secrets

    compared: list[tuple[bytes, bytes]] = []
    real: Callable[[bytes, bytes], bool] = secrets.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr("secrets.compare_digest", compare)
    assert status(api, "/train", "wrong") == 401
    assert compared == [(b"wrong", KEY.encode())]


def test_predictions_are_answered_whatever_the_page_and_the_name(
    api: TestClient,
) -> None:
    """They change nothing, and a service is reached under names of all kinds."""
    record = {
        "sepal_length": 5.1,
        "sepal_width": 3.5,
        "petal_length": 1.4,
        "petal_width": 0.2,
    }
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert api.post("/predict/iris", json=record, headers=headers).status_code == 200
    assert api.get("/models", headers=headers).status_code == 200
