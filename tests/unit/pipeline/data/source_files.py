"""Generated rows, in the files that a task's sources on the web have."""

import io
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.arrange import arrange
from pipeline.data.layout import Layout
from pipeline.data.validate import validate
from pipeline.schema import Source, Task
from tests.support import strategies
from tests.support.web_servers import Server

ROWS = 80
PATH = "/file"


def web_sources() -> list[tuple[str, int]]:
    """Return the tasks with the places of their sources on the web."""
    cases = []
    for name in tasks.names():
        sources = tasks.load(name).sources
        for place, source in enumerate(sources):
            if source.web:
                case = (name, place)
                cases.append(case)
    return cases


def case_id(name: str, place: int) -> str:
    """Return the name of a test's case for a source."""
    source = tasks.load(name).sources[place]
    _, _, file = source.address.rpartition("/")
    return f"{name}-{file}-{place}"


def serve(
    server: Server,
    task: Task,
    place: int,
    raw: pd.DataFrame,
) -> Task:
    """Serve rows as one source has them; return the task with this source alone."""
    source = task.sources[place]
    content = file_content(source, raw)
    server.answers[PATH] = [(200, content)]
    local = replace(
        source,
        place=f"{server.url}{PATH}",
        sha256=None,
    )
    return replace(task, sources=(local,))


def census(rows: int) -> pd.DataFrame:
    """Return block groups with the columns of the census."""
    random = np.random.default_rng(1)
    homes = random.integers(50, 900, rows)
    longitudes = random.integers(-12500, -11400, rows)
    latitudes = random.integers(3200, 4300, rows)
    ages = random.integers(1, 52, rows)
    rooms = random.integers(3, 8, rows)
    incomes = random.integers(5000, 150000, rows)
    values = random.integers(15000, 500001, rows)
    columns = {
        "longitude": longitudes / 100,
        "latitude": latitudes / 100,
        "housing_median_age": ages,
        "total_rooms": homes * rooms,
        "total_bedrooms": homes + 5,
        "population": homes * 3,
        "households": homes,
        "median_income": incomes / 10000,
        "median_house_value": values,
    }
    table = pd.DataFrame(columns)
    return table.astype(float)


def raw_table(task: Task, source: Source) -> pd.DataFrame:
    """Return the rows with the source's columns, and its codes for the categories."""
    if task.name == "housing":
        table = census(ROWS)
    else:
        layout = source.table or Layout()
        decoded = strategies.table(task, ROWS)
        table = encode(decoded, layout)
        for name in layout.ignore:
            table[name] = "7"
    names = source.options.get("names")
    if names:
        table = table[list(names)]
    return table


def encode(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return a task's table with the codes and the column names of a layout."""
    encoded = table.copy()
    for name, words in layout.values.items():
        codes = {word: code for code, word in words.items()}
        column = encoded[name]
        encoded[name] = column.replace(codes)
    return encoded.rename(columns=layout.derive)


def task_table(task: Task) -> pd.DataFrame:
    """Return the task's table of the rows that `raw_table` gives."""
    if task.name != "housing":
        return strategies.table(task, ROWS)
    archives = [source for source in task.sources if source.member]
    layout = archives[0].table
    raw = census(ROWS)
    arranged = arrange(task, layout, raw)
    return validate(task, arranged, "generated rows")


def file_content(source: Source, raw: pd.DataFrame) -> bytes:
    """Return the file that the source gives."""
    match source.read.__name__:
        case "parquet":
            stream = io.BytesIO()
            raw.to_parquet(stream)
            return stream.getvalue()
        case "arff":
            return _arff(raw)
    text = _text(source, raw)
    if source.member is None:
        return text
    if source.place.endswith(".zip"):
        return _zip(source.member, text)
    return _tar(source.member, text)


def _text(source: Source, raw: pd.DataFrame) -> bytes:
    is_blank = source.options.get("separator") == "blanks"
    separator = " " if is_blank else ","
    skipped = source.options.get("skip", 0)
    lines = ["a line to skip"] * skipped
    for row in tables.rows(raw):
        line = separator.join(row)
        lines.append(line)
    text = "\n".join(lines) + "\n"
    return text.encode()


def _zip(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(member, content)
    return stream.getvalue()


def _tar(member: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    entry = tarfile.TarInfo(member)
    entry.size = len(content)
    source = io.BytesIO(content)
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(entry, source)
    return stream.getvalue()


def _arff(raw: pd.DataFrame) -> bytes:
    lines = ["% a comment", "@RELATION rows", ""]
    for name in raw:
        kind = _arff_type(raw[name])
        lines.append(f"@ATTRIBUTE {name} {kind}")
    lines += ["", "@DATA"]
    for row in tables.rows(raw):
        values = [_quoted(value) for value in row]
        lines.append(",".join(values))
    text = "\n".join(lines) + "\n"
    return text.encode()


def _arff_type(column: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(column):
        return "real"
    values = [f"'{value}'" for value in column.unique()]
    listed = ", ".join(values)
    return f"{{{listed}}}"


def _quoted(value: str) -> str:
    is_plain = value.replace(".", "").isalnum()
    if is_plain:
        return value
    return f"'{value}'"
