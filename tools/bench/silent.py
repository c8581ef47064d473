"""The API without metrics, logs and drift, for comparison: `python -m
tools.bench.silent PORT`.
"""

import sys
from typing import Any
from unittest.mock import patch

import uvicorn

from app import main
from app.settings import Settings


class Silence:
    """Stands for anything, and does nothing whatever it is asked."""

    def __init__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> "Silence":
        return self

    def __call__(self, *_: object, **__: object) -> "Silence":
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _nothing(*_: object) -> None: ...


def application(settings: Settings) -> Any:
    """Return the application with nothing in the places of what observes."""
    replaced = {"app.main.Metrics": Silence, "app.main.PredictionLog": Silence}
    for name, other in (
        replaced | {"app.observability.model_gauges.update": _nothing}
    ).items():
        patch(name, other).start()
    return main.create_app(settings, lambda content: None)


if __name__ == "__main__":
    gateway = application(Settings())
    uvicorn.run(
        gateway,
        port=int(sys.argv[1]),
        access_log=False,
        log_config=None,
        server_header=False,
    )
