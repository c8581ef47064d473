"""The service for explanations: SHAP values of records, answered at once."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException

from core import tracing
from core.jobs import Record
from history import layout
from pipeline.repo import Repo
from pipeline.worker.explain import explain

Records = Annotated[list[Record], Body(min_length=1, max_length=100)]


def routes(repo: Repo, state: Path) -> APIRouter:
    """Return the service's routes, for the models in service and those loaded.

    Args:
        state: the folder shared with the API: below it, models that were loaded, and
            where a reconciler runs, those of the release.
    """
    router = APIRouter()

    @router.post("/explain/{task}")
    def explanations(
        task: str, sha256: Annotated[str, Body()], records: Records
    ) -> dict[str, Any]:
        released = state / "released"
        names = set(layout.folders(repo.models))
        names.update(layout.folders(released))
        tasks = sorted(names)
        if task not in tasks:
            choice = ", ".join(tasks)
            message = f"there is no task {task!r}: choose from {choice}."
            raise HTTPException(404, message)
        served = repo.models / task
        loaded = state / "loaded" / task
        folders = (served, loaded, released / task)
        try:
            with tracing.span("SHAP values", {"task": task}, len(records)):
                values = explain(folders, sha256, records)
        except FileNotFoundError:
            message = f"the model {sha256} of {task} is not in service."
            raise HTTPException(409, message) from None
        except (KeyError, TypeError, ValueError) as error:
            message = f"a record has a missing or wrong value: {error}."
            raise HTTPException(422, message) from error
        return {"sha256": sha256, "explanations": values}

    return router
