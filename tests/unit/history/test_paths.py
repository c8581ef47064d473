"""Paths of one machine are recognised and become portable; other text stays as it is."""

from pathlib import Path

import pytest

from history.portable_paths import local_paths, portable
from tests.support.history_factories import add_run


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/work/repo/data/x.csv", "data/x.csv"),
        ("file:///work/repo/data/a%20b.csv", "data/a b.csv"),
        ("/home/ann/x.csv", "x.csv"),
        ("/home/ann/folder/", "folder"),
        ("C:\\Users\\ann\\x.csv", "x.csv"),
        ("C:/Users/ann/x.csv", "x.csv"),
        ("\\\\server\\share\\x.csv", "x.csv"),
        ("file:C:/x.csv", "x.csv"),
        ("/", ""),
    ],
)
def test_a_path_becomes_relative_or_its_last_part(path: str, expected: str) -> None:
    assert portable(path, Path("/work/repo")) == expected
    assert portable(path, None) == expected.rpartition("/")[2]


def test_the_address_of_a_file_on_a_drive_of_windows_becomes_relative_too() -> None:
    assert portable("file:///C:/repo/data/a%20b.csv", Path("C:/repo")) == "data/a b.csv"


@pytest.mark.parametrize(
    "text",
    [
        "/x",
        "/predict",
        "a/b",
        "see /home/ann",
        "http://host/home/x",
        "s3://bucket/tmp",
        "1:/2",
        "//",
    ],
)
def test_a_text_is_not_a_path(tmp_path: Path, text: str) -> None:
    run = add_run(
        tmp_path,
        params={"p": text},
        tags={"t": text},
        metrics={text: [(1, 1, 1)]},
    )
    assert local_paths(run) == []


def test_any_absolute_path_counts_where_mlflow_writes_paths(tmp_path: Path) -> None:
    data = {
        "name": "d",
        "digest": "1",
        "source_type": "local",
        "schema": None,
        "profile": None,
        "tags": {},
        "source": '{"uri": ["/anywhere/d.csv", 1], "url": "http://host/x"}',
    }
    plain = {
        **data,
        "name": "e",
        "source": "/anywhere/e.csv",
    }
    tags = {
        "mlflow.source.name": "/elsewhere/train.py",
        "mlflow.note.content": "/elsewhere",
    }
    run = add_run(tmp_path, datasets=[data, plain], tags=tags)
    paths = ["/anywhere/d.csv", "/anywhere/e.csv", "/elsewhere/train.py"]
    assert sorted(local_paths(run)) == paths
