"""`mlops-dashboard`: how the API, its models and the data are doing.

Replicas: what is counted is added up over them; what each of them knows of the same
models and the same prediction log is taken once, the worst of it.
"""

from typing import Any

from monitoring.grafana.api import log, now, traffic
from monitoring.grafana.board import annotation, board, variable
from monitoring.grafana.data import drift, predictions
from monitoring.grafana.models import models, quality
from monitoring.grafana.parts import Query
from monitoring.grafana.promql import TASK


def build() -> dict[str, Any]:
    """Return the dashboard."""
    return board(
        "mlops-dashboard",
        "MLOps: predictions, models, drift",
        "How the API, its models and the data are doing.",
        [now(), traffic(), predictions(), drift(), models(), quality(), log()],
        variables=[
            variable(
                "task", "Task", "label_values(model_loaded, task)", "What is predicted."
            )
        ],
        annotations=[_new_models()],
    )


def _new_models() -> Any:
    """Mark where a version is served that was not before."""
    known = f"max by (task, version, commit) (model_info{{{TASK}}}"
    return annotation(
        "New model",
        Query(f"{known}) unless {known} offset 1m)", "{{task}}: version {{version}}"),
        "Commit {{commit}} came into service.",
    )
