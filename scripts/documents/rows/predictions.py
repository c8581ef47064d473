"""Rows about predictions, explanations and the pages about models."""

from scripts.documents.row import Row, expect
from scripts.documents.stack import Stack

PATHS = (
    *("/model/info", "/models/info", "/metrics/summary", "/metrics/prometheus"),
    *("/docs", "/redoc", "/"),
)


def paths_that_are_read(stack: Stack) -> str:
    """Ask each path that other stacks have."""
    for path in PATHS:
        answer = stack.get(path)
        expect(answer.status == 200, f"GET {path} answers {answer.status}: {answer.text[:200]}")
    models = stack.get("/models/info").text
    expect("version" in models, f"GET /models/info names no version: {models[:200]}")
    series = stack.get("/metrics/prometheus").text
    expect("http_requests_total" in series, "GET /metrics/prometheus has no http_requests_total")
    return f"200 at {', '.join(PATHS)}"


ROWS = [
    Row(
        number=13,
        typed="`POST /predict` with a record of houses, irises or credits, or with "
        '`{"features": [[5.1, 3.5, 1.4, 0.2]]}`',
        here="the names of the fields, or the length of the rows, decide the task; "
        "`/predict/{task}` names it",
        page="[API](api.md)",
    ),
    Row(
        number=16,
        typed=", ".join(f"`GET {path}`" for path in PATHS),
        here="as typed; `/model/info` is about the default task",
        page="[API](api.md)",
        check=paths_that_are_read,
    ),
    Row(
        number=17,
        typed="`prediction`, `confidence`, `predictions` in an answer; SHAP values at `/explain`",
        here="as expected",
        page="[API](api.md)",
    ),
]
