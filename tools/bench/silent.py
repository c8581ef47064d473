"""The API without metrics, logs and drift, for comparison.

python -m tools.bench.silent PORT
"""

import sys
from typing import Any
from unittest.mock import patch

import uvicorn

from app import main
from app.settings import Settings


class Silence:
    """Takes the place of any object, and ignores every call."""

    def __init__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> "Silence":
        return self

    def __call__(self, *_: object, **__: object) -> "Silence":
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _nothing(*_: object) -> None: ...


def application(settings: Settings) -> Any:
    """Return the application without its observability."""
    replacements = {
        "app.main.Metrics": Silence,
        "app.main.PredictionLog": Silence,
        "app.observability.model_gauges.update": _nothing,
    }
    for name, replacement in replacements.items():
        patch(name, replacement).start()
    return main.create_app(settings, lambda content: None)


if __name__ == "__main__":
    uvicorn.run(
        application(Settings()),
        port=int(sys.argv[1]),
        access_log=False,
        log_config=None,
        server_header=False,
    )
