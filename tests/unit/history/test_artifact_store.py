"""The files of the runs in a bucket: all of them, once, under their paths."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.errors import PipelineError, UsageError
from history import layout
from history.artifacts import ArtifactStore
from history.bucket_address import parse
from history.metrics import Exporter
from history.watch import Watcher
from scripts.loopback import free_port
from tests.support import seaweedfs
from tests.support.built_database import path_of
from tests.support.history_factories import Workspace, add_run, model_id
from tests.support.promoted_history import PromotedHistory

boto3: Any = pytest.importorskip("boto3")
botocore: Any = pytest.importorskip("botocore.exceptions")
ADDRESS = f"s3://{seaweedfs.BUCKET}/mlruns"


@pytest.fixture
def bucket(s3: seaweedfs.Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bucket, empty, and the variables with which others reach it."""
    s3.set_variables(monkeypatch)
    resource = boto3.resource("s3", endpoint_url=s3.endpoint)
    bucket = resource.Bucket(seaweedfs.BUCKET)
    bucket.objects.all().delete()
    return bucket


def contents(bucket: Any) -> dict[str, bytes]:
    """Return the content of every file in the bucket, by its key."""
    files = {}
    for entry in bucket.objects.all():
        files[entry.key] = entry.get()["Body"].read()
    return files


def expected(repo: Workspace) -> dict[str, bytes]:
    """Return the files of runs and models, by the keys that they should have."""
    files = {}
    for kind in (layout.ARTIFACTS, layout.MODELS):
        for path in repo.mlruns.glob(f"*/*/*/{kind}/**/*"):
            if path.is_file():
                key = f"mlruns/{path.relative_to(repo.mlruns).as_posix()}"
                files[key] = path.read_bytes()
    return files


def copy(repo: Workspace) -> int:
    return ArtifactStore(repo.mlruns, ADDRESS).synchronize(print)


def test_every_file_is_copied_once(tmp_path: Path, bucket: Any) -> None:
    history = PromotedHistory(tmp_path / "clone")
    repo = history.repo
    add_run(repo.mlruns, {"plots/ä b%.txt": b"", "large.bin": bytes(9_000_000)})
    files = expected(repo)
    assert copy(repo) == len(files) == 8
    assert contents(bucket) == files
    assert copy(repo) == 0


def test_a_file_that_was_half_there_is_copied_again(
    repo: Workspace, bucket: Any
) -> None:
    add_run(repo.mlruns, {"note.txt": b"noted", "other.txt": b"other"})
    copy(repo)
    (key,) = [key for key in contents(bucket) if key.endswith("note.txt")]
    bucket.put_object(Key=key, Body=b"not")
    assert copy(repo) == 1
    assert contents(bucket) == expected(repo)


def test_the_watcher_copies_what_is_new(
    repo: Workspace, bucket: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    add_run(repo.mlruns, {"note.txt": b"noted"})
    artifacts = ArtifactStore(repo.mlruns, ADDRESS)
    watcher = Watcher(repo.mlruns, path_of(repo), Exporter(), artifacts)
    watcher.check()
    assert contents(bucket) == expected(repo)
    kept = add_run(
        repo.mlruns, {"note.txt": b"new"}, {model_id(): {"model.onnx": b"x"}}
    )
    watcher.check()
    assert contents(bucket) == expected(repo)
    capsys.readouterr()
    # A model that is promoted later comes to a run that was copied already.
    folder = layout.run_folders(repo.mlruns)[kept.run_id] / layout.MODELS
    late = folder / model_id() / "model.onnx"
    late.parent.mkdir()
    late.write_bytes(b"late")
    add_run(repo.mlruns)
    watcher.check()
    assert contents(bucket) == expected(repo)
    assert f"{ADDRESS}: 1 file copied" in capsys.readouterr().out


def test_a_file_that_git_writes_during_the_copy_comes_with_the_next_call(
    repo: Workspace, bucket: Any
) -> None:
    run = add_run(repo.mlruns, {"first.txt": b"first"})
    artifacts = ArtifactStore(repo.mlruns, ADDRESS)
    assert artifacts.synchronize(print) == 1
    folder = layout.run_folders(repo.mlruns)[run.run_id] / layout.ARTIFACTS
    (folder / "second.txt").write_bytes(b"second")
    assert artifacts.synchronize(print) == 1
    assert artifacts.synchronize(print) == 0
    assert contents(bucket) == expected(repo)


def test_an_extracted_year_is_copied_to_where_the_database_expects_it(
    repo: Workspace, bucket: Any
) -> None:
    archived = layout.archived_folder(repo.mlruns, "2025")
    run = add_run(archived, {"note.txt": b"old"})
    assert copy(repo) == 1
    day = layout.all_run_days(repo.mlruns)[run.run_id]
    address = layout.artifact_uri(day, run.run_id, layout.ARTIFACTS)
    path = address.removeprefix(layout.URI_SCHEME)
    assert contents(bucket) == {f"mlruns/{path}/note.txt": b"old"}


@pytest.mark.slow
def test_a_store_that_cannot_be_used_is_one_sentence(
    repo: Workspace, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(repo.mlruns, {"note.txt": b"noted"})
    require_refused(repo, "s3://absent-bucket/mlruns", "create the bucket")
    with monkeypatch.context() as changed:
        changed.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
        require_refused(repo, ADDRESS, "check AWS_SECRET_ACCESS_KEY")
        changed.setenv("AWS_ACCESS_KEY_ID", "a-wrong-key")
        require_refused(repo, ADDRESS, "check AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("history.bucket.ATTEMPTS", 1)
    require_refused(repo, ADDRESS, "Could not connect to the endpoint URL")


@pytest.mark.slow
def test_a_store_that_is_full_is_one_sentence(
    repo: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weed = seaweedfs.require_program()
    add_run(repo.mlruns, {"note.txt": b"noted"})
    monkeypatch.setattr("history.bucket.ATTEMPTS", 1)
    with seaweedfs.running(weed, tmp_path / "full", "-volume.max=1") as full:
        full.set_variables(monkeypatch)
        # Each bucket needs a volume, and the store may have one, which another bucket
        # takes, unless the store's own log was there first.
        other = boto3.resource("s3", endpoint_url=full.endpoint).Bucket("other")
        other.create()
        with suppress(botocore.ClientError):
            other.put_object(Key="a", Body=b"b")
        require_refused(repo, ADDRESS, "whether its disk is full")


def require_refused(repo: Workspace, address: str, remedy: str) -> None:
    with pytest.raises(PipelineError) as caught:
        ArtifactStore(repo.mlruns, address).synchronize(print)
    message = str(caught.value)
    assert message.startswith(address)
    assert remedy in message
    assert "\n" not in message
    assert "a-wrong" not in message


@pytest.mark.parametrize(
    "address",
    ["s3:/mlflow", "s3://", "s3://UPPER", "mlflow", "gs://mlflow", "s3://a/b?c"],
)
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="name s3://BUCKET/PREFIX"):
        parse(address)


def test_keys_begin_with_the_prefix() -> None:
    assert parse("s3://mlflow").key("a/b") == "a/b"
    assert parse("s3://mlflow/").key("a/b") == "a/b"
    assert parse("s3://mlflow/x/y/").key("a/b") == "x/y/a/b"
