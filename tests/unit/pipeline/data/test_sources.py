"""Every source that a task names gives the same table, in whatever format it has the
rows.

The rows are made up, and written as each source has them: the real ones are not for a
repository. Where the folders with the real data are named, those are tried, too.
"""

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import Unavailable
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.arrange import arrange
from pipeline.data.fetch import fetch
from pipeline.data.validate import validate
from pipeline.repo import Repo
from pipeline.schema import Layout, Source, Task
from tests.support import strategies
from tests.support.web_servers import Server, serving

WEB = [
    pytest.param(name, place, id=f"{name}-{source.address.rsplit('/', 1)[-1]}-{place}")
    for name in tasks.names()
    for place, source in enumerate(tasks.load(name).sources)
    if source.web
]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def _census(rows: int) -> pd.DataFrame:
    """Return block groups with the columns of the census."""
    random = np.random.default_rng(1)
    homes = random.integers(50, 900, rows)
    columns = {
        "longitude": random.integers(-12500, -11400, rows) / 100,
        "latitude": random.integers(3200, 4300, rows) / 100,
        "housing_median_age": random.integers(1, 52, rows),
        "total_rooms": homes * random.integers(3, 8, rows),
        "total_bedrooms": homes + 5,
        "population": homes * 3,
        "households": homes,
        "median_income": random.integers(5000, 150000, rows) / 10000,
        "median_house_value": random.integers(15000, 500001, rows),
    }
    return pd.DataFrame(columns).astype(float)


def _raw(task: Task, source: Source) -> pd.DataFrame:
    """Return rows as the source has them: with its names, and its words for the
    categories.
    """
    if task.name == "housing":
        table = _census(80)
    else:
        table = strategies.table(task, 80)
        layout = source.table or Layout()
        for name, words in layout.values.items():
            codes = {word: code for code, word in words.items()}
            table[name] = table[name].replace(codes)
        table = table.rename(columns=layout.derive)
        for name in layout.ignore:
            table[name] = "7"
    names = source.options.get("names")
    return table[list(names)] if names else table


def _arff(raw: pd.DataFrame) -> bytes:
    lines = ["% made up", "@RELATION rows", ""]
    for name in raw:
        allowed = ", ".join(f"'{value}'" for value in raw[name].unique())
        number = pd.api.types.is_numeric_dtype(raw[name])
        kind = "real" if number else f"{{{allowed}}}"
        lines.append(f"@ATTRIBUTE {name} {kind}")
    lines += ["", "@DATA"]
    for row in tables.rows(raw):
        values = [_quoted(value) for value in row]
        lines.append(",".join(values))
    return "\n".join(lines).encode() + b"\n"


def _quoted(value: str) -> str:
    plain = value.replace(".", "").isalnum()
    return value if plain else f"'{value}'"


def _file(source: Source, raw: pd.DataFrame) -> bytes:
    """Return the file that the source gives."""
    stream = io.BytesIO()
    if source.read.__name__ == "parquet":
        raw.to_parquet(stream)
        return stream.getvalue()
    if source.read.__name__ == "arff":
        return _arff(raw)
    separator = " " if source.options.get("separator") == "blanks" else ","
    rows = [separator.join(row) for row in tables.rows(raw)]
    skipped = ["a line about it"] * source.options.get("skip", 0)
    text = "\n".join(skipped + rows) + "\n"
    if source.member is None:
        return text.encode()
    if source.place.endswith(".zip"):
        with zipfile.ZipFile(stream, "w") as packed:
            packed.writestr(source.member, text)
    else:
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            entry = tarfile.TarInfo(source.member)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def _table(task: Task) -> pd.DataFrame:
    """Return the task's table of the rows that `_raw` gives."""
    if task.name != "housing":
        return strategies.table(task, 80)
    source = next(source for source in task.sources if source.member)
    return validate(task, arrange(task, source.table, _census(80)), "made up")


@pytest.mark.parametrize("name, place", WEB)
def test_a_source_gives_the_task_s_table(
    name: str, place: int, server: Server, tmp_path: Path
) -> None:
    task = tasks.load(name)
    source = task.sources[place]
    table = _table(task)
    server.answers["/file"] = [(200, _file(source, _raw(task, source)))]
    here = replace(source, place=f"{server.url}/file", sha256=None)
    task = replace(task, sources=(here,), digest=tables.digest(table), rows_digest="")
    fetched = fetch(task, Repo(tmp_path))
    assert fetched.digest == task.digest
    assert fetched.snapshot is True


@pytest.mark.parametrize("name", ["housing", "credit", "iris"])
def test_a_task_has_three_independent_sources(name: str) -> None:
    independent = set()
    for source in tasks.load(name).sources:
        if source.web:
            host = source.address.split("/")[2]
            independent.add(host)
        elif not source.private:
            independent.add(source.place)
    assert len(independent) >= 3


def _serve(server: Server, table: pd.DataFrame) -> None:
    """Let the server answer with a table as CSV."""
    content = tables.to_csv(table)
    server.answers["/file"] = [(200, content)]


def _iris(server: Server, *places: str, rows: pd.DataFrame | None = None) -> Task:
    """Return iris with CSV sources at the server, which expects these rows."""
    task = tasks.load("iris")
    expected = strategies.table(task, 40) if rows is None else rows
    read = tasks.load("iris").sources[1].read
    return replace(
        task,
        sources=tuple(Source(f"{server.url}/{place}", read) for place in places),
        digest=tables.digest(expected),
        rows_digest=tables.rows_digest(expected),
    )


def test_rows_in_another_order_count_and_give_one_table(
    server: Server, tmp_path: Path
) -> None:
    task = _iris(server, "file")
    table = strategies.table(task, 40)
    digests = set()
    for seed in (1, 2):
        other = table.sample(frac=1, random_state=seed)
        _serve(server, other)
        fetched = fetch(task, Repo(tmp_path))
        digests.add(fetched.digest)
        assert tables.rows_digest(fetched.table) == task.rows_digest
    assert len(digests) == 1
    assert task.digest not in digests
    _serve(server, table)
    assert fetch(task, Repo(tmp_path)).digest == task.digest


@pytest.mark.parametrize(
    "rows", [[*range(39)], [*range(40), 0]], ids=["one less", "one twice"]
)
def test_other_rows_do_not_count(
    server: Server, tmp_path: Path, rows: list[int]
) -> None:
    task = _iris(server, "file")
    _serve(server, strategies.table(task, 40).iloc[rows])
    with pytest.raises(Unavailable, match="the table's SHA-256 is"):
        fetch(task, Repo(tmp_path))


def test_refreshed_rows_in_another_order_are_those_of_the_snapshot(
    server: Server, tmp_path: Path
) -> None:
    task = _iris(server, "file")
    repo = Repo(tmp_path)
    table = strategies.table(task, 40)
    tables.write(repo.data / "iris.csv.gz", table)
    _serve(server, table.iloc[::-1])
    fetched = fetch(task, repo, refresh=True)
    assert fetched.digest == tables.digest(table)


def test_every_way_to_fail_leads_to_the_next_source(
    server: Server, tmp_path: Path, waits: list[float]
) -> None:
    bad = {
        "forbidden": [(403, b"")],
        "busy": [(429, b"")],
        "broken": [(500, b"")],
        "gone": [(404, b"")],
        "page": [(200, b"<html><body>Sign in, please</body></html>")],
        "empty": [(200, b"")],
        "other": [(200, tables.to_csv(strategies.table(tasks.load("iris"), 30)))],
        "invalid": [
            (200, b"sepal_length,sepal_width,petal_length,petal_width,species\n,,,,\n")
        ],
    }
    task = _iris(server, *bad, "good")
    good = tables.to_csv(strategies.table(task, 40))
    server.answers = {f"/{place}": answers for place, answers in bad.items()}
    server.answers["/good"] = [(200, good)]
    fetched = fetch(task, Repo(tmp_path))
    assert fetched.origin == f"{server.url}/good"
    asked = {place: server.asked.count(f"/{place}") for place in [*bad, "good"]}
    once = dict.fromkeys(["gone", "page", "empty", "other", "invalid", "good"], 1)
    assert asked == {"forbidden": 3, "busy": 3, "broken": 3, **once}


def test_a_password_in_an_address_is_never_told(server: Server, tmp_path: Path) -> None:
    task = _iris(server, "file?sig=hush&token=hush", "gone?key=hush")
    place = task.sources[0].place.replace("http://", "http://me:hush@")
    task = replace(
        task, sources=(replace(task.sources[0], place=place), task.sources[1])
    )
    server.answers["/file?sig=hush&token=hush"] = [(200, b"a,b\n1,2\n")]
    with pytest.raises(Unavailable) as caught:
        fetch(task, Repo(tmp_path))
    told = f"{caught.value} {caught.value.waits_for}"
    assert "hush" not in told
    assert "/file: cannot be read" in told
    assert "/gone" in told
    server.answers["/file?sig=hush&token=hush"] = [
        (200, tables.to_csv(strategies.table(task, 40)))
    ]
    assert "hush" not in fetch(task, Repo(tmp_path)).origin


def test_nothing_is_written_into_the_home_folder(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    task = _iris(server, "file")
    _serve(server, strategies.table(task, 40))
    fetch(task, Repo(tmp_path))
    assert not list((tmp_path / "home").iterdir())


@pytest.mark.skipif(
    not os.environ.get("SCIKIT_LEARN_DATA"), reason="SCIKIT_LEARN_DATA is not set"
)
@pytest.mark.parametrize(
    "name, place", [case for case in WEB if "housing" in str(case.id)]
)
def test_the_real_housing_is_the_same_from_every_source(
    name: str, place: int, server: Server, tmp_path: Path
) -> None:
    import joblib

    stored = joblib.load(Path(os.environ["SCIKIT_LEARN_DATA"]) / "cal_housing_py3.pkz")
    # scikit-learn's cache has the original's columns in another order.
    original = stored[:, [8, 7, 2, 3, 4, 5, 6, 1, 0]]
    raw = pd.DataFrame(original, columns=list(_census(1)))
    _expect_real(server, Repo(tmp_path), tasks.load(name), place, raw)


@pytest.mark.skipif(
    not os.environ.get("MLOPS_DATA_DIR"), reason="MLOPS_DATA_DIR is not set"
)
@pytest.mark.parametrize(
    "name, place", [case for case in WEB if "credit" in str(case.id)]
)
def test_the_real_credit_is_the_same_from_every_source(
    name: str, place: int, server: Server, tmp_path: Path
) -> None:
    task = tasks.load(name)
    layout = task.sources[place].table or Layout()
    raw = fetch(task, Repo(tmp_path)).table
    for column, words in layout.values.items():
        coded = {word: code for code, word in words.items()}
        raw[column] = raw[column].replace(coded)
    _expect_real(server, Repo(tmp_path), task, place, raw.rename(columns=layout.derive))


def _expect_real(
    server: Server, repo: Repo, task: Task, place: int, raw: pd.DataFrame
) -> None:
    source = task.sources[place]
    names = list(source.options.get("names", raw.columns))
    server.answers["/file"] = [(200, _file(source, raw[names]))]
    here = replace(source, place=f"{server.url}/file", sha256=None)
    assert fetch(replace(task, sources=(here,)), repo).digest == task.digest
