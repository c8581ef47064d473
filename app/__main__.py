"""`python -m app`: serve until SIGTERM or Ctrl-C, then finish what is in flight."""

import asyncio
import os
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app import other_stacks
from app.asgi.http_protocol import Http1Protocol
from app.main import create_app
from app.middleware import Log, RequestContextMiddleware
from app.observability import access_log
from app.settings import Settings
from core import environment, output

DRAIN_SECONDS = 0.5
GRACE_SECONDS = 25
KEEP_ALIVE_SECONDS = 65


class Server(uvicorn.Server):
    """A server that lets clients leave before it stops.

    uvicorn alone closes idle connections at once: a request that a client is just
    sending on one of them would be lost.
    """

    def __init__(
        self, config: uvicorn.Config, application: RequestContextMiddleware
    ) -> None:
        super().__init__(config)
        self.application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops at once."""
        if self.application.draining or not self.started:
            self.should_exit = True
            self.force_exit = self.application.draining
            return
        self.application.draining = True
        loop = self.servers[0].get_loop()
        loop.call_soon_threadsafe(self._drain, loop)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        for server in self.servers:
            server.close()
        # uvicorn's own handler would raise the signal again at the end, before the log
        # is written.
        loop.call_later(DRAIN_SECONDS, setattr, self, "should_exit", True)


def main() -> int:
    """Start the API with the settings from the environment."""
    output.prepare()
    environment.prepare()
    refusals = other_stacks.refusals(os.environ, other_stacks.PROCESSES)
    if refusals:
        print(f"error: {refusals[0]}", file=sys.stderr)
        return 2
    settings = _read_settings()
    if settings is None:
        return 2
    try:
        handler = access_log.configure(settings)
    except OSError as error:
        print(
            f"error: API_LOG_FILE: {settings.log_file}: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    try:
        return _serve(settings, handler.request)
    finally:
        handler.close()


def _read_settings() -> Settings | None:
    """Return the settings, or print what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            message = fault["msg"].removeprefix("Value error, ")
            print(f"error: {_variable(fault['loc'])}: {message}.", file=sys.stderr)
    except SettingsError as error:
        print(f"error: {error}: it must be JSON.", file=sys.stderr)
    return None


def _serve(settings: Settings, log: Log) -> int:
    application = create_app(settings, log)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http=Http1Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # `app.asgi.proxy` understands more of them
        timeout_graceful_shutdown=GRACE_SECONDS,
        # Longer than a proxy keeps it, which may send a request that can't be repeated.
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = Server(config, application)
    server.run()
    return 0 if server.started else 1


def _variable(location: tuple[int | str, ...]) -> str:
    """Return the environment variable of a fault.

    One with a second name has the name that is set.
    """
    name = "_".join(map(str, location)).upper()
    if name.startswith("API_"):
        if os.environ.get(name):
            return name
        return name.removeprefix("API_")
    return f"API_{name}"


if __name__ == "__main__":
    sys.exit(main())
