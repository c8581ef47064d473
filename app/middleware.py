"""The outermost middleware: request IDs, load shedding, headers, metrics, access log."""

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

from app.asgi.probes import PROBE_PATHS
from app.asgi.proxy import Proxies
from app.asgi.responses import JSON, SECURITY_HEADERS, send_json
from app.errors import PROBLEM_JSON, problem
from app.observability.metrics import Metrics
from core.asgi import route_path

Log = Callable[[dict[str, Any]], None]
SAFE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
NO_PROXIES = Proxies("none")
LOG_FIELDS = {
    "level": "INFO",
    "logger": "app.request",
    "message": "request",
}
# A refusal is delayed, each by another time: clients that ask again at once would keep
# the server busy, and all at the same time would come back together.
REFUSAL_SECONDS = (0.25, 0.75)
MAX_DELAYED_REFUSALS = 1000
OVERLOADED = "too many requests wait already: try again in a second."


class RequestContextMiddleware:
    """Gives each request an ID and a place among those that wait, and records it.

    Attributes:
        log: takes the fields of one line a request; `logging` would take 30 µs.
        waiting: how many requests are in work or wait for it.
        waiting_for_jobs: how many gave up their place while a job runs.
        draining: whether answers request that clients close their connections.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        max_waiting: int,
        log: Log,
        proxies: Proxies = NO_PROXIES,
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.max_waiting = max_waiting
        self.log = log
        self.proxies = proxies
        self.waiting = 0
        self.waiting_for_jobs = 0
        self.draining = False
        self._delayed_refusals = 0
        metrics.waiting.set_function(lambda: self.waiting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; pass anything else on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        request_id = scope["request_id"] = _request_id(scope)
        scope["request_context"] = self
        self.proxies.apply(scope)

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                id_header = (b"x-request-id", request_id.encode())
                headers = [*message["headers"], *SECURITY_HEADERS, id_header]
                if self.draining:
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        is_probe = route_path(scope).startswith(PROBE_PATHS)
        if not is_probe and self.waiting >= self.max_waiting:
            await self._refuse(scope, send_with_headers)
            return
        self.waiting += 1
        try:
            if not is_probe:
                # Lets requests that arrived at the same time be counted.
                await asyncio.sleep(0)
            await self.app(scope, receive, send_with_headers)
        finally:
            self.waiting -= 1
            self._record(scope, status, time.perf_counter() - started)

    @contextmanager
    def waiting_for_job(self, scope: Scope) -> Iterator[None]:
        """Give up a request's place among those that wait while it waits for a job.

        That time is left out of the request's duration in the metrics, which show how
        fast requests are answered.
        """
        started = time.perf_counter()
        self.waiting -= 1
        self.waiting_for_jobs += 1
        try:
            yield
        finally:
            self.waiting += 1
            self.waiting_for_jobs -= 1
            scope["job_seconds"] = time.perf_counter() - started

    async def _refuse(self, scope: Scope, send: Send) -> None:
        """Answer 503 after a delay, without a log line, which would cost more."""
        self.metrics.shed.inc()
        if self._delayed_refusals < MAX_DELAYED_REFUSALS:
            self._delayed_refusals += 1
            await asyncio.sleep(random.uniform(*REFUSAL_SECONDS))
            self._delayed_refusals -= 1
        if route_path(scope).startswith("/v2"):
            content = {"error": OVERLOADED}
            content_type = JSON
        else:
            content = problem(503, OVERLOADED, scope["request_id"])
            content_type = PROBLEM_JSON.encode()
        await send_json(
            send,
            503,
            orjson.dumps(content),
            (b"retry-after", b"1"),
            content_type=content_type,
        )

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        """Count, time and log a request that was answered."""
        # Only paths that exist become labels: there is no end of those that clients
        # could send.
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if route != "other" else "any"
        self.metrics.requests_of(method, route, str(status)).inc()
        answering = seconds - scope.get("job_seconds", 0.0)
        trace = scope.get("trace")
        self.metrics.seconds_of(route).observe(answering, trace)
        client = scope.get("client")
        line = {
            "time": time.time(),
            **LOG_FIELDS,
            "request_id": scope["request_id"],
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
        }
        if task := scope.get("task"):
            line["task"] = task
        line["ms"] = round(seconds * 1000, 3)
        line["client"] = client[0] if client else None
        if trace:
            line |= trace
        self.log(line)


def _request_id(scope: Scope) -> str:
    """Return the client's own request ID if it is harmless, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SAFE_ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)
