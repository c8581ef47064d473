"""Tables that DVC keeps, where no DVC is needed: its files, and what disagrees."""

from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.add import add
from pipeline.data.fetch import fetch
from pipeline.dvc import pointer, table_faults
from pipeline.dvc.pointer import md5_file, pointer_path
from pipeline.repo import Repo
from pipeline.train.changes import changes
from tests.conftest import commit_all
from tests.support.generated_rows import rows

IRIS = tasks.load("iris")
TABLE = rows(IRIS, 20)
OTHER = rows(IRIS, 20, seed=1)
NAME = "data/iris.csv.gz"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A checkout with a table as DVC leaves it: not in Git, its `.dvc` file is."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "params.yaml").touch()
    repo = Repo(tmp_path)
    table = repo.data / "iris.csv.gz"
    tables.write(table, TABLE)
    point_to(table, md5_file(table))
    (repo.data / ".gitignore").write_text("/iris.csv.gz\n")
    commit_all(tmp_path, "feat: begin")
    return repo


def point_to(table: Path, md5: str, name: str = "iris.csv.gz") -> None:
    """Write a `.dvc` file as `dvc add` does."""
    size = table.stat().st_size
    text = f"outs:\n- md5: {md5}\n  size: {size}\n  hash: md5\n  path: {name}\n"
    pointer_path(table).write_text(text)


@pytest.fixture
def without_dvc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which DVC is not installed."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))


def faults(repo: Repo) -> list[str]:
    return [str(fault) for fault in table_faults.find_faults(repo.root)]


def test_the_table_that_is_here_is_taken_without_dvc(
    repo: Repo, without_dvc: None
) -> None:
    dataset = fetch(IRIS, repo)
    assert dataset.digest == tables.digest(TABLE)
    assert dataset.origin == NAME
    assert not dataset.snapshot


def test_it_counts_as_committed_as_long_as_it_is_what_its_dvc_file_names(
    repo: Repo,
) -> None:
    assert changes(repo) == []
    tables.write(repo.data / "iris.csv.gz", OTHER)
    assert changes(repo) == [NAME]


def test_nothing_disagrees_in_a_fresh_clone(repo: Repo) -> None:
    assert faults(repo) == []
    (repo.data / "iris.csv.gz").unlink()
    assert faults(repo) == []


def test_a_machine_without_dvc_is_told_what_to_install(
    repo: Repo, without_dvc: None
) -> None:
    (repo.data / "iris.csv.gz").unlink()
    with pytest.raises(PipelineError) as caught:
        fetch(IRIS, repo)
    assert str(caught.value) == (
        f"iris: DVC keeps {NAME}, and the program dvc is not installed: install"
        " requirements/dvc.txt in an environment of its own, and put its programs on"
        " the PATH."
    )


def test_another_table_is_refused_and_named(repo: Repo) -> None:
    table = repo.data / "iris.csv.gz"
    tables.write(table, OTHER)
    digits = md5_file(table)[:12]
    sentence = f"{NAME} has the MD5 {digits}…, but {NAME}.dvc names"
    with pytest.raises(PipelineError, match=sentence):
        fetch(IRIS, repo)
    (fault,) = faults(repo)
    assert fault.startswith(f"{NAME}: its MD5 is {digits}…")
    assert "dvc checkout --force" in fault


def test_a_table_in_git_and_in_dvc_is_a_fault(repo: Repo) -> None:
    git(repo.root, "add", "--force", NAME)
    (fault,) = faults(repo)
    assert fault.startswith(f"{NAME}: Git and DVC both keep it")
    tables.write(repo.data / "iris.csv.gz", OTHER)
    (fault,) = faults(repo)
    assert fault.startswith(f"{NAME}: Git and DVC keep different tables")


def test_a_table_that_dvc_keeps_is_not_refreshed_into_git(repo: Repo) -> None:
    with pytest.raises(UsageError, match="iris: DVC keeps its table"):
        fetch(IRIS, repo, refresh=True)


def test_a_table_is_added_to_one_keeper(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.csv"
    OTHER.to_csv(file, index=False)
    with pytest.raises(UsageError, match="run the command with --dvc"):
        add(repo, "iris", file)
    git(repo.root, "add", "--force", NAME)
    monkeypatch.setattr("pipeline.dvc.program.path", lambda: "dvc")
    with pytest.raises(UsageError, match=f"git rm --cached {NAME}"):
        add(repo, "iris", file, by_dvc=True)
    pulled = tables.read(repo.data / "iris.csv.gz")
    assert tables.digest(pulled) == tables.digest(TABLE)


def test_without_dvc_nothing_is_written_for_it(
    repo: Repo, tmp_path: Path, without_dvc: None
) -> None:
    file = tmp_path / "own.csv"
    OTHER.to_csv(file, index=False)
    before = md5_file(repo.data / "iris.csv.gz")
    with pytest.raises(PipelineError, match="dvc is not installed"):
        add(repo, "iris", file, by_dvc=True)
    assert md5_file(repo.data / "iris.csv.gz") == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("outs: [", "not valid YAML"),
        ("outs: []", "outs: List should have at least 1 item"),
        ("outs:\n- {md5: 3a.dir, size: 1, path: iris.csv.gz}", "outs.0.md5"),
        (f"outs:\n- {{md5: {'a' * 32}, size: 1, path: x.csv}}", "it names x.csv"),
    ],
)
def test_a_damaged_dvc_file_is_named(repo: Repo, text: str, message: str) -> None:
    table = repo.data / "iris.csv.gz"
    pointer_path(table).write_text(text)
    with pytest.raises(UsageError) as caught:
        pointer.read(table)
    assert str(caught.value).startswith(f"{NAME}.dvc: {message}")
    (fault,) = faults(repo)
    assert fault.startswith(f"{NAME}.dvc: {message}")
