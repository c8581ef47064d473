"""Sends requests at a steady pace, counts what comes back and shows how it goes."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import httpx
import numpy as np
import orjson

from core import api_key
from core.environment import is_ours
from scripts.traffic.questions import Question

AT_ONCE = 32  # as many as the API takes in: more would be refused
PATIENCE_SECONDS = 30.0
SHOW_SECONDS = 0.5
LINE_SECONDS = 10.0
# Answers are written to the prediction log in batches; feedback names a row of it.
FEEDBACK_SECONDS = 1.0
NO_ANSWER = "no answer"


class Unreachable(Exception):
    """Nothing answers where the API should be."""


@dataclass
class Counts:
    """What was sent and what came back."""

    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    feedback: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "requests": self.statuses.total(),
            "rows": self.rows,
            "statuses": dict(sorted(self.statuses.items())),
            "feedback": dict(sorted(self.feedback.items())),
            "p50_ms": self._milliseconds(0.5),
            "p99_ms": self._milliseconds(0.99),
        }

    def __str__(self) -> str:
        """Return the figures as one line."""
        figures = self.summary()
        parts = [
            f"{figures['requests']:,} requests",
            f"{figures['rows']:,} records answered",
        ]
        for status, count in figures["statuses"].items():
            parts.append(f"{status}: {count:,}")
        for status, count in figures["feedback"].items():
            parts.append(f"feedback {status}: {count:,}")
        if self.seconds:
            median = figures["p50_ms"]
            slow = figures["p99_ms"]
            parts.append(f"p50 {median} ms, p99 {slow} ms")
        return " · ".join(parts)

    def _milliseconds(self, share: float) -> float | None:
        if not self.seconds:
            return None
        seconds = float(np.quantile(self.seconds, share))
        return round(seconds * 1000, 1)


async def send(
    url: str,
    questions: Iterator[Question],
    rate: float,
    seconds: float | None,
    feedback: bool,
    counts: Counts,
) -> None:
    """Send until the questions or the seconds are over; `counts` is kept up to date.

    Raises:
        UsageError: the key in the environment cannot be sent; see `api_key`.
        Unreachable: nothing answers when it begins. What fails later is counted.
    """
    limits = httpx.Limits(max_connections=AT_ONCE)
    try:
        client = httpx.AsyncClient(
            base_url=url,
            headers=api_key.headers(),
            timeout=PATIENCE_SECONDS,
            limits=limits,
            trust_env=not is_ours(url),  # a proxy is for the outside
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise Unreachable(f"{url} is not an address: {error}.") from error
    async with client:
        try:
            await client.get("/health/live")
        except httpx.TransportError as error:
            raise Unreachable(
                f"no API answers at {url} ({error}): is it started?"
            ) from error
        async with _shown(counts):
            await _send_all(client, questions, rate, seconds, feedback, counts)


async def _send_all(
    client: httpx.AsyncClient,
    questions: Iterator[Question],
    rate: float,
    seconds: float | None,
    feedback: bool,
    counts: Counts,
) -> None:
    async with asyncio.TaskGroup() as group:
        free = asyncio.Semaphore(AT_ONCE)
        began = time.monotonic()
        for number, question in enumerate(questions):
            planned = number / rate
            if seconds is not None and planned >= seconds:
                break
            passed = time.monotonic() - began
            await asyncio.sleep(planned - passed)
            await free.acquire()
            passed = time.monotonic() - began
            if seconds is not None and passed >= seconds:
                break
            group.create_task(_ask(client, question, free, feedback, counts))


async def _ask(
    client: httpx.AsyncClient,
    question: Question,
    free: asyncio.Semaphore,
    feedback: bool,
    counts: Counts,
) -> None:
    began = time.perf_counter()
    answer = await _post(client, question.path, question.body, counts.statuses)
    free.release()
    if answer is None:
        return
    counts.seconds.append(time.perf_counter() - began)
    if answer.is_success:
        counts.rows += question.rows
        if feedback and question.population:
            await asyncio.sleep(FEEDBACK_SECONDS)
            body = _feedback(question, orjson.loads(answer.content))
            await _post(client, "/feedback", body, counts.feedback)


async def _post(
    client: httpx.AsyncClient, path: str, body: bytes, outcomes: Counter[str]
) -> httpx.Response | None:
    headers = {"Content-Type": "application/json"}
    try:
        answer = await client.post(path, content=body, headers=headers)
    except httpx.TransportError:
        outcomes[NO_ANSWER] += 1
        return None
    status = str(answer.status_code)
    outcomes[status] += 1
    return answer


def _feedback(question: Question, answer: dict[str, Any]) -> bytes:
    assert question.population
    population = question.population
    truth: Any
    if "predictions" in answer:
        truth = [population.truth(prediction) for prediction in answer["predictions"]]
    else:
        truth = population.truth(answer)
    return orjson.dumps({"request_id": answer["request_id"], "truth": truth})


@asynccontextmanager
async def _shown(counts: Counts) -> AsyncIterator[None]:
    """Show the counts meanwhile: in place if rich is installed, else line by line."""
    line = _line()
    showing = asyncio.create_task(_show(counts, line))
    with line or nullcontext():
        try:
            yield
        finally:
            showing.cancel()


def _line() -> Any:
    if not sys.stderr.isatty() or find_spec("rich") is None:
        return None
    from rich.console import Console

    return Console(stderr=True).status("")


async def _show(counts: Counts, line: Any) -> None:
    while True:
        await asyncio.sleep(SHOW_SECONDS if line else LINE_SECONDS)
        if line:
            line.update(str(counts))
        else:
            print(counts, file=sys.stderr, flush=True)
