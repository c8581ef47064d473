"""Tables that DVC keeps: in a folder, in an S3 store, and in a remote that is away."""

import pytest

from core.errors import PipelineError, Unavailable
from core.git import git
from pipeline import tasks
from pipeline.data import by_digest
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.repo import Repo
from pipeline.train.changes import changes
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.dvc.project import ROWS, Project
from tests.support import seaweedfs
from tests.support.generated_rows import rows

HOUSING = tasks.load("housing")
TABLE = rows(HOUSING, ROWS, seed=3)
NAME = "data/housing.csv.gz"


@pytest.fixture
def kept(fresh: Project) -> Project:
    """A project with a new table of housing that DVC keeps, and no remote."""
    git(fresh.root, "rm", "--quiet", "--cached", NAME)
    file = fresh.root.with_name("table.csv")
    TABLE.to_csv(file, index=False)
    output = fresh.pipeline("data", "add", str(file), "--task", "housing", "--dvc")
    assert f"git add {NAME}.dvc data/.gitignore" in output
    commit_all(fresh.root, "feat: keep housing by DVC")
    return fresh


def fetch_in(project: Project, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return the table that the pipeline fetches with the project's programs."""
    for name in ("PATH", "HOME"):
        monkeypatch.setenv(name, project.variables[name])
    dataset = fetch(HOUSING, Repo(project.root))
    assert dataset.origin == NAME
    assert not dataset.snapshot  # it must not come into Git as well
    return tables.to_csv(dataset.table)


def push_to(project: Project, address: str, **settings: str) -> None:
    """Make an address the default remote, and send the table to it."""
    project.dvc("remote", "add", "--default", "store", address)
    for name, value in settings.items():
        project.dvc("remote", "modify", "store", name, value)
    commit_all(project.root, "chore: name the remote")
    project.dvc("push", f"{NAME}.dvc")


def test_a_fresh_clone_gets_the_table_from_a_folder(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_to(kept, str(kept.root.with_name("store")))
    clone = kept.clone("clone")
    assert not (clone.root / NAME).exists()
    assert fetch_in(clone, monkeypatch) == tables.to_csv(TABLE)
    # Its `.dvc` file in Git holds the table: a training on it can be published.
    assert changes(Repo(clone.root)) == []


def test_a_fresh_clone_gets_the_table_from_an_s3_store(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    weed = seaweedfs.require_program()
    with seaweedfs.running(weed, kept.root.with_name("s3")) as store:
        kept.variables |= store.variables
        store.set_variables(monkeypatch)
        address = f"s3://{seaweedfs.BUCKET}/tables"
        push_to(kept, address, endpointurl=store.endpoint)
        clone = kept.clone("clone")
        assert fetch_in(clone, monkeypatch) == tables.to_csv(TABLE)


def test_a_remote_that_is_away_is_named(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = kept.root.with_name("store")
    push_to(kept, str(store))
    store.rename(store.with_name("elsewhere"))
    clone = kept.clone("clone")
    with pytest.raises(Unavailable) as caught:
        fetch_in(clone, monkeypatch)
    assert str(caught.value) == (
        f"housing: DVC cannot pull {NAME} (the remote is away or does not have it): see"
        " `dvc remote list`, and run `dvc push` in a clone that has it."
    )
    assert not (clone.root / NAME).exists()


def test_an_s3_store_that_is_away_is_named(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.dvc("remote", "add", "--default", "store", "s3://bucket/tables")
    kept.dvc("remote", "modify", "store", "endpointurl", "http://127.0.0.1:9")
    commit_all(kept.root, "chore: name the remote")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    clone = kept.clone("clone")
    with pytest.raises(Unavailable, match="failed to connect to s3"):
        fetch_in(clone, monkeypatch)


def test_a_project_without_a_remote_is_named(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = kept.clone("clone")
    with pytest.raises(PipelineError, match=f"DVC cannot pull {NAME}"):
        fetch_in(clone, monkeypatch)


def test_a_table_that_was_altered_is_not_trained_on(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.write(kept.root / NAME, rows(HOUSING, 50, seed=4))
    with pytest.raises(PipelineError, match="dvc checkout --force"):
        fetch_in(kept, monkeypatch)
    (fault,) = verify(Repo(kept.root))
    assert fault.file == NAME
    kept.dvc("checkout", "--force", NAME)
    assert fetch_in(kept, monkeypatch) == tables.to_csv(TABLE)
    assert verify(Repo(kept.root)) == []


def test_an_earlier_table_is_found_by_its_digest(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_to(kept, str(kept.root.with_name("store")))
    earlier, last = rows(HOUSING, 50, seed=5), rows(HOUSING, 50, seed=6)
    for table in (earlier, last):
        tables.write(kept.root / NAME, table)
        kept.dvc("add", NAME)
        kept.dvc("push", f"{NAME}.dvc")
        commit_all(kept.root, "feat: replace the table of housing")
    clone = kept.clone("clone")
    monkeypatch.setenv("PATH", clone.variables["PATH"])
    digest = tables.digest(earlier)
    content = by_digest.find(Repo(clone.root), "housing", digest, download=False)
    assert content == tables.to_csv(earlier)


def test_the_stages_take_the_table_that_dvc_keeps(kept: Project) -> None:
    push_to(kept, str(kept.root.with_name("store")))
    clone = kept.clone("clone")
    output = clone.dvc("repro", "--pull", "features@housing")
    assert f"housing: {len(TABLE)} rows of {NAME}" in output
    assert git(clone.root, "status", "--porcelain").split() == ["??", "dvc.lock"]
