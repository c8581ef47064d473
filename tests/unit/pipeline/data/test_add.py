"""`pipeline data add`: by the command as people run it, and by the function for its
many cases.
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.errors import PipelineError, UsageError
from pipeline import tasks
from pipeline.data import add as module
from pipeline.data import table as tables
from pipeline.data.add import add
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from tests.support import strategies

IRIS = tasks.load("iris")
TABLE = strategies.table(IRIS, 30)
DIGEST = tables.digest(TABLE)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "params.yaml").touch()
    return Repo(tmp_path / "checkout")


def _write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix in (".parquet", ".pq"):
        table.to_parquet(path)
    elif path.suffix == ".arff":
        classes = ",".join(IRIS.target.classes)
        kinds = ["numeric"] * 4 + [f"{{{classes}}}"]
        lines = ["@relation iris"]
        for name, kind in zip(table.columns, kinds, strict=True):
            lines.append(f"@attribute {name} {kind}")
        lines.append("@data")
        for row in tables.rows(table):
            lines.append(",".join(row))
        path.write_text("\n".join(lines) + "\n", "utf-8")
    else:
        table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "name", ["t.csv", "T.CSV", "t.csv.gz", "t.parquet", "t.pq", "t.arff"]
)
def test_every_format_gives_the_same_bytes(
    repo: Repo, tmp_path: Path, name: str
) -> None:
    file = _write(TABLE, tmp_path / name)
    added = add(repo, "iris", file)
    assert added.rows == 30
    assert added.digest == DIGEST
    assert added.before == 0
    assert added.path.read_bytes() == tables.packed(tables.to_csv(TABLE))
    fetched = fetch(IRIS, repo)
    assert fetched.digest == DIGEST
    assert fetched.origin == "data/iris.csv.gz"


def test_a_second_table_says_what_changed(repo: Repo, tmp_path: Path) -> None:
    add(repo, "iris", _write(TABLE, tmp_path / "t.csv"))
    repeated = TABLE.iloc[[7, 7]]
    more = pd.concat([TABLE.iloc[5:], repeated])
    added = add(repo, "iris", _write(more, tmp_path / "t.csv"))
    assert added.rows == 27
    assert added.before == 30
    assert added.new == 2
    assert added.gone == 5
    added.path.write_bytes(b"damaged")
    assert add(repo, "iris", tmp_path / "t.csv").before == 0


BAD = {
    "a bad row": (
        TABLE.assign(sepal_width=99),
        "row 1, column sepal_width: the value '99' is not",
    ),
    "truth values": (
        TABLE.assign(petal_width=True),
        "the value 'True' is not a number from 0",
    ),
    "a column too many": (
        TABLE.assign(id=1),
        "has the unexpected column id",
    ),
    "a column too few": (TABLE.drop(columns="species"), "lacks the column species"),
    "no rows": (TABLE.iloc[:0], "has no rows"),
    "missing values": (
        TABLE.replace({"species": {"setosa": None}}),
        "species: the value '' is not",
    ),
}


@pytest.mark.parametrize("table, words", BAD.values(), ids=BAD)
def test_a_table_that_breaks_a_rule_is_refused_and_nothing_is_written(
    repo: Repo, tmp_path: Path, table: pd.DataFrame, words: str
) -> None:
    add(repo, "iris", _write(TABLE, tmp_path / "good.csv"))
    with pytest.raises(PipelineError, match=words) as caught:
        add(repo, "iris", _write(table, tmp_path / "bad.csv"))
    assert str(caught.value).startswith(f"{tmp_path / 'bad.csv'}: ")
    assert fetch(IRIS, repo).digest == DIGEST
    assert [path.name for path in repo.data.iterdir()] == ["iris.csv.gz"]


def test_truth_values_of_parquet_are_no_numbers(repo: Repo, tmp_path: Path) -> None:
    file = _write(TABLE.assign(petal_width=True), tmp_path / "t.parquet")
    with pytest.raises(PipelineError, match="the value True is not a number"):
        add(repo, "iris", file)


def test_what_github_does_not_take_is_not_written(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(
        PipelineError, match="GitHub accepts no file over 0 MB: remove rows"
    ):
        add(repo, "iris", _write(TABLE, tmp_path / "t.csv"))
    assert not repo.data.exists()


@pytest.mark.parametrize(
    "name, words", [("t.xlsx", "must end in .csv, .csv"), ("t.csv", "no such")]
)
def test_a_file_that_is_not_there_or_of_no_format(
    repo: Repo, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "t.xlsx").touch()
    with pytest.raises(UsageError, match=words):
        add(repo, "iris", tmp_path / name)
    with pytest.raises(UsageError, match="there is no task 'rose'"):
        add(repo, "rose", tmp_path / name)


def _run(repo: Repo, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "--repo",
        str(repo.root),
        "data",
        "add",
    ]
    return subprocess.run([*command, *arguments], capture_output=True, encoding="utf-8")


def test_the_command_says_what_to_do_next(repo: Repo, tmp_path: Path) -> None:
    done = _run(repo, str(_write(TABLE, tmp_path / "t.csv")), "--task", "iris")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"data/iris.csv.gz: 30 rows, sha256 {DIGEST}",
        "Now commit it:",
        "  git add data/iris.csv.gz",
        '  git commit -m "feat: data of iris"',
    ]
    (tmp_path / "t.csv").write_text("a,b\n1,2,3\n")
    refused = _run(repo, str(tmp_path / "t.csv"), "--task", "iris")
    assert refused.returncode == 1
    assert refused.stdout == ""
    sentence = (
        "row 1 (line 2) has 3 values for 2 columns; correct the row or leave it out."
    )
    assert refused.stderr == f"error: {tmp_path / 't.csv'}: {sentence}\n"
