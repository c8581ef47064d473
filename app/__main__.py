"""`python -m app`: serve until SIGTERM or Ctrl-C, then answer what is in flight and stop."""

import asyncio
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError

from app import logs, service
from app.gateway import Gateway
from app.settings import Settings

DRAIN_SECONDS = 0.5
GRACE_SECONDS = 25


class Server(uvicorn.Server):
    """A server that is told to stop takes no more connections and lets clients leave first.

    uvicorn alone closes idle connections at once: a request that a client is just sending on one
    of them would be lost.
    """

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal stops at once."""
        if self.gateway.draining:
            super().handle_exit(sig, frame)
            return
        self.gateway.draining = True
        loop = self.servers[0].get_loop()
        loop.call_soon_threadsafe(self._drain, loop, sig)

    def _drain(self, loop: asyncio.AbstractEventLoop, sig: int) -> None:
        for server in self.servers:
            server.close()
        loop.call_later(DRAIN_SECONDS, super().handle_exit, sig, None)


def main() -> int:
    """Start the API with the settings from the environment."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            name = f"API_{'_'.join(map(str, fault['loc'])).upper()}"
            print(f"error: {name}: {fault['msg']}.", file=sys.stderr)
        return 2
    handler = logs.configure(settings)
    try:
        gateway = service.create(settings)
        config = uvicorn.Config(
            gateway,
            host=settings.host,
            port=settings.port,
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = Server(config, gateway)
        server.run()
        return 0 if server.started else 1
    finally:
        handler.close()


if __name__ == "__main__":
    sys.exit(main())
