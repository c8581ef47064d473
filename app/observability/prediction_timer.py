"""Times a request for predictions, or counts why it got none."""

import time

from app.errors import ApiError
from app.observability.metrics import Metrics
from core import tracing

# Why there was no prediction, by the status of the response.
REASONS = {
    400: "invalid",
    404: "unknown_task",
    413: "too_large",
    415: "invalid",
    422: "invalid",
    503: "not_ready",
}


class PredictionTimer:
    """A context manager around the answer to one request for predictions.

    Attributes:
        task: The task that the request is counted for; the caller may set it once the
            body has been read.
    """

    # A generator in place of this class would cost every request a microsecond more.
    __slots__ = ("_metrics", "task", "_started")

    def __init__(self, metrics: Metrics, task: str) -> None:
        self._metrics = metrics
        self.task = task

    def __enter__(self) -> "PredictionTimer":
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if error is None:
            seconds = time.perf_counter() - self._started
            histogram = self._metrics.prediction_seconds_of(self.task)
            histogram.observe(seconds, tracing.ids())
        elif isinstance(error, Exception):
            status = error.status if isinstance(error, ApiError) else 500
            reason = REASONS.get(status, "failed")
            self._metrics.errors.labels(self.task, reason).inc()
