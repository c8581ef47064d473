"""Every path of the API as a client sees it, on a real server."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.serving.model import Model
from tests.support.problems import problem_of
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, Api, edit, golden, manifest

pytestmark = pytest.mark.slow
KEY = "a key for the tests"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with a key and with a web page that may call it, and no trainer beside it."""
    settings = {
        "API_ADMIN_KEY": KEY,
        "API_CORS_ORIGINS": '["https://example.org"]',
        "API_TRAINER_URL": "http://127.0.0.1:9",
    }
    with Api(tmp_path_factory.mktemp("guarded"), **settings) as running:
        yield running


def test_a_request_that_offers_http_2_is_answered(api: Api) -> None:
    """As Java's HttpClient sends it."""
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABk",
    }
    for path in ("/predict/iris", "/predict/iris", "/predict/credit"):
        record = golden(path.rpartition("/")[2])
        answer = api.client.post(path, json=record, headers=offer)
        assert answer.status_code == 200, answer.text
    assert api.client.post("/predict/iris", json={}, headers=offer).status_code == 422


def test_head_is_answered_on_the_same_connection_as_get(api: Api) -> None:
    for path in ("/health", "/models", "/docs", "/metrics", "/nothing", "/health"):
        head = api.client.head(path)
        get = api.client.get(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert head.headers["content-type"] == get.headers["content-type"]
    assert (
        api.metric("http_requests_total", method="HEAD", route="/health", status="200")
        == 2
    )


def test_the_issues_example_is_answered_as_it_stands(api: Api) -> None:
    answer = api.post("/predict", HOUSE)
    about = manifest(MODELS / "housing")
    (expected,) = Model(MODELS / "housing").predict([HOUSE])
    assert answer.pop("prediction") == pytest.approx(expected["prediction"])
    assert re.fullmatch("[0-9a-f]{16}", answer.pop("request_id"))
    assert answer == {
        "task": "housing",
        "unit": "100,000 US$",
        "model_version": about["version"],
        "run_id": about["run_id"],
    }


@pytest.mark.parametrize("task", TASKS)
def test_a_record_a_list_and_a_table_are_answered_alike(api: Api, task: str) -> None:
    record = golden(task)
    single = api.post(f"/predict/{task}", record)
    listed = api.post(f"/predict/{task}", [record, record])
    order = [feature["name"] for feature in manifest(MODELS / task)["features"]]
    table = api.post(
        f"/predict/{task}", {"features": [[record[name] for name in order]]}
    )
    for row in (*listed["predictions"], *table["predictions"]):
        for key, value in row.items():
            is_class = isinstance(value, str)
            assert value == (
                single[key] if is_class else pytest.approx(single[key], rel=1e-5)
            )
    if classes := manifest(MODELS / task)["target"]["classes"]:
        assert single["prediction"] in classes
        assert list(single["probabilities"]) == classes
        assert single["confidence"] == max(single["probabilities"].values())


def test_ten_thousand_records_are_answered_and_one_more_is_too_many(api: Api) -> None:
    rows = {"features": [list(HOUSE.values())] * 10_000}
    assert len(api.post("/predict", rows)["predictions"]) == 10_000
    rows["features"].append(list(HOUSE.values()))
    assert "more than 10,000 records" in api.post("/predict", rows, 413)["detail"]


def test_the_first_page_leads_to_paths_that_answer(api: Api) -> None:
    here = api.get("/")
    assert here["predict"] == {
        **{task: f"/predict/{task}" for task in TASKS},
        "default": "/predict",
    }
    assert here["explain"]["default"] == "/explain"
    for path in here["look"]:
        assert api.client.get(path).status_code == 200, path


def test_health(api: Api) -> None:
    versions = {task: manifest(MODELS / task)["version"] for task in TASKS}
    for path in ("/health", "/health/ready"):
        assert api.get(path) == {"status": "ok", "problems": [], "models": versions}
    assert api.get("/health/live") == {"status": "ok"}


@pytest.mark.parametrize("path", ["/models", "/models/info"])
def test_the_models_are_listed(api: Api, path: str) -> None:
    found = api.get(path)
    assert sorted(found) == TASKS
    for task, card in found.items():
        about = manifest(MODELS / task)
        assert {card[key] == about[key] for key in ("version", "run_id", "sha256")} == {
            True
        }
        assert card["metrics"] == about["holdout"]["metrics"]
        assert card["problem"] is None


def test_the_short_description_is_of_the_default_task_and_beside_it_are_all_models(
    api: Api,
) -> None:
    found = api.get("/model/info")
    about = manifest(MODELS / "housing")
    assert (found.pop("name"), found.pop("version")) == ("housing", about["version"])
    assert found.pop("run_id") == about["run_id"]
    metrics = {
        name: metric["value"] for name, metric in about["holdout"]["metrics"].items()
    }
    assert found.pop("metrics") == metrics
    assert found.pop("loaded_at") == found["housing"]["loaded"]
    assert found == api.get("/models")


@pytest.mark.parametrize("task", TASKS)
def test_a_model_is_told_with_its_features_and_its_card(api: Api, task: str) -> None:
    found = api.get(f"/models/{task}")
    about = manifest(MODELS / task)
    assert [feature["name"] for feature in found["features"]] == [
        feature["name"] for feature in about["features"]
    ]
    assert found["card"] == (MODELS / task / "MODEL_CARD.md").read_text("utf-8")
    assert found["target"]["name"] == about["target"]["name"]
    assert found["limits"] == about["limits"]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/prometheus"])
def test_the_metrics_count_what_is_asked(api: Api, path: str) -> None:
    before = api.metric("predictions_total", task="housing")
    requests = api.metric("http_requests_total", route="/predict", status="200")
    api.post("/predict", [HOUSE] * 3)
    api.post("/predict", HOUSE)
    assert api.metric("predictions_total", task="housing") == before + 4
    assert (
        api.metric("http_requests_total", route="/predict", status="200")
        == requests + 2
    )
    answer = api.client.get(path)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "process_resident_memory_bytes" in answer.text


def test_the_metrics_are_summed_up_for_people(api: Api) -> None:
    api.post("/predict", HOUSE)
    summary = api.get("/metrics/summary")
    assert summary["routes"]["/predict"]["requests"] >= 1
    assert summary["routes"]["/predict"]["p95_ms"] > 0
    assert summary["predictions"]["housing"]["value"] >= 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/models/nothing", None, 404),
        ("POST", "/predict/nothing", b"{}", 404),
        ("POST", "/predict/", b"{}", 404),
        ("POST", "/predict/iris/more", b"{}", 404),
        ("POST", "/explain/nothing", b"{}", 404),
        ("POST", "/explain/", b"{}", 404),
        ("POST", "/predict", b"{}", 422),
        ("POST", "/explain", b"{}", 422),
        ("POST", "/explain", b"{", 422),
        ("POST", "/predict", b"", 422),
        ("POST", "/predict", b"{", 422),
        ("POST", "/predict", b"\xff", 422),
        ("POST", "/predict", b"[" * 100_000, 422),
        ("POST", "/predict/iris", json.dumps(HOUSE).encode(), 422),
        ("POST", "/explain/iris", json.dumps(HOUSE).encode(), 422),
        ("GET", "/predict", None, 405),
        ("DELETE", "/models", None, 405),
        ("PATCH", "/models/iris", b"{}", 405),
        ("GET", "/predictions", None, 403),
        ("GET", "/jobs/1", None, 403),
        ("POST", "/retrain", b"\xff", 422),
    ],
)
def test_all_errors_have_one_form(
    api: Api, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = api.client.request(method, path, content=body)
    assert answer.status_code == status
    problem_of(answer)
    if status == 405:
        assert answer.headers["allow"] in ("GET, HEAD", "POST")


def test_an_error_says_what_is_wrong_and_where(api: Api) -> None:
    problem = api.post("/predict", [HOUSE, HOUSE | {"MedInc": -1, "Rooms": 2}], 422)
    assert problem["errors"] == [
        {
            "detail": "Input should be greater than or equal to 0",
            "pointer": "#/1/MedInc",
        },
        {"detail": "Extra inputs are not permitted", "pointer": "#/1/Rooms"},
    ]


@pytest.mark.parametrize(
    "path", ["/predict", "/predict/iris", "/explain", "/explain/iris"]
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(
    api: Api, path: str, chunked: bool
) -> None:
    body = b" " * 2_000_001
    parts = (body[start : start + 100_000] for start in range(0, len(body), 100_000))
    answer = api.client.post(path, content=parts if chunked else body)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body is larger than 2,000,000 bytes."


@pytest.mark.parametrize("chunked", [False, True])
def test_so_is_one_on_the_protected_paths_and_on_those_of_the_protocol(
    guarded: Api, chunked: bool
) -> None:
    body = b" " * 8_000_001
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    for path in ("/train", "/retrain", "/models/iris/load", "/v2/models/iris/infer"):
        answer = guarded.client.post(
            path, content=iter([body]) if chunked else body, headers=headers
        )
        assert answer.status_code == 413
        member = "error" if path.startswith("/v2") else "detail"
        assert answer.json()[member] == "the body is larger than 8,000,000 bytes."


@pytest.mark.parametrize("host", ["[", "[::1", "a b", "x" * 1000, "\\"])
def test_an_odd_host_header_makes_no_error_of_ours(api: Api, host: str) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        connection.sendall(f"GET /nothing HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert connection.recv(1000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))


def test_a_request_id_makes_the_round_trip_into_the_log(api: Api) -> None:
    answer = api.client.post(
        "/predict", json=HOUSE, headers={"X-Request-ID": "round-trip.1"}
    )
    assert (
        answer.headers["x-request-id"] == answer.json()["request_id"] == "round-trip.1"
    )
    line = api.logged("round-trip.1")
    assert (line["path"], line["task"]) == ("/predict", "housing")


def test_security_headers_are_set_and_other_web_pages_are_kept_out(api: Api) -> None:
    for path in ("/", "/nothing", "/docs"):
        headers = api.client.get(
            path, headers={"Origin": "https://example.org"}
        ).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert not [name for name in headers if name.startswith("access-control")]
        assert "server" not in headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/models"), ("POST", "/predict")])
def test_a_web_page_that_is_named_may_call(
    guarded: Api, method: str, path: str
) -> None:
    body = HOUSE if method == "POST" else None

    def allowed(origin: str) -> str | None:
        answer = guarded.client.request(
            method, path, json=body, headers={"Origin": origin}
        )
        assert answer.status_code == 200
        found: str | None = answer.headers.get("access-control-allow-origin")
        return found

    assert allowed("https://example.org") == "https://example.org"
    assert allowed("https://example.com") is None


def test_a_web_page_may_ask_whether_it_may_call(guarded: Api) -> None:
    asking = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = guarded.client.options("/predict", headers=asking)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://example.org"


DRIFT = {"status": "firing", "labels": {"alertname": "DriftDetected", "task": "iris"}}
ADMIN = [
    ("POST", "/models/iris/load", {"version": 1}),
    ("POST", "/model/load/" + "0" * 32, {}),
    ("POST", "/train", {"algorithm": "random_forest"}),
    ("POST", "/retrain", {}),
    ("POST", "/alerts", {"alerts": [DRIFT]}),
    ("GET", "/jobs/abc", None),
    ("GET", "/predictions", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ADMIN)
def test_what_changes_something_needs_a_key(
    api: Api, guarded: Api, method: str, path: str, body: object
) -> None:
    answer = api.client.request(method, path, json=body, headers={"X-API-Key": KEY})
    assert answer.status_code == 403
    assert "API_ADMIN_KEY" in answer.json()["detail"]
    for headers in ({}, {"X-API-Key": "wrong"}, {b"X-API-Key": b"\xff"}):
        answer = guarded.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == 401
        assert "X-API-Key" in answer.json()["detail"]
        assert KEY not in answer.text


@pytest.mark.parametrize(("method", "path", "body"), ADMIN[:-1])
def test_without_a_trainer_the_key_opens_a_path_that_says_so(
    guarded: Api, method: str, path: str, body: object
) -> None:
    answer = guarded.client.request(method, path, json=body, headers={"X-API-Key": KEY})
    assert answer.status_code == 503
    assert "python -m pipeline serve-worker" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/models/nothing/load", {"version": 1}, 404),
        ("/models/iris/load", {}, 422),
        ("/models/iris/load", {"version": 1, "run_id": "0" * 32}, 422),
        ("/models/iris/load", {"version": True}, 422),
        ("/models/iris/load", {"run_id": "../../etc"}, 422),
        ("/train", {"algorithm": "magic"}, 422),
        ("/train", {"algorithm": "random_forest", "task": "nothing"}, 404),
        ("/train", {"algorithm": "random_forest", "data": []}, 422),
        ("/train", {"algorithm": "random_forest", "\ud800": 1}, 422),
        (
            "/train",
            {"algorithm": "random_forest", "parameters": {"\ud800": "\ud800"}},
            422,
        ),
        ("/train", {"algorithm": "random_forest", "data": [{"x": "\ud800"}]}, 422),
        ("/retrain", {"tasks": ["nothing"]}, 404),
        ("/retrain", {"reason": "\ud800"}, 422),
        ("/retrain", {"unknown": 1}, 422),
        ("/alerts", {"alerts": DRIFT}, 422),
        ("/alerts", {"alerts": [DRIFT] * 1001}, 422),
        ("/alerts", {"alerts": [DRIFT | {"annotations": {"features": "\ud800"}}]}, 422),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_trainer_is_asked(
    guarded: Api, path: str, body: object, status: int
) -> None:
    content = json.dumps(body)
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    answer = guarded.client.post(path, content=content, headers=headers)
    assert answer.status_code == status
    problem_of(answer)


def test_the_last_predictions_are_listed_for_who_has_the_key(guarded: Api) -> None:
    ids = [guarded.post("/predict", HOUSE)["request_id"] for _ in range(3)]
    guarded.wait_for_rows(3)
    headers = {"X-API-Key": KEY}
    rows = guarded.client.get(
        "/predictions?limit=2&task=housing", headers=headers
    ).json()
    assert [row["request_id"] for row in rows] == [ids[2], ids[1]]
    assert rows[0]["features"] == HOUSE
    for query in ("limit=0", "limit=1001", "limit=x", "task=" + "x" * 51):
        answer = guarded.client.get(f"/predictions?{query}", headers=headers)
        assert answer.status_code == 422
        name, _, _ = query.partition("=")
        assert problem_of(answer)["errors"][0]["parameter"] == name


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_needs_no_internet(api: Api, path: str) -> None:
    page = api.client.get(path).text
    assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert any(asset.endswith(".js") for asset in assets)
    assert re.findall(r"https?://[^\s\"'<]+", page) == []
    for asset in assets:
        found = api.client.get(asset)
        assert found.status_code == 200, asset
        assert found.content


def test_the_openapi_document_is_valid_and_its_examples_are_answered(api: Api) -> None:
    import schemathesis  # takes a second, also where this test is not run

    document = api.get("/openapi.json")
    schemathesis.openapi.from_dict(document).validate()

    def described(path: str) -> Any:
        return document["paths"][path]["post"]["requestBody"]["content"][
            "application/json"
        ]

    for task in TASKS:
        api.post(f"/predict/{task}", described(f"/predict/{task}")["example"])
        for path in ("/predict", "/explain"):
            assert list(described(path)["examples"]) == TASKS
        example = described("/predict")["examples"][task]["value"]
        assert api.post("/predict", example)["task"] == task


def test_a_task_that_was_never_in_the_code_is_served_from_its_manifest(
    tmp_path: Path,
) -> None:
    other = Api(tmp_path, API_DEFAULT_TASK="flowers")
    (other.models / "iris").rename(other.models / "flowers")
    edit(other.models / "flowers", task="flowers")
    with other:
        assert other.post("/predict/flowers", golden("iris"))["task"] == "flowers"
        assert other.post("/predict", golden("iris"))["task"] == "flowers"
        assert "/predict/flowers" in other.get("/openapi.json")["paths"]
        other.post("/predict/iris", golden("iris"), 404)
