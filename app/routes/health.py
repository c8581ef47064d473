"""Probes: whether the process lives, and whether every task is served."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.dependencies import ServicesDep

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The health of the API."""

    status: str = Field(
        description=(
            "`ok`; `degraded`: an older model is served than the files hold;"
            " `not ready`."
        )
    )
    problems: list[str] = Field(description="What is wrong and what to do about it.")
    models: dict[str, int] = Field(description="The version in service of each task.")


@router.get("/health/live", operation_id="check_live", summary="Check liveness")
async def check_live() -> dict[str, str]:
    """Return 200 while the process is running."""
    return {"status": "ok"}


@router.get(
    "/health/ready",
    operation_id="check_ready",
    summary="Check readiness",
    responses={503: {"model": Health}},
)
@router.get(
    "/health",
    operation_id="get_health",
    summary="Get health",
    responses={503: {"model": Health}},
)
async def get_health(services: ServicesDep, response: Response) -> Health:
    """Return 200 if every task has a verified model in service, otherwise 503."""
    models = services.models
    reasons = models.not_ready_reasons()
    if reasons:
        response.status_code = 503
    refused = [
        f"{task}: {state.problem}"
        for task, state in models.tasks.items()
        if state.problem
    ]
    return Health(
        status=_status(reasons, refused),
        problems=reasons or refused,
        models={
            task: model.manifest.version for task, model in models.served().items()
        },
    )


def _status(not_ready: list[str], refused: list[str]) -> str:
    if not_ready:
        return "not ready"
    return "degraded" if refused else "ok"
