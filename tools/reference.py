"""Write the reference pages from the code: `nox -s docs`."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import PlatformCollector, ProcessCollector
from starlette.testclient import TestClient

from app.main import create_app
from app.observability.metrics import Metrics
from app.observability.task_histogram import TaskHistogram
from app.openapi.document import document_problems
from app.other_stacks import VARIABLES, Variable
from app.settings import Settings
from scripts import console
from tools.documents import table

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CLIENTS = ROOT / "scripts" / "clients.md"
NOTE = "<!-- Generated from the code by `nox -s docs`: do not edit. -->\n"
VERBS = ("get", "post")
# The paths that every task has, however many there are: this page is the same before
# the first model and after the fourth task.
OF_TASKS = {
    "/predict": (
        "Predict; the fields of the records determine the task, and the response names"
        " it."
    ),
    "/predict/{task}": (
        "Predict a task's target for one record, a list of records or a table;"
        " `?interval=90` adds to a number the interval of 90 % (or 50, 80, 95, 99)."
    ),
    "/explain": "Explain a prediction; the fields of the records determine the task.",
    "/explain/{task}": "Return the contribution of each feature to a prediction.",
}


def pages() -> dict[Path, str]:
    """Return the generated files' texts."""
    return table.pages() | {
        DOCS / "api.md": _api(),
        DOCS / "configuration.md": _configuration(),
        DOCS / "metrics.md": _metrics(),
    }


def _configuration() -> str:
    lines = [
        "# Configuration",
        NOTE,
        "## The API",
        "Environment variables of `python -m app`.\n",
        *_api_variables(),
        "",
        "## The containers",
        (
            "Variables that `docker-compose.yml` and the start scripts read from `.env`"
            " or from the environment.\n"
        ),
        *_compose_variables(),
        "",
        "## Names from other stacks",
        (
            "Common variables of other stacks, in `.env` or in the environment. Those"
            " that cannot work here are rejected at the start: by `./start-mlops.sh`,"
            " by the container `prepare` of `docker compose up`, or by `python -m"
            " app`.\n"
        ),
        "| variable | works | meaning |",
        "|---|---|---|",
    ]
    for variable in VARIABLES:
        works = _works(variable)
        lines.append(f"| `{variable.name}` | {works} | {variable.meaning} |")
    return "\n".join(lines) + "\n"


def _api_variables() -> Iterator[str]:
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        value = field.default
        if isinstance(value, Path):
            value = value.as_posix()
        default = "none" if value in (None, "") else f"`{value}`"
        yield f"| `API_{name.upper()}` | {default} | {field.description} |"


def _works(variable: Variable) -> str:
    if variable.values is None:
        return "yes"
    usable = []
    for value in ("true", "false"):
        if value in variable.values:
            usable.append(f"`{value}`")
    if not usable:
        return "rejected"
    return f"as {', '.join(usable)}"


def _compose_variables() -> Iterator[str]:
    """Turn `.env.example` into tables, whose texts are the comments above a variable."""
    comments: list[str] = []
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines():
        if line.startswith("# --- "):
            heading = line.strip("# -")
            yield ""
            yield f"### {heading}"
            yield ""
            yield "| variable | default | meaning |"
            yield "|---|---|---|"
            comments = []
        elif "=" in line and " " not in line.split("=")[0].lstrip("#"):
            name, value = line.lstrip("#").split("=", 1)
            default = f"`{value}`" if value else "none"
            meaning = " ".join(comments)
            yield f"| `{name}` | {default} | {meaning} |"
            comments = []
        elif line.startswith("# "):
            comments.append(line[2:])


def _metrics() -> str:
    lines = [
        "# Metrics of the API",
        NOTE,
        (
            "`GET /metrics` exposes these metrics to Prometheus. The names of counters"
            " end in `_total`; a histogram has the suffixes `_bucket`, `_sum` and"
            " `_count`. See also [how they are scraped and stored](monitoring-metrics.md).\n"
        ),
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for metric in described():
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |")
    lines.append(
        "| `process_*`, `python_info` | | | The process itself, as far as the operating"
        " system reports it |"
    )
    return "\n".join(lines) + "\n"


class Metric(NamedTuple):
    """A family of series as it is scraped."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


def described() -> list[Metric]:
    """Return every metric of ours that the API has, in the order of their names."""
    metrics = []
    collectors: Any = Metrics().registry._collector_to_names  # there is no other list
    for collector in collectors:
        if isinstance(collector, ProcessCollector | PlatformCollector):
            continue
        of_task = isinstance(collector, TaskHistogram)
        labels = collector.labels if of_task else collector._labelnames
        for family in collector.collect():
            ending = "_total" if family.type == "counter" else ""
            metric = Metric(
                family.name + ending,
                family.type,
                labels,
                family.documentation.rstrip("."),
            )
            metrics.append(metric)
    return sorted(metrics)


def _api() -> str:
    document = _document()
    groups: dict[str, list[str]] = {}
    for path, text in OF_TASKS.items():
        operation: dict[str, Any] = {"responses": {"200": {}}, "requestBody": {}}
        document_problems(path, operation)
        row = f"| `POST {path}` | {text} | {_statuses(operation)} |"
        groups.setdefault(path.split("/")[1], []).append(row)
    for path, operations in document["paths"].items():
        for verb in VERBS:
            if verb in operations:
                operation = operations[verb]
                first_paragraph = operation["description"].partition("\n\n")[0]
                text = " ".join(first_paragraph.split())
                row = f"| `{verb.upper()} {path}` | {text} | {_statuses(operation)} |"
                groups.setdefault(operation["tags"][0], []).append(row)
    lines = ["# The API", NOTE]
    lines.append(
        "`/docs` and `/redoc` of the running API show every field, its range and an"
        " example. Every response has the header `X-Request-ID`. Every error is a"
        " problem detail ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457),"
        " `application/problem+json`) with `type`, `title`, `status`, `detail` and"
        " `request_id`. `errors` lists each invalid value with its JSON pointer. Errors"
        " of the Open Inference Protocol have only `error`. The tasks are those of [the"
        " leaderboard](../mlruns/README.md), and `GET /models` lists them.\n"
    )
    for group, rows in groups.items():
        lines += [
            f"## {group.capitalize()}",
            "| request | description | status codes |",
            "|---|---|---|",
        ]
        lines += [*rows, ""]
    return "\n".join(lines) + "\n" + CLIENTS.read_text("utf-8")


def _document() -> dict[str, Any]:
    """Return the OpenAPI document of the API without any model."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            models=Path(folder) / "models",
            state=Path(folder),
            prediction_log=Path(folder) / "predictions.db",
        )
        with TestClient(create_app(settings, lambda line: None)) as client:
            document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def _statuses(operation: dict[str, Any]) -> str:
    return ", ".join(sorted(operation["responses"]))


def main() -> int:
    """Write the pages, or with `--check` report those that are out of date."""
    stale = [path for path, text in pages().items() if not _holds(path, text)]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `nox -s docs`.")
        return int(bool(stale))
    for path in stale:
        path.write_text(pages()[path], "utf-8", newline="\n")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(console.run(main))
