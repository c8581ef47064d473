"""HTTP/1.1 for clients that offer another protocol: the offer is ignored."""

import asyncio
import secrets

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.asgi.joined_writes import JoinedWrites
from app.asgi.responses import SECURITY_HEADERS
from app.errors import PROBLEM_JSON, problem


class Http1Protocol(HttpToolsProtocol):
    """uvicorn's fast protocol, which ignores offers of HTTP/2 or a WebSocket.

    Java's HttpClient, Spring, Ktor and `curl --http2` send `Upgrade: h2c` with their
    requests. A server may ignore such an offer (RFC 9110, section 7.8). httptools
    stops at the end of the headers instead and takes the body for bytes of the other
    protocol, so that uvicorn alone would answer as if there were no body.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        joined = JoinedWrites(transport, self.loop)
        self.transport = joined  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Read requests; one that offers an upgrade is read again without the offer."""
        self._unset_keepalive_if_required()
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                # CONNECT asks for nothing but the other protocol.
                if self.parser.get_method() == b"CONNECT":
                    self._refuse()
                    return
                data = self._head_without_offer() + data[stop.args[0] :]
                self._parse_anew()
                continue
            except httptools.HttpParserError:
                self._refuse()
            return

    def on_headers_complete(self) -> None:
        """Begin to answer, but not yet where the same headers come once more."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Hand the whole request over, unless its body is still to be read."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with problem details, and close the connection."""
        request_id = secrets.token_hex(8)
        content = orjson.dumps(problem(400, msg, request_id))
        headers = [
            *SECURITY_HEADERS,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(content)),
        ]
        lines = [b"HTTP/1.1 400 Bad Request"]
        lines += [b"%s: %s" % header for header in headers]
        lines += [b"", content]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _parse_anew(self) -> None:
        """Use a new parser: after `Connection: close` the last one reads no more."""
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn's is.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _refuse(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def _head_without_offer(self) -> bytes:
        """Return the request line and the headers without `Upgrade`."""
        method = self.parser.get_method()
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        for name, value in self.headers:
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
