"""Comparisons of the API with other servers under the same load."""

from pathlib import Path

from rich.table import Table

from tools.bench.load import Load
from tools.bench.running import (
    api,
    champion_folder,
    golden,
    p99,
    rate,
    ratio,
    rounds,
    server,
)


async def compare(folder: Path, seconds: float) -> Table:
    """Compare requests of one record, task by task and server by server."""
    table = Table("one record", "server", "per second", "p99 ms")
    table.add_column("API / server")
    table.add_column("wanted")
    for task in ("housing", "credit"):
        await _compare_with_fastapi(
            table, folder, seconds, task, "empty", "at least 0.85"
        )
        await _compare_with_fastapi(
            table, folder, seconds, task, "sklearn", "at least 8; forest 30"
        )
        await _compare_with_mlflow(table, folder, seconds, task)
    return table


async def _compare_with_fastapi(
    table: Table, folder: Path, seconds: float, task: str, kind: str, wanted: str
) -> None:
    names = {
        "empty": "empty FastAPI endpoint",
        "sklearn": "FastAPI and scikit-learn",
    }
    command = ["-m", "tools.bench.servers", kind, task, "PORT"]
    path = f"/predict/{task}"
    record = golden(task)
    with api(folder) as ours, server(*command, health="/docs") as other:
        our_request = ours.request(path, record)
        their_request = other.request(path, record)
        pairs = [(ours, our_request), (other, their_request)]
        loads = await rounds(pairs, seconds)
    _add_rows(table, task, names[kind], loads, wanted)


async def _compare_with_mlflow(
    table: Table, folder: Path, seconds: float, task: str
) -> None:
    command = [
        "-m",
        "mlflow",
        "models",
        "serve",
        "--model-uri",
        str(champion_folder(task)),
        "--env-manager",
        "local",
        "--port",
        "PORT",
        "--workers",
        "1",
    ]
    record = golden(task)
    with api(folder) as ours, server(*command, health="/ping") as other:
        our_request = ours.request(f"/predict/{task}", record)
        content = {"dataframe_records": [record]}
        their_request = other.request("/invocations", content)
        pairs = [(ours, our_request), (other, their_request)]
        loads = await rounds(pairs, seconds)
    _add_rows(table, task, "mlflow models serve", loads, "at least 4")


def _add_rows(
    table: Table, task: str, name: str, loads: list[list[Load]], wanted: str
) -> None:
    ours, theirs = loads
    table.add_row(task, "API", *_cells(ours), "", "")
    times_as_many = f"{ratio(ours, theirs):.2f}"
    table.add_row(task, name, *_cells(theirs), times_as_many, wanted)


def _cells(loads: list[Load]) -> list[str]:
    """Return the requests a second and their 99th percentile."""
    return [f"{rate(loads):,.0f}", f"{p99(loads):.1f}"]


async def half_load(folder: Path, seconds: float) -> str:
    """Compare the p99 at half of the top load with the empty endpoint's."""
    command = ["-m", "tools.bench.servers", "empty", "housing", "PORT"]
    record = golden("housing")
    with api(folder) as ours, server(*command, health="/docs") as other:
        pairs = []
        for running in (ours, other):
            content = running.request("/predict/housing", record)
            pairs.append((running, content))
        our_top, _ = await rounds(pairs, seconds)
        pace = rate(our_top) / 2
        our_loads, their_loads = await rounds(pairs, seconds, [pace, pace])
    return (
        f"p99 at half load ({rate(our_loads):,.0f}/s): {p99(our_loads):.2f} ms, empty"
        f" endpoint {p99(their_loads):.2f} (≤ 5 more)"
    )
