"""One fixed port in front of any number of replicas: `front.py PORT HOST PORT`.

Docker can publish a port for one container alone. This passes connections on, byte for
byte, to the addresses that HOST has at that moment, in turn; one that refuses is passed
over.
"""

import asyncio
import itertools
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvloop

CHUNK_BYTES = 65_536
CONNECT_SECONDS = 2
QUIET_SECONDS = 0.5
STOP_SECONDS = 20
NOBODY = b'{"detail": "No replica of the API answers: see its log."}'
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    % (len(NOBODY), NOBODY)
)
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Front:
    """Passes connections on to the replicas behind a name."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._turns = itertools.count()
        self._waiting: set[object] = set()  # connections on which an answer is awaited

    async def serve(self, port: int) -> None:
        """Listen until SIGTERM, then let the requests in flight be answered."""
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopped.set)
        server = await asyncio.start_server(self._accept, "0.0.0.0", port, backlog=2048)
        await stopped.wait()
        server.close()
        deadline = loop.time() + STOP_SECONDS
        await asyncio.sleep(QUIET_SECONDS)
        while self._waiting and loop.time() < deadline:
            await asyncio.sleep(QUIET_SECONDS)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        replica = await self._connect()
        if replica is None:
            await reader.read(
                CHUNK_BYTES
            )  # or the client would see a reset, not the answer
            writer.write(UNAVAILABLE)
            await _close(writer)
            return
        connection, (answers, requests) = object(), replica
        forward = asyncio.create_task(
            _pass(reader, requests, lambda: self._waiting.add(connection))
        )
        try:
            await _pass(answers, writer, lambda: self._waiting.discard(connection))
        finally:  # the replica has said its last: there is nobody to pass anything to
            forward.cancel()
            self._waiting.discard(connection)
            await _close(requests)
            await _close(writer)

    async def _connect(self) -> Stream | None:
        """Return a connection to the next replica that takes one."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except socket.gaierror:
            return None
        addresses = sorted(address for *_, address in found)
        turn = next(self._turns) % len(addresses)
        for address in addresses[turn:] + addresses[:turn]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(*address[:2])
            except (OSError, TimeoutError):
                continue
        return None


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    moved: Callable[[], None],
) -> None:
    """Copy until the end of one side or the loss of the other; tell that a part has
    moved.
    """
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            moved()
            writer.write(chunk)
            await writer.drain()
        if not writer.is_closing():  # uvloop raises otherwise
            writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):  # it was closed already, from the other side
        await writer.wait_closed()


if __name__ == "__main__":
    uvloop.run(Front(sys.argv[2], int(sys.argv[3])).serve(int(sys.argv[1])))
