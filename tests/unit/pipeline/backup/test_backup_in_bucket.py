"""Backups in a bucket of a real S3 store."""

from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from history.bucket import Bucket
from history.bucket_address import parse
from pipeline.backup import backup, places
from pipeline.backup.in_bucket import BackupBucket
from pipeline.repo import Repo
from tests.conftest import make_clone, make_origin
from tests.support import seaweedfs

pytest.importorskip("boto3")
# More than one part of an upload.
CONTENT = bytes(range(256)) * 40_000


@pytest.fixture
def repo(tmp_path: Path, s3: seaweedfs.Store, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A clone whose stack has a file, and the variables with which it has the store."""
    s3.set_variables(monkeypatch)
    repo = make_clone(make_origin(tmp_path), "here")
    local = repo.mlruns / ".local"
    local.mkdir(parents=True)
    (local / "large.bin").write_bytes(CONTENT)
    return repo


def test_a_backup_comes_back_from_the_bucket(repo: Repo, tmp_path: Path) -> None:
    address = f"s3://{seaweedfs.BUCKET}/backups/one"
    bucket = BackupBucket(address)
    bucket.require_empty()
    backup.make(repo, places.of_processes(repo), tmp_path / "copy", print)
    bucket.upload(tmp_path / "copy")
    # What else lies below the prefix is none of the backup's.
    below = Bucket(parse(f"{address}/other"))
    below.write("note.tar", tmp_path / "copy" / "backup.json")
    other = make_clone(tmp_path / "origin.git", "there")
    with bucket.downloaded() as folder:
        assert {file.name for file in folder.iterdir()} == {
            "artifacts.tar",
            "backup.json",
        }
        backup.restore(places.of_processes(other), folder, print)
    assert not folder.exists()
    assert (other.mlruns / ".local" / "large.bin").read_bytes() == CONTENT
    with pytest.raises(UsageError, match="/one has files already: name a new prefix"):
        bucket.require_empty()


def test_a_prefix_without_a_backup_is_refused(repo: Repo) -> None:
    bucket = BackupBucket(f"s3://{seaweedfs.BUCKET}/nothing")
    with (
        pytest.raises(
            UsageError, match=r"nothing is no backup: it has no backup\.json"
        ),
        bucket.downloaded(),
    ):
        pass


def test_a_bucket_that_is_not_there_is_named(repo: Repo) -> None:
    bucket = BackupBucket("s3://absent/one")
    with pytest.raises(PipelineError, match="refuses with NoSuchBucket: create the"):
        bucket.require_empty()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(
        UsageError, match="'s3://B' is no address of a bucket: name s3:"
    ):
        BackupBucket("s3://B")
