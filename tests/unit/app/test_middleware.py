"""What every request goes through, around an application that waits to be let go."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.errors import Problem
from app.middleware import RequestContextMiddleware
from app.observability.metrics import Metrics

Answer = tuple[int, dict[str, str], bytes]


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(("/health", "/metrics", "/v2/health")):
            await self.go.wait()
        if scope["path"] == "/broken":
            raise ValueError("of ours")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["request_id"].encode()})


LINES: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let refusals take less long than they do."""
    monkeypatch.setattr("app.middleware.REFUSAL_SECONDS", (0.02, 0.04))


async def ask(
    gateway: RequestContextMiddleware, path: str = "/predict", **headers: str
) -> Answer:
    sent: list[Message] = []
    raw = [
        (key.replace("_", "-").encode(), value.encode())
        for key, value in headers.items()
    ]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": raw,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await gateway(scope, receive, send)
    start, body = sent
    return (
        start["status"],
        {k.decode(): v.decode() for k, v in start["headers"]},
        body["body"],
    )


def run(
    max_waiting: int, *paths: str, **headers: str
) -> tuple[list[Answer], RequestContextMiddleware]:
    """Ask for all paths at the same time, and let the slow ones go once all have been
    seen.
    """

    async def work() -> tuple[list[Answer], RequestContextMiddleware]:
        slow = Slow()
        gateway = RequestContextMiddleware(slow, Metrics(), max_waiting, LINES.append)
        asked = [asyncio.create_task(ask(gateway, path, **headers)) for path in paths]
        await asyncio.sleep(0.05)
        slow.go.set()
        return list(await asyncio.gather(*asked)), gateway

    return asyncio.run(work())


def value(gateway: RequestContextMiddleware, name: str, **labels: str) -> float | None:
    return gateway.metrics.registry.get_sample_value(name, labels)


def test_what_exceeds_the_queue_gets_503_and_is_counted() -> None:
    answers, gateway = run(2, *["/predict"] * 5)
    assert [status for status, _, _ in answers] == [200, 200, 503, 503, 503]
    _, headers, body = answers[-1]
    assert headers["retry-after"] == "1"
    assert headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(body)
    assert (problem.status, problem.errors) == (503, [])
    assert problem.request_id == headers["x-request-id"]
    assert value(gateway, "http_requests_shed_total") == 3
    assert gateway.waiting == 0


def test_the_open_inference_protocol_is_refused_in_its_own_form() -> None:
    answers, _ = run(1, "/predict", "/v2/models/iris/infer")
    assert (
        answers[1][2]
        == b'{"error":"too many requests wait already: try again in a second."}'
    )


def test_probes_and_metrics_pass_however_much_waits() -> None:
    probes = (
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/v2/health/ready",
    )
    answers, _ = run(1, *["/predict"] * 4, *probes)
    assert [status for status, _, _ in answers[4:]] == [200] * len(probes)


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def work() -> RequestContextMiddleware:
        slow = Slow()
        slow.go.set()
        gateway = RequestContextMiddleware(slow, Metrics(), 1, LINES.append)
        for _ in range(3):
            with pytest.raises(ValueError, match="of ours"):
                await ask(gateway, "/broken")
        assert (await ask(gateway))[0] == 200
        return gateway

    gateway = asyncio.run(work())
    labels = {"method": "any", "route": "other", "status": "500"}
    assert value(gateway, "http_requests_total", **labels) == 3


@pytest.mark.parametrize("given", ["abc", "A.b_c-1", "x" * 64])
def test_a_request_id_is_taken_over(given: str) -> None:
    (status, headers, body), *_ = run(1, "/predict", x_request_id=given)[0]
    assert (headers["x-request-id"], body) == (given, given.encode())


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "a\tb", "é"])
def test_a_request_id_that_could_spoil_a_log_is_replaced(given: str) -> None:
    (_, headers, _), *_ = run(1, "/predict", x_request_id=given)[0]
    assert headers["x-request-id"] != given
    assert len(headers["x-request-id"]) == 16


def test_every_answer_has_the_security_headers() -> None:
    for _, headers, _ in run(1, "/predict", "/predict", "/health")[0]:
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_a_server_that_stops_asks_clients_to_leave() -> None:
    async def work() -> Answer:
        slow = Slow()
        slow.go.set()
        gateway = RequestContextMiddleware(slow, Metrics(), 1, LINES.append)
        assert "connection" not in (await ask(gateway))[1]
        gateway.draining = True
        return await ask(gateway)

    assert asyncio.run(work())[1]["connection"] == "close"


def test_a_request_is_logged_and_its_path_is_no_label() -> None:
    LINES.clear()
    _, gateway = run(1, "/etc/passwd", x_request_id="mine")
    (line,) = LINES
    assert (line["request_id"], line["path"], line["status"]) == (
        "mine",
        "/etc/passwd",
        200,
    )
    text = gateway.metrics.render()[0].decode()
    assert "passwd" not in text
    assert 'route="other"' in text


def test_what_waits_is_shown_as_it_is_now() -> None:
    gateway = RequestContextMiddleware(Slow, Metrics(), 1, LINES.append)
    gateway.waiting = 7
    assert value(gateway, "http_requests_in_progress") == 7


def test_the_wait_for_a_job_is_no_time_to_answer() -> None:
    waited = 0.2
    metrics = Metrics()

    async def wait_for_a_job(scope: Scope, receive: Receive, send: Send) -> None:
        with scope["request_context"].waiting_for_job(scope):
            await asyncio.sleep(waited)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    LINES.clear()
    asyncio.run(
        ask(
            RequestContextMiddleware(wait_for_a_job, metrics, 8, LINES.append), "/train"
        )
    )
    counted = metrics.registry.get_sample_value(
        "http_request_duration_seconds_sum", {"route": "other"}
    )
    assert counted is not None
    assert 0 < counted <= LINES[0]["ms"] / 1000 - waited + 0.001
