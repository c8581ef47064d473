"""`pipeline data add`: the command as people run it, and the function for the many
cases.
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
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "params.yaml").touch()
    return Repo(folder)


def _write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix in (".parquet", ".pq"):
        table.to_parquet(path)
    elif path.suffix == ".arff":
        classes = ",".join(IRIS.target.classes)
        kinds = ["numeric"] * 4
        kinds.append(f"{{{classes}}}")
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
    file = tmp_path / "t.csv"
    add(repo, "iris", _write(TABLE, file))
    repeated = TABLE.iloc[[7, 7]]
    others = TABLE.iloc[5:]
    more = pd.concat([others, repeated])
    added = add(repo, "iris", _write(more, file))
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


@pytest.mark.parametrize(("table", "message"), BAD.values(), ids=BAD)
def test_a_table_that_breaks_a_rule_is_refused_and_nothing_is_written(
    repo: Repo,
    tmp_path: Path,
    table: pd.DataFrame,
    message: str,
) -> None:
    add(repo, "iris", _write(TABLE, tmp_path / "good.csv"))
    bad = _write(table, tmp_path / "bad.csv")
    with pytest.raises(PipelineError, match=message) as caught:
        add(repo, "iris", bad)
    assert str(caught.value).startswith(f"{bad}: ")
    fetched = fetch(IRIS, repo)
    assert fetched.digest == DIGEST
    names = [path.name for path in repo.data.iterdir()]
    assert names == ["iris.csv.gz"]


def test_truth_values_of_parquet_are_not_numbers(repo: Repo, tmp_path: Path) -> None:
    table = TABLE.assign(petal_width=True)
    file = _write(table, tmp_path / "t.parquet")
    with pytest.raises(PipelineError, match="the value True is not a number"):
        add(repo, "iris", file)


def test_a_file_that_github_refuses_is_not_written(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    file = _write(TABLE, tmp_path / "t.csv")
    message = "GitHub accepts no file over 0 MB: have DVC"
    with pytest.raises(PipelineError, match=message):
        add(repo, "iris", file)
    assert not repo.data.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsx", "must end in .csv, .csv"),
        ("t.csv", "no such"),
    ],
)
def test_a_missing_file_and_an_unknown_format_are_refused(
    repo: Repo,
    tmp_path: Path,
    name: str,
    message: str,
) -> None:
    (tmp_path / "t.xlsx").touch()
    file = tmp_path / name
    with pytest.raises(UsageError, match=message):
        add(repo, "iris", file)
    with pytest.raises(UsageError, match="there is no task 'rose'"):
        add(repo, "rose", file)


def _run(repo: Repo, file: Path) -> subprocess.CompletedProcess[str]:
    """Run `pipeline data add` for iris."""
    command = [sys.executable, "-m", "pipeline", "--repo", str(repo.root)]
    command += ["data", "add", str(file), "--task", "iris"]
    return subprocess.run(command, capture_output=True, encoding="utf-8")


def test_the_command_prints_what_to_do_next(repo: Repo, tmp_path: Path) -> None:
    file = _write(TABLE, tmp_path / "t.csv")
    added = _run(repo, file)
    assert added.returncode == 0
    assert added.stderr == ""
    assert added.stdout.splitlines() == [
        f"data/iris.csv.gz: 30 rows, sha256 {DIGEST}",
        "Now commit it:",
        "  git add data/iris.csv.gz",
        '  git commit -m "feat: data of iris"',
    ]
    file.write_text("a,b\n1,2,3\n")
    refused = _run(repo, file)
    assert refused.returncode == 1
    assert refused.stdout == ""
    sentence = (
        "row 1 (line 2) has 3 values for 2 columns; correct the row or leave it out."
    )
    assert refused.stderr == f"error: {file}: {sentence}\n"
