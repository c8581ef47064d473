"""What every request goes through: an id, a place in the queue, headers, a metric, a
log line.
"""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability.metrics import Metrics
from app.proxy import Proxies
from core.asgi import route_path

Log = Callable[[dict[str, Any]], None]
# Probes and metrics are answered however much else there is to do.
ALWAYS = ("/health", "/metrics", "/v2/health")
SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
NO_PROXIES = Proxies("none")
LINE = {"level": "INFO", "logger": "app.request", "message": "request"}
# How long a refusal takes, not all alike lest they come back together; how many may
# take so long.
REFUSAL_SECONDS, MAX_REFUSED = (0.25, 0.75), 1000
OVERLOADED = "too many requests wait already: try again in a second."


class Gateway:
    """The outermost ASGI application.

    Attributes:
        log: takes the content of one line a request; by way of `logging` it would cost
            30 µs.
        waiting: how many requests are in work or wait for it.
        aside_now: how many wait for others instead, such as for the trainer.
        draining: whether clients are asked to open no further request.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        max_waiting: int,
        log: Log,
        proxies: Proxies = NO_PROXIES,
    ) -> None:
        self.app, self.metrics, self.max_waiting, self.log = (
            app,
            metrics,
            max_waiting,
            log,
        )
        self.proxies = proxies
        self.waiting, self.aside_now, self.refused, self.draining = 0, 0, 0, False
        metrics.waiting.set_function(lambda: self.waiting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass on what is none."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        request_id = scope["request_id"] = _request_id(scope)
        scope["gateway"] = self
        self.proxies.apply(scope)

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    *message["headers"],
                    *HEADERS,
                    (b"x-request-id", request_id.encode()),
                ]
                if self.draining:
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        free = route_path(scope).startswith(ALWAYS)
        if not free and self.waiting >= self.max_waiting:
            await self._refuse(scope, reply)
            return
        self.waiting += 1
        try:
            if not free:
                await asyncio.sleep(
                    0
                )  # lets those that arrived at the same time be counted
            await self.app(scope, receive, reply)
        finally:
            self.waiting -= 1
            self._note(scope, status, time.perf_counter() - started)

    @contextmanager
    def aside(self, scope: Scope) -> Iterator[None]:
        """Give up a request's place among those that wait, for as long as it waits for
        a job.

        How long that is says nothing of how fast requests are answered: it is not
        counted.
        """
        started = time.perf_counter()
        self.waiting, self.aside_now = self.waiting - 1, self.aside_now + 1
        try:
            yield
        finally:
            self.waiting, self.aside_now = self.waiting + 1, self.aside_now - 1
            scope["aside"] = time.perf_counter() - started

    async def _refuse(self, scope: Scope, send: Send) -> None:
        """Answer 503, and not at once: a client that just asks again would keep us busy
        with it.

        No log line: it would cost more than the refusal.
        """
        self.metrics.shed.inc()
        if self.refused < MAX_REFUSED:
            self.refused += 1
            await asyncio.sleep(random.uniform(*REFUSAL_SECONDS))
            self.refused -= 1
        content: dict[str, object] = {"error": OVERLOADED}
        if not route_path(scope).startswith("/v2"):
            content |= {"details": [], "request_id": scope["request_id"]}
        await send_json(send, 503, orjson.dumps(content), (b"retry-after", b"1"))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # Only paths that exist become labels: others would make as many as clients can
        # think of.
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if route != "other" else "any"
        self.metrics.requests_of(method, route, str(status)).inc()
        answering = seconds - scope.get("aside", 0.0)
        self.metrics.seconds_of(route).observe(answering, scope.get("trace"))
        client, _ = scope.get("client") or (None, None)
        line = {"time": time.time(), **LINE, "request_id": scope["request_id"]}
        line |= {"method": scope["method"], "path": scope["path"], "status": status}
        if task := scope.get("task"):
            line["task"] = task
        line |= {"ms": round(seconds * 1000, 3), "client": client}
        line |= scope.get("trace") or {}
        self.log(line)


async def send_json(
    send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]
) -> None:
    # A response object of starlette would take 2 µs more.
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/json"), length, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SAFE_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)
