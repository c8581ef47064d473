"""The trainer: explanations at once, and jobs. Only the API talks to it; it asks for no
key.
"""

import importlib
import threading
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import Body, FastAPI, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from core import tracing
from core.asgi import Head
from history import layout
from pipeline.repo import Repo
from pipeline.worker.explain import explain
from pipeline.worker.jobs import Job, Json, Queue, Request

Records = Annotated[list[Json], Body(min_length=1, max_length=100)]
Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait for the job's end.")
]


def make_app(repo: Repo, state: Path) -> FastAPI:
    """Return the service over a checkout and the folder that it shares with the API."""
    how = tracing.telemetry("mlops-trainer", ("/health",))
    app, queue = FastAPI(title="trainer", redirect_slashes=False, telemetry=how), Queue(
        repo, state, ahead=True
    )

    app.add_middleware(Head)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: object, error: RequestValidationError) -> JSONResponse:
        where, what = (
            ".".join(map(str, error.errors()[0]["loc"])),
            error.errors()[0]["msg"],
        )
        return JSONResponse({"detail": f"{where}: {what}."}, 422)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/explain/{task}")
    def explanations(
        task: str, sha256: Annotated[str, Body()], records: Records
    ) -> Json:
        if task not in (known := layout.folders(repo.models)):
            raise HTTPException(
                404, f"there is no task {task!r}: choose from {', '.join(known)}."
            )
        try:
            with tracing.span("SHAP values", {"task": task}, len(records)):
                found = explain(
                    (repo.models / task, state / "loaded" / task), sha256, records
                )
        except FileNotFoundError:
            raise HTTPException(
                409, f"the model {sha256} of {task} is not in service."
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(
                422, f"a record has a missing or wrong value: {error}."
            ) from error
        return {"sha256": sha256, "explanations": found}

    @app.post("/jobs", status_code=202)
    async def submit(request: Request) -> Json:
        return queue.submit(request).model_dump(
            include={"id", "kind", "status", "created"}
        )

    @app.get("/jobs/{job_id}")
    async def job(job_id: str, wait: Wait = 0) -> Job:
        await queue.wait(job_id, wait)
        if found := [job for job in queue.jobs() if job.id == job_id]:
            return found[0]
        raise HTTPException(404, f"there is no job {job_id!r}.")

    return app


def serve(repo: Repo, state: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; the running job's process sees it and ends too."""
    # It takes seconds; nobody who asks should wait for it.
    threading.Thread(target=importlib.import_module, args=["shap"], daemon=True).start()
    app = make_app(repo, repo.root / state)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http="h11",  # which passes over offers of HTTP/2; an explanation takes longer than this
        ws="none",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=20,
    )
