"""Load on a running API, and the rows that its log has afterwards."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import httpx

from tests.support.serving import HOUSE, Api
from tests.support.waiting import PATIENCE_SECONDS
from tools.bench import load
from tools.bench.load import Load

CLIENTS = 3


def house_request(api: Api) -> bytes:
    """Return a whole HTTP request for a prediction."""
    body = json.dumps(HOUSE).encode()
    return load.request("/predict", body, api.port)


def press(api: Api, connections: int, seconds: float) -> Load:
    """Send predictions over keep-alive connections that leave when the server says so."""
    request = house_request(api)
    return asyncio.run(load.run(api.port, request, connections, seconds))


def steady_requests(
    api: Api, body: Any
) -> AbstractContextManager[list[httpx.Response]]:
    """Send a body to an API again and again; see `steady_requests_to`."""
    address = str(api.client.base_url)
    return steady_requests_to(address, body)


@contextmanager
def steady_requests_to(address: str, body: Any) -> Iterator[list[httpx.Response]]:
    """Send a body again and again over three connections, and collect the answers.

    An error of one of them is raised at the end.

    Args:
        address: the address of an API, without a path.
    """
    answers: list[httpx.Response] = []
    ended = threading.Event()

    def send() -> None:
        client = httpx.Client(base_url=address, timeout=PATIENCE_SECONDS)
        with client:
            while not ended.is_set():
                answers.append(client.post("/predict", json=body))

    with ThreadPoolExecutor(CLIENTS) as pool:
        senders = [pool.submit(send) for _ in range(CLIENTS)]
        try:
            yield answers
        finally:
            ended.set()
        for sender in senders:
            sender.result()


def logged_request_ids(api: Api) -> list[str]:
    """Return the ID of the request of each row in the log of predictions."""
    query = "SELECT request_id FROM predictions ORDER BY id"
    with closing(sqlite3.connect(api.predictions)) as connection:
        rows = connection.execute(query).fetchall()
    return [request_id for (request_id,) in rows]
