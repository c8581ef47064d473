"""HEAD beside every GET, with which monitors check whether a service is up."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from tests.unit.app.conftest import MakeSettings

# Of every kind: FastAPI's own, ours, the protocol's, files, and what is refused.
PATHS = (
    "/",
    "/health",
    "/health/live",
    "/health/ready",
    "/models",
    "/models/iris",
    "/models/none",
    "/metrics",
    "/metrics/prometheus",
    "/metrics/summary",
    "/dashboard",
    "/dashboard/figures",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/static-offline-docs/swagger-ui.css",
    "/v2",
    "/v2/",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/iris",
    "/v2/models/none",
    "/v2/models/iris/ready",
    "/nothing",
    "/jobs/1",
    "/predictions",
    "/predict",
    "/explain/iris",
)
OWN = {"x-request-id", "date", "content-length", "etag"}


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_without_a_body(
    shared_client: TestClient, path: str
) -> None:
    get = shared_client.get(path)
    head = shared_client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert set(head.headers) == set(get.headers)
    for name in set(get.headers) - OWN:
        assert head.headers[name] == get.headers[name], name
    length = int(head.headers["content-length"])
    # Metrics and times differ from one request to the next.
    if path.startswith(("/metrics", "/dashboard")):
        assert length > 0
    else:
        assert length == len(get.content)


def test_every_get_of_the_document_is_here(shared_client: TestClient) -> None:
    document = shared_client.get("/openapi.json").json()
    paths = [
        path for path, operations in document["paths"].items() if "get" in operations
    ]
    assert len(paths) > 15
    for path in paths:
        filled = path.format(name="iris", task="iris", version="1", job_id="1")
        get = shared_client.get(filled)
        head = shared_client.head(filled)
        assert head.status_code == get.status_code, path
    for operations in document["paths"].values():
        assert "head" not in operations


def test_not_allowed_names_head_beside_get(shared_client: TestClient) -> None:
    assert shared_client.delete("/models").headers["Allow"] == "GET, HEAD"
    assert shared_client.head("/predict").headers["Allow"] == "POST"


def test_metrics_and_log_know_a_head_by_its_method_and_route(
    settings: MakeSettings, folder: Path
) -> None:
    lines: list[dict[str, object]] = []
    with TestClient(create_app(settings(), lines.append)) as client:
        client.head("/models/iris")
        metrics = client.get("/metrics").text
    labels = 'method="HEAD",route="/models/{task}",status="200"'
    assert f"http_requests_total{{{labels}}} 1.0" in metrics
    assert 'method="GET",route="/models/{task}"' not in metrics
    assert lines[0]["method"] == "HEAD"
    assert lines[0]["path"] == "/models/iris"
