"""What the endpoints work with; one of each lives as long as the application."""

from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from app.errors import ApiError
from app.observability.metrics import Asked, Metrics
from app.observability.prediction_log import PredictionLog
from app.observability.recent_metrics import Minutes
from app.serving.model import Model, Prediction
from app.serving.repository import Models
from app.serving.validation import Record
from app.settings import Settings
from core import tracing

TRAINER_SECONDS = 60.0


@dataclass(frozen=True)
class Services:
    """The parts of a running API."""

    settings: Settings
    metrics: Metrics
    models: Models
    predictions: PredictionLog
    trainer: httpx.AsyncClient
    minutes: Minutes

    def default_model(self) -> Model:
        """Return the default task's model; without such a task that of the first by
        name.

        Raises:
            ApiError: 503 if there is no task, or its model cannot be served.
        """
        tasks, default = self.models.entries, self.settings.default_task
        if not tasks:
            message = f"{self.models.obstacles()[0]}."
            raise ApiError(503, message, headers={"Retry-After": "5"})
        return self.models.get(default if default in tasks else min(tasks))

    def model_for(self, content: bytes) -> Model:
        """Return the model of the task that has the fields of a request's body.

        The default model's validators say what is wrong with a body that holds no
        record.

        Raises:
            ApiError: as `TasksByFields.task_of` and `default_model` do.
        """
        task = self.models.by_fields.task_of(content)
        return self.models.get(task) if task else self.default_model()

    def predicting(self, task: str) -> Asked:
        """Time and count what answers a request; tasks that clients think up share one
        name.
        """
        return self.metrics.predicting(
            task if task in self.models.entries else "unknown"
        )

    def note(
        self,
        request_id: str,
        model: Model,
        records: list[Record],
        predictions: list[Prediction],
    ) -> None:
        """Log and count predictions that were made."""
        with tracing.span("prediction log", model.identity, len(records)):
            self.predictions.add(request_id, model, records, predictions)
        self.metrics.count(model, predictions)

    async def ask_trainer(self, method: str, path: str, content: Any = None) -> Any:
        """Pass something on to the trainer and return its answer.

        Raises:
            ApiError: what the trainer refused, or 503 if it does not answer.
        """
        headers = tracing.headers()
        try:
            answer = await self.trainer.request(
                method, path, json=content, headers=headers
            )
        except httpx.HTTPError as error:
            raise ApiError(
                503,
                f"the trainer at {self.trainer.base_url.netloc.decode()} does not"
                f" answer ({type(error).__name__}): start it with `python -m pipeline"
                " trainer`.",
                headers={"Retry-After": "5"},
            ) from error
        if answer.is_error:
            raise ApiError(answer.status_code, str(answer.json()["detail"]))
        return answer.json()


def of(request: Request) -> Services:
    """Return the services of the application that a request came to."""
    found: Services = request.app.state.services
    return found


Here = Annotated[Services, Depends(of)]
