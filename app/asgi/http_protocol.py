"""HTTP/1.1 as clients speak it: offers of another protocol are passed over."""

import secrets

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.asgi.responses import SECURITY_HEADERS


class Http1Protocol(HttpToolsProtocol):
    """uvicorn's fast protocol for clients that offer HTTP/2 in the clear, or a
    WebSocket.

    Java's HttpClient, Spring, Ktor and `curl --http2` send `Upgrade: h2c` with their
    requests. A server may pass such an offer over (RFC 9110, section 7.8). httptools
    stops at the end of the headers instead and takes the body for bytes of the other
    protocol, so that uvicorn alone would answer as if there were none.
    """

    def data_received(self, data: bytes) -> None:
        """Read requests; one that offers an upgrade is read again without the offer."""
        self._unset_keepalive_if_required()
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if (
                    self.parser.get_method() == b"CONNECT"
                ):  # which asks for nothing else
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
        """Answer what is not HTTP as every other error is answered, and close the
        connection.
        """
        request_id = secrets.token_hex(8)
        content = orjson.dumps({"error": msg, "details": [], "request_id": request_id})
        headers = [
            *SECURITY_HEADERS,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
        ]
        lines = [
            b"HTTP/1.1 400 Bad Request",
            *(b"%s: %s" % pair for pair in headers),
            b"",
            content,
        ]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _parse_anew(self) -> None:
        """Forget how the last parser ended: after `Connection: close` it would read no
        more.
        """
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(
            lenient_data_after_close=True
        )  # as uvicorn's is

    def _refuse(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)

    def _head_without_offer(self) -> bytes:
        method, version = (
            self.parser.get_method(),
            self.parser.get_http_version().encode(),
        )
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])
