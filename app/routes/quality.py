"""`GET /quality/{task}`: online metrics, computed from the ground truth."""

from fastapi import APIRouter

from app.dependencies import ServicesDep
from app.observability.quality import Quality, measure_quality

router = APIRouter(tags=["models"])


@router.get("/quality/{task}", operation_id="get_quality", summary="Get online metrics")
def get_quality(task: str, services: ServicesDep) -> Quality:
    """Return the metrics of the model in service on predictions with ground truth."""
    model = services.models.get(task)
    return measure_quality(model, services.predictions)
