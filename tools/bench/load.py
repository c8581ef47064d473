"""A load generator: keep-alive connections over raw sockets, to cost less than servers."""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np


@dataclass
class Load:
    """The answers to a load.

    Attributes:
        seconds: the time that each accepted request took.
        statuses: how many answers had each status.
        broken: connections that ended before an answer.
        took: how long the load lasted, in seconds.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return len(self.seconds) / self.took

    def quantile(self, share: float) -> float:
        """Return a quantile of the accepted requests' times, in milliseconds."""
        return float(np.quantile(self.seconds, share)) * 1000


class _Connection(asyncio.Protocol):
    """Sends the same request again as soon as the answer is whole."""

    def __init__(self, request: bytes, load: Load, pause: float, delay: float) -> None:
        self.request = request
        self.load = load
        self.pause = pause
        self.delay = delay
        self.buffer = b""
        self.sent = 0.0
        self.busy = False
        self.stopped = False
        self.loop = asyncio.get_running_loop()
        self.ended = self.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.loop.call_later(self.delay, self._send)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank_line, body = self.buffer.partition(b"\r\n\r\n")
        if not blank_line:
            return
        headers = head.lower()
        _, _, rest = headers.partition(b"content-length:")
        length, _, _ = rest.partition(b"\r\n")
        if len(body) < int(length):
            return
        self._count(int(head[9:12]))
        self.buffer = b""
        self.busy = False
        if self.stopped or b"connection: close" in headers:
            self.transport.close()
        elif self.pause:
            self.loop.call_later(self.pause, self._send)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.broken += self.busy
        if not self.ended.done():
            self.ended.set_result(None)

    def _count(self, status: int) -> None:
        """Count an answer that is complete."""
        statuses = self.load.statuses
        statuses[status] = statuses.get(status, 0) + 1
        if status == 200:
            took = time.perf_counter() - self.sent
            self.load.seconds.append(took)

    def _send(self) -> None:
        if self.stopped or self.transport.is_closing():
            self.transport.close()
            return
        self.busy = True
        self.sent = time.perf_counter()
        self.transport.write(self.request)


def _same(connection: _Connection) -> _Connection:
    return connection


def get_request(path: str, port: int) -> bytes:
    """Return a GET as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def request(path: str, body: bytes, port: int) -> bytes:
    """Return a POST as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type:"
        " application/json\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def run(
    port: int, content: bytes, connections: int, seconds: float, rate: float = 0.0
) -> Load:
    """Put load on a server on this machine.

    Args:
        rate: requests a second, approximately; 0 is as many as it can answer.
    """
    load = Load()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    pause = 0.0
    if rate:
        pause = connections / rate
    opened = []
    for number in range(connections):
        # With a pause, the connections start one after the other: otherwise they would
        # all send at the same moment.
        delay = pause * number / connections
        connection = _Connection(content, load, pause, delay)
        protocol = partial(_same, connection)
        await loop.create_connection(protocol, "127.0.0.1", port)
        opened.append(connection)
    ended = [connection.ended for connection in opened]
    await asyncio.wait(ended, timeout=seconds)
    load.took = time.perf_counter() - began
    for connection in opened:
        connection.stopped = True
        if not connection.busy:
            connection.transport.close()
    await asyncio.wait(ended, timeout=30)
    return load
