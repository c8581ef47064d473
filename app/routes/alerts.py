"""Webhook for Alertmanager: retrain the tasks that drift."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.dependencies import ServicesDep
from app.routes.jobs import submit
from app.routes.train import Text
from app.security import ADMIN_ONLY
from core.jobs import Job, JobRequest

DRIFT = ("firing", "DriftDetected")
MAX_FEATURES_LENGTH = 200
MAX_REASON_LENGTH = 500

router = APIRouter(tags=["admin"], dependencies=ADMIN_ONLY)


class Alert(BaseModel):
    """One alert from Alertmanager; a drift alert has the label `task`."""

    status: Text
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)


class Alerts(BaseModel):
    """The body of Alertmanager's webhook, as far as it is used here."""

    alerts: Annotated[list[Alert], Field(max_length=1000)]


class AnsweredAlerts(BaseModel):
    """How the alerts were handled."""

    job: Job | None = Field(description="The retraining for the alerts of drift.")
    ignored: list[str] = Field(
        description="The other alerts, each with its task and status."
    )


@router.post("/alerts", operation_id="answer_alerts", summary="Receive alerts")
async def answer_alerts(body: Alerts, services: ServicesDep) -> AnsweredAlerts:
    """Retrain the tasks for which Alertmanager reports drift; ignore other alerts.

    The answer names the `job`, if there is one, and the alerts that were `ignored`.
    While such a job waits or runs, and for a day, its tasks are not retrained for drift
    again: the answer then names that job, with the time when it was created.
    """
    drifted: dict[str, str] = {}
    ignored: list[str] = []
    for alert in body.alerts:
        name = alert.labels.get("alertname", "")
        task = alert.labels.get("task", "")
        is_drift = (alert.status, name) == DRIFT
        if is_drift and task in services.models.tasks:
            features = alert.annotations.get("features", "")
            features = features[:MAX_FEATURES_LENGTH]
            drifted[task] = f"{task} ({features})"
        else:
            labels = f"{name} {task}".strip()
            ignored.append(f"{labels} ({alert.status})")
    if not drifted:
        return AnsweredAlerts(job=None, ignored=ignored)
    listed = ", ".join(drifted.values())
    reason = f"alert DriftDetected: {listed}"
    retraining = JobRequest.model_construct(
        kind="retrain",
        tasks=list(drifted),
        reason=reason[:MAX_REASON_LENGTH],
        drift=True,
    )
    job = await submit(services.worker, retraining)
    return AnsweredAlerts(job=job, ignored=ignored)
