"""A transport that sends the headers and the body of a response as one."""

import asyncio
from typing import Any

# More than this is not kept, so that a long response waits for a slow client.
MOST_BYTES = 65_536


class JoinedWrites:
    """A transport that sends at once what is written in one turn of the event loop.

    A process that is killed between two writes leaves half a response behind, which no
    proxy can repeat on another replica.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data at the end of this turn, or at once if they are many."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._flush()

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if data and not self._transport.is_closing():
            self._transport.write(data)
