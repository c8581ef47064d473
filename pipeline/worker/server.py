"""The worker's HTTP server. Only the API talks to it; it asks for no key."""

import importlib
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from core import tracing
from core.asgi import Head
from pipeline.repo import Repo
from pipeline.worker import explanation_service, job_service
from pipeline.worker.job_queue import JobQueue


def make_app(repo: Repo, state: Path) -> FastAPI:
    """Return both services over a checkout and the folder shared with the API."""
    app = FastAPI(
        title="worker",
        redirect_slashes=False,
        telemetry=tracing.telemetry("mlops-trainer", ("/health",)),
    )
    app.add_middleware(Head)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_api_route("/health", _health)
    app.include_router(explanation_service.routes(repo, state))
    queue = JobQueue(repo, state, prepare=True)
    app.include_router(job_service.routes(queue))
    return app


async def _health() -> dict[str, str]:
    return {"status": "ok"}


async def _refuse(_: object, error: Exception) -> JSONResponse:
    """Return the first fault of a malformed request."""
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    place = ".".join(map(str, fault["loc"]))
    reason = fault["msg"]
    content = {"detail": f"{place}: {reason}."}
    return JSONResponse(content, 422)


def serve(repo: Repo, state: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; the running job's process then ends too."""
    # The import takes seconds, and the first explanation should not wait for it.
    preparation = threading.Thread(
        target=importlib.import_module,
        args=["shap"],
        daemon=True,
    )
    preparation.start()
    app = make_app(repo, repo.root / state)
    uvicorn.run(
        app,
        host=host,
        port=port,
        # It ignores offers of HTTP/2; an explanation takes longer than its parsing.
        http="h11",
        ws="none",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=20,
    )
