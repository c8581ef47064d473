"""The API in the process of the tests, which needs no port."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings


@contextmanager
def serving(models: Path, folder: Path, **settings: Any) -> Iterator[TestClient]:
    """Serve models; whatever the API writes is in a folder of the test's."""
    own = Settings(
        models=models,
        state=folder / "state",
        prediction_log=folder / "predictions.db",
        log_file=folder / "api.log",
        **settings,
    )
    with TestClient(create_app(own, lambda line: None)) as client:
        yield client
