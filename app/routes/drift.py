"""`GET /drift/{task}`: whether the newest predictions look like the reference data."""

from fastapi import APIRouter

from app.dependencies import ServicesDep
from app.observability.drift import MAX_ROWS, Drift, measure_drift

router = APIRouter(tags=["models"])


@router.get("/drift/{task}", operation_id="get_drift", summary="Get drift")
def get_drift(task: str, services: ServicesDep) -> Drift:
    """Compare a task's newest predictions with the data its model was trained on."""
    model = services.models.get(task)
    rows = services.predictions.newest(model, MAX_ROWS)
    return measure_drift(model, rows)
