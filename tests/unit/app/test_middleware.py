"""The middleware around every request, over an application that waits for a signal."""

import asyncio
from typing import Any, NamedTuple

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import Problem
from app.middleware import RequestContextMiddleware
from app.observability.metrics import Metrics

UNLIMITED = ("/health", "/metrics", "/v2/health")
LINES: list[dict[str, Any]] = []


class Answer(NamedTuple):
    """The response of the application."""

    status: int
    headers: dict[str, str]
    body: bytes


class Slow:
    """Answers once `go` is set; probes and metrics at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(UNLIMITED):
            await self.go.wait()
        if scope["path"] == "/broken":
            raise ValueError("a broken path")
        await respond(send, scope["request_id"].encode())


async def respond(send: Send, body: bytes) -> None:
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delay of refusals."""
    monkeypatch.setattr("app.middleware.REFUSAL_SECONDS", (0.02, 0.04))


@pytest.fixture(autouse=True)
def without_lines() -> None:
    LINES.clear()


def around(app: Any, max_waiting: int) -> RequestContextMiddleware:
    return RequestContextMiddleware(app, Metrics(), max_waiting, LINES.append)


async def request(
    middleware: RequestContextMiddleware, path: str = "/predict", **headers: str
) -> Answer:
    """Send a request through the middleware."""
    sent: list[Message] = []
    raw_headers = []
    for name, value in headers.items():
        header = name.replace("_", "-").encode(), value.encode()
        raw_headers.append(header)
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": raw_headers,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await middleware(scope, receive, send)
    start, body = sent
    decoded = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], decoded, body["body"])


def run(
    max_waiting: int, *paths: str, **headers: str
) -> tuple[list[Answer], RequestContextMiddleware]:
    """Request all paths at the same time, and then set the signal."""

    async def work() -> tuple[list[Answer], RequestContextMiddleware]:
        slow = Slow()
        middleware = around(slow, max_waiting)
        requests = []
        for path in paths:
            task = asyncio.create_task(request(middleware, path, **headers))
            requests.append(task)
        await asyncio.sleep(0.05)
        slow.go.set()
        answers = await asyncio.gather(*requests)
        return list(answers), middleware

    return asyncio.run(work())


def run_one(path: str, **headers: str) -> Answer:
    (answer,), _ = run(1, path, **headers)
    return answer


def sample(middleware: RequestContextMiddleware, name: str, **labels: str) -> Any:
    return middleware.metrics.registry.get_sample_value(name, labels)


def test_requests_beyond_the_limit_get_503_and_are_counted() -> None:
    answers, middleware = run(2, *["/predict"] * 5)
    assert [answer.status for answer in answers] == [200, 200, 503, 503, 503]
    refused = answers[-1]
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(refused.body)
    assert problem.status == 503
    assert problem.errors == []
    assert problem.request_id == refused.headers["x-request-id"]
    assert sample(middleware, "http_requests_shed_total") == 3
    assert middleware.waiting == 0


def test_the_open_inference_protocol_is_refused_in_its_own_form() -> None:
    answers, _ = run(1, "/predict", "/v2/models/iris/infer")
    message = b'{"error":"too many requests wait already: try again in a second."}'
    assert answers[1].body == message


def test_probes_and_metrics_pass_however_many_requests_wait() -> None:
    probes = (
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/v2/health/ready",
    )
    answers, _ = run(1, *["/predict"] * 4, *probes)
    for answer in answers[4:]:
        assert answer.status == 200


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def work() -> RequestContextMiddleware:
        slow = Slow()
        slow.go.set()
        middleware = around(slow, 1)
        for _ in range(3):
            with pytest.raises(ValueError, match="a broken path"):
                await request(middleware, "/broken")
        answer = await request(middleware)
        assert answer.status == 200
        return middleware

    middleware = asyncio.run(work())
    labels = {"method": "any", "route": "other", "status": "500"}
    assert sample(middleware, "http_requests_total", **labels) == 3


@pytest.mark.parametrize("request_id", ["abc", "A.b_c-1", "x" * 64])
def test_the_request_id_of_a_client_is_kept(request_id: str) -> None:
    answer = run_one("/predict", x_request_id=request_id)
    assert answer.headers["x-request-id"] == request_id
    assert answer.body == request_id.encode()


@pytest.mark.parametrize("request_id", ["", "x" * 65, "a b", 'a"b', "a\tb", "é"])
def test_a_request_id_that_could_spoil_a_log_is_replaced(request_id: str) -> None:
    answer = run_one("/predict", x_request_id=request_id)
    assert answer.headers["x-request-id"] != request_id
    assert len(answer.headers["x-request-id"]) == 16


def test_every_answer_has_the_security_headers() -> None:
    answers, _ = run(1, "/predict", "/predict", "/health")
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    for answer in answers:
        assert expected.items() <= answer.headers.items()


def test_a_server_that_stops_closes_the_connections_of_its_clients() -> None:
    async def work() -> tuple[Answer, Answer]:
        slow = Slow()
        slow.go.set()
        middleware = around(slow, 1)
        before = await request(middleware)
        middleware.draining = True
        after = await request(middleware)
        return before, after

    before, after = asyncio.run(work())
    assert "connection" not in before.headers
    assert after.headers["connection"] == "close"


def test_a_request_is_logged_with_its_path() -> None:
    run_one("/etc/passwd", x_request_id="mine")
    (line,) = LINES
    assert line["request_id"] == "mine"
    assert line["path"] == "/etc/passwd"
    assert line["status"] == 200


def test_a_path_that_a_client_invents_is_not_a_label() -> None:
    _, middleware = run(1, "/etc/passwd")
    content, _ = middleware.metrics.render()
    assert b"passwd" not in content
    assert b'route="other"' in content


def test_the_gauge_of_requests_in_progress_has_the_present_number() -> None:
    middleware = around(Slow, 1)
    middleware.waiting = 7
    assert sample(middleware, "http_requests_in_progress") == 7


def test_the_time_to_answer_does_not_include_the_wait_for_a_job() -> None:
    seconds = 0.2

    async def wait_for_a_job(scope: Scope, receive: Receive, send: Send) -> None:
        with scope["request_context"].waiting_for_job(scope):
            await asyncio.sleep(seconds)
        await respond(send, b"")

    middleware = around(wait_for_a_job, 8)
    asyncio.run(request(middleware, "/train"))
    name = "http_request_duration_seconds_sum"
    counted = sample(middleware, name, route="other")
    (line,) = LINES
    longest = line["ms"] / 1000 - seconds + 0.001
    assert counted is not None
    assert 0 < counted <= longest
