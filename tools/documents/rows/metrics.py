"""The row on the names of metrics."""

import json
import math
from pathlib import Path

from tools.documents.row import Row, expect
from tools.documents.stack import Failure, Stack

RATE = 'rate(api_requests_total{endpoint="predict"}[5m])'
QUANTILE = "histogram_quantile(0.95, rate(api_request_latency_seconds_bucket[5m]))"
NAMES = (
    "prediction_time_seconds",
    "training_time_seconds",
    "iris_api_requests_total",
    "iris_api_request_duration_seconds",
    "iris_predictions_total",
    "iris_prediction_confidence",
    "iris_model_loaded",
    "iris_model_load_duration_seconds",
    "iris_api_health",
    "iris_api_active_requests",
)
ALIASES = "- prometheus/rules/optional/aliases.yml"
RECORDED_SECONDS = 90  # two evaluations, after which there is a rate


def turn_on(checkout: Path) -> None:
    """Turn the aliases on in a checkout's configuration of Prometheus, which is one
    line.

    Raises:
        Failure: there is no such line.
    """
    file = checkout / "monitoring" / "prometheus.yml"
    text = file.read_text("utf-8")
    if f"  # {ALIASES}" not in text:
        raise Failure(f"{file} has no line that turns {ALIASES} on")
    file.write_text(
        text.replace(f"  # {ALIASES}", f"  {ALIASES}"), "utf-8", newline="\n"
    )


def names_of_metrics(stack: Stack) -> str:
    """Query each name while the API makes predictions."""
    stack.require("prometheus")
    manifest = stack.checkout / "deployment" / "models" / "iris" / "manifest.json"
    record = json.loads(manifest.read_text("utf-8"))["golden"]["request"]

    def every_name_has_data() -> bool:
        stack.post("/predict/iris", record)
        queries = (RATE, QUANTILE, *NAMES)
        absent = [query for query in queries if not _has_numbers(stack, query)]
        expect(not absent, f"no data: {', '.join(absent)}")
        return _numbers(stack, f"sum({RATE})")[0] > 0

    stack.eventually(every_name_has_data, RECORDED_SECONDS, "each name has data")
    # A replica that was taken away is unhealthy until Prometheus looks its name up
    # again.
    stack.eventually(
        lambda: set(_numbers(stack, "iris_api_health")) == {1.0},
        RECORDED_SECONDS,
        "iris_api_health is 1",
    )
    (rate,) = _numbers(stack, f"sum({RATE})")
    return (
        f"data for {2 + len(NAMES)} queries; {rate:.2g} requests a second for"
        " predictions"
    )


def _has_numbers(stack: Stack, query: str) -> bool:
    return any(not math.isnan(number) for number in _numbers(stack, query))


def _numbers(stack: Stack, query: str) -> list[float]:
    return [float(series["value"][1]) for series in stack.query(query)]


ROWS = [
    Row(
        number=18,
        typed=", ".join(f"`{query}`" for query in (RATE, QUANTILE, *NAMES)),
        here=(
            "available as aliases with the same labels, once one line in"
            " `monitoring/prometheus.yml` is uncommented"
        ),
        page="[monitoring](monitoring-metrics.md#names-of-other-stacks)",
        check=names_of_metrics,
    ),
]
