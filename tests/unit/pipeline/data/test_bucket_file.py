"""A table of the user's own in a bucket: read by its address, checked by its digest."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.files import sha256_file
from history.bucket import Bucket
from history.bucket_address import parse
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from pipeline.schema import Source
from pipeline.tasks import readers
from tests.support import seaweedfs, strategies

IRIS = tasks.load("iris")
TABLE = strategies.table(IRIS, 40)
FOLDER = f"s3://{seaweedfs.BUCKET}/tables"


@pytest.mark.slow
@pytest.mark.nightly
def test_a_parquet_file_in_a_bucket_is_a_source_and_never_a_snapshot(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weed = seaweedfs.require_program()
    file = tmp_path / "iris.parquet"
    TABLE.to_parquet(file)
    right = Source(f"{FOLDER}/iris.parquet", readers.parquet, sha256_file(file))
    task = replace(IRIS, sources=(right,), digest=tables.digest(TABLE))
    with seaweedfs.running(weed, tmp_path / "s3") as store:
        store.set_variables(monkeypatch)
        Bucket(parse(FOLDER)).write(file.name, file)
        dataset = fetch(task, repo)
        assert dataset.digest == task.digest
        assert dataset.origin == right.place
        assert not dataset.snapshot

        other = replace(right, sha256="0" * 64)
        absent = replace(right, place=f"{FOLDER}/absent.parquet")
        useless = replace(task, sources=(other, absent))
        with pytest.raises(Unavailable) as caught:
            fetch(useless, repo)
    message = str(caught.value)
    assert f"{other.place}: the file has another hash" in message
    assert "the store refuses with NoSuchKey" in message


@pytest.mark.parametrize("place", ["s3://bucket", "s3:///key", "s3://No_Bucket/key"])
def test_another_address_of_a_bucket_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="is not s3://BUCKET/KEY"):
        Source(place, readers.parquet)
