"""The trainer: explanations at once, and jobs. Only the API talks to it; it asks for no key."""

import importlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal

import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import PipelineError, UsageError
from pipeline.history import layout
from pipeline.repo import Repo
from pipeline.trainer.explain import explain
from pipeline.trainer.jobs import Job, Json, Queue

STOP_SECONDS = 20
Name = Annotated[str, Field(pattern=r"^\w*$", max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Load(_Strict):
    """A version of a task; or a run, which needs no task."""

    kind: Literal["load"]
    task: Name = ""
    version: int | None = None
    run_id: Name | None = None


class Train(_Strict):
    """One algorithm, on the task's own data if none are given."""

    kind: Literal["train"]
    task: Name
    algorithm: Name
    parameters: Json = {}
    data: list[Json] | None = Field(None, min_length=1)


class Retrain(_Strict):
    """Tasks, all if none is named, and why."""

    kind: Literal["retrain"]
    tasks: list[Name] = []
    reason: str = ""


def make_app(repo: Repo, state: Path) -> FastAPI:
    """Return the service over a checkout and the folder that it shares with the API."""
    queue = Queue(repo, state)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # It takes seconds; nobody who asks should wait for it.
        threading.Thread(target=importlib.import_module, args=["shap"], daemon=True).start()
        yield
        queue.stop()

    app = FastAPI(title="trainer", lifespan=lifespan, redirect_slashes=False)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return JSONResponse({"detail": f"{where}: {first['msg']}."}, 422)

    @app.exception_handler(PipelineError)
    async def refused(_: Request, error: PipelineError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 422)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/explain/{task}")
    def explanations(
        task: str,
        sha256: Annotated[str, Body()],
        records: Annotated[list[Json], Body(min_length=1, max_length=100)],
    ) -> Json:
        if task not in (known := layout.folders(repo.models)):
            raise HTTPException(404, f"there is no task {task!r}: choose from {', '.join(known)}.")
        try:
            found = explain((repo.models / task, state / "loaded" / task), sha256, records)
        except LookupError:
            raise HTTPException(409, f"the model {sha256} of {task} is not in service.") from None
        return {"sha256": sha256, "explanations": found}

    @app.post("/jobs", status_code=202)
    async def submit(
        request: Annotated[Load | Train | Retrain, Field(discriminator="kind")],
    ) -> Json:
        job = queue.submit(request.kind, request.model_dump(exclude={"kind"}))
        return job.model_dump(include={"id", "kind", "status", "created"})

    @app.get("/jobs/{job_id}")
    async def job(job_id: str) -> Job:
        if found := queue.get(job_id):
            return found
        raise HTTPException(404, f"there is no job {job_id!r}.")

    return app


def serve(repo: Repo) -> None:
    """Serve until SIGTERM or Ctrl-C, which end the running job too."""
    host = os.environ.get("TRAINER_HOST") or "127.0.0.1"
    port = os.environ.get("TRAINER_PORT") or "8001"
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UsageError(f"TRAINER_PORT={port}: is no port; give a number from 1 to 65535.")
    app = make_app(repo, repo.root / (os.environ.get("TRAINER_STATE") or "build/serving"))
    uvicorn.run(app, host=host, port=int(port), timeout_graceful_shutdown=STOP_SECONDS)
