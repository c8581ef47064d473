"""A load generator: keep-alive connections over raw sockets, so that it costs less than
servers.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np


@dataclass
class Load:
    """What came back: seconds each accepted request took, and how often each status
    came.
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
        self.request, self.load, self.pause, self.delay = request, load, pause, delay
        self.buffer, self.sent, self.busy = b"", 0.0, False
        self.stopped = False
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        asyncio.get_running_loop().call_later(self.delay, self._send)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self.buffer.lower().find(b"content-length:", 0, head) + 15
        length = int(self.buffer[start : self.buffer.index(b"\r\n", start)])
        if len(self.buffer) < head + 4 + length:
            return
        status = int(self.buffer[9:12])
        self.load.statuses[status] = self.load.statuses.get(status, 0) + 1
        if status == 200:
            self.load.seconds.append(time.perf_counter() - self.sent)
        closing = b"connection: close" in self.buffer[:head].lower()
        self.buffer, self.busy = b"", False
        if self.stopped or closing:
            self.transport.close()
        elif self.pause:
            asyncio.get_running_loop().call_later(self.pause, self._send)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.broken += self.busy
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        if self.stopped or self.transport.is_closing():
            self.transport.close()
            return
        self.busy, self.sent = True, time.perf_counter()
        self.transport.write(self.request)


def _same(connection: _Connection) -> _Connection:
    return connection


def look(path: str, port: int) -> bytes:
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
    """Load a server on this machine; with a `rate` (requests a second) at about that
    pace.
    """
    load, loop, began = Load(), asyncio.get_running_loop(), time.perf_counter()
    pause = connections / rate if rate else 0.0
    opened = []
    for number in range(connections):
        # Those that pause begin one after the other, or they would all ask at the same
        # moment.
        made = _Connection(content, load, pause, pause * number / connections)
        await loop.create_connection(partial(_same, made), "127.0.0.1", port)
        opened.append(made)
    await asyncio.wait([connection.ended for connection in opened], timeout=seconds)
    load.took = time.perf_counter() - began
    for connection in opened:
        connection.stopped = True
        if not connection.busy:
            connection.transport.close()
    await asyncio.wait([connection.ended for connection in opened], timeout=30)
    return load
