"""Which source a table is taken from, and which rows are accepted."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.errors import Unavailable
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from tests.support import strategies
from tests.support.web_servers import Server

IRIS = tasks.load("iris")
TABLE = strategies.table(IRIS, 40)
CSV = tables.to_csv(TABLE)
WITH_PASSWORD = "/file?sig=hush&token=hush"
# What sources answer that do not have the data, by path.
BAD = {
    "/forbidden": (403, b""),
    "/busy": (429, b""),
    "/broken": (500, b""),
    "/gone": (404, b""),
    "/page": (200, b"<html><body>Sign in, please</body></html>"),
    "/empty": (200, b""),
    "/other": (200, tables.to_csv(strategies.table(IRIS, 30))),
    "/invalid": (
        200,
        b"sepal_length,sepal_width,petal_length,petal_width,species\n,,,,\n",
    ),
}


def serve(server: Server, table: pd.DataFrame) -> None:
    """Let the server answer with a table as CSV."""
    content = tables.to_csv(table)
    server.answers["/file"] = [(200, content)]


def iris(server: Server, *paths: str) -> Task:
    """Return iris with CSV sources at the server, which expects the rows of `TABLE`."""
    read = IRIS.sources[1].read
    sources = []
    for path in paths:
        sources.append(Source(f"{server.url}{path}", read))
    return replace(
        IRIS,
        sources=tuple(sources),
        digest=tables.digest(TABLE),
        rows_digest=tables.rows_digest(TABLE),
    )


def test_the_same_rows_in_any_order_are_accepted_and_give_one_table(
    server: Server, repo: Repo
) -> None:
    task = iris(server, "/file")
    digests = set()
    for seed in (1, 2):
        shuffled = TABLE.sample(frac=1, random_state=seed)
        serve(server, shuffled)
        dataset = fetch(task, repo)
        digests.add(dataset.digest)
        assert tables.rows_digest(dataset.table) == task.rows_digest
    assert len(digests) == 1
    assert task.digest not in digests
    serve(server, TABLE)
    assert fetch(task, repo).digest == task.digest


@pytest.mark.parametrize(
    "rows", [[*range(39)], [*range(40), 0]], ids=["one less", "one twice"]
)
def test_other_rows_are_refused(server: Server, repo: Repo, rows: list[int]) -> None:
    task = iris(server, "/file")
    serve(server, TABLE.iloc[rows])
    with pytest.raises(Unavailable, match="the table's SHA-256 is"):
        fetch(task, repo)


def test_refreshed_rows_in_another_order_are_those_of_the_snapshot(
    server: Server, repo: Repo
) -> None:
    task = iris(server, "/file")
    tables.write(repo.data / "iris.csv.gz", TABLE)
    reversed_rows = TABLE.iloc[::-1]
    serve(server, reversed_rows)
    dataset = fetch(task, repo, refresh=True)
    assert dataset.digest == tables.digest(TABLE)


def test_every_way_to_fail_leads_to_the_next_source(
    server: Server, repo: Repo, waits: list[float]
) -> None:
    task = iris(server, *BAD, "/good")
    server.answers = {path: [answer] for path, answer in BAD.items()}
    server.answers["/good"] = [(200, CSV)]
    dataset = fetch(task, repo)
    assert dataset.origin == f"{server.url}/good"
    requests = {path: server.asked.count(path) for path in server.answers}
    expected = dict.fromkeys(server.answers, 1)
    for path in ("/forbidden", "/busy", "/broken"):
        expected[path] = 3
    assert requests == expected


def test_a_password_in_an_address_is_never_shown(server: Server, repo: Repo) -> None:
    task = iris(server, WITH_PASSWORD, "/gone?key=hush")
    first, second = task.sources
    place = first.place.replace("http://", "http://me:hush@")
    first = replace(first, place=place)
    task = replace(task, sources=(first, second))
    server.answers[WITH_PASSWORD] = [(200, b"a,b\n1,2\n")]
    with pytest.raises(Unavailable) as caught:
        fetch(task, repo)
    message = f"{caught.value} {caught.value.waits_for}"
    assert "hush" not in message
    assert "/file: cannot be read" in message
    assert "/gone" in message
    server.answers[WITH_PASSWORD] = [(200, CSV)]
    dataset = fetch(task, repo)
    assert "hush" not in dataset.origin


def test_nothing_is_written_into_the_home_folder(
    server: Server,
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(home))
    task = iris(server, "/file")
    serve(server, TABLE)
    fetch(task, repo)
    assert not list(home.iterdir())
