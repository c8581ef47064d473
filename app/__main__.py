"""`python -m app`: serve until SIGTERM or Ctrl-C, then answer what is in flight and
stop.
"""

import asyncio
import os
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app import other_stacks
from app.http_protocol import Http1Protocol
from app.main import create
from app.middleware import Gateway
from app.observability import access_log
from app.settings import Settings
from core import environment, output

DRAIN_SECONDS = 0.5
GRACE_SECONDS = 25


class Server(uvicorn.Server):
    """A server that is told to stop takes no more connections and lets clients leave
    first.

    uvicorn alone closes idle connections at once: a request that a client is just
    sending on one of them would be lost.
    """

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops at once."""
        if self.gateway.draining or not self.started:
            self.should_exit, self.force_exit = True, self.gateway.draining
            return
        self.gateway.draining = True
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
    if refused := other_stacks.refusals(os.environ, other_stacks.PROCESSES):
        print(f"error: {refused[0]}", file=sys.stderr)
        return 2
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            message = fault["msg"].removeprefix("Value error, ")
            print(f"error: {_variable(fault['loc'])}: {message}.", file=sys.stderr)
        return 2
    except SettingsError as error:
        print(f"error: {error}: it must be JSON.", file=sys.stderr)
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
        gateway = create(settings, handler.request)
        config = uvicorn.Config(
            gateway,
            host=settings.host,
            port=settings.port,
            http=Http1Protocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # `app.proxy` knows more of them
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = Server(config, gateway)
        server.run()
        return 0 if server.started else 1
    finally:
        handler.close()


def _variable(place: tuple[int | str, ...]) -> str:
    """Return the variable that a fault is in: one that has a second name has that one
    set.
    """
    name = "_".join(map(str, place)).upper()
    if name.startswith("API_"):
        return name if os.environ.get(name) else name.removeprefix("API_")
    return f"API_{name}"


if __name__ == "__main__":
    sys.exit(main())
