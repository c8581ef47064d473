"""The row about the names of metrics."""

from scripts.documents.row import Row

ROWS = [
    Row(
        number=18,
        typed='`rate(api_requests_total{endpoint="predict"}[5m])`, '
        "`histogram_quantile(0.95, rate(api_request_latency_seconds_bucket[5m]))`, "
        "`prediction_time_seconds`, `training_time_seconds`, `iris_predictions_total` and others",
        here="recorded from ours by a rule file that a line in Prometheus' configuration turns on",
        page="[monitoring](monitoring.md)",
    ),
]
