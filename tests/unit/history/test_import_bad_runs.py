"""A run that cannot be kept is named with the reason, and stops no other."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from typer.testing import CliRunner

from core.errors import PipelineError, UsageError
from history import layout
from history.__main__ import app
from tests.conftest import posix
from tests.support.history_factories import (
    Workspace,
    import_into,
    new_store,
    query,
    verify,
)

PARENT = "mlflow.parentRunId"


class Source:
    """An MLflow store of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri, self.client, self.experiment = new_store(folder)

    def log(
        self, *files: str, parent: str = "", status: str | None = "FINISHED"
    ) -> str:
        run = self.client.create_run(
            self.experiment, tags={PARENT: parent} if parent else {}
        )
        for file in files:  # straight into the folder: MLflow would not take every name
            path = self.folder / "artifacts" / run.info.run_id / "artifacts" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x", encoding="utf-8")
        if status:
            self.client.set_terminated(run.info.run_id, status)
        return str(run.info.run_id)

    def collect_garbage(self, run_id: str) -> None:
        """Remove a run's rows, as `mlflow gc` does."""
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as connection:
            for table in ("tags", "runs"):
                connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (run_id,))
            connection.commit()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(tmp_path_factory.mktemp("source"))


@posix
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["report #1.txt"], "cannot be read: .*'?report #1.txt"),
        (["a%20b.txt"], "MLflow cannot read 'a%20b.txt', for it has a %"),
        (["folder%20x/a.txt"], "MLflow cannot read 'folder%20x', for it has a %"),
        (
            ["a\nb.txt"],
            r"the artifact 'a\\nb.txt' has the character U\+000A|cannot be read",
        ),
        (
            ["a:b.txt"],
            "the artifact 'a:b.txt' has the character :, which Windows does not",
        ),
        (["aux.txt"], "the artifact 'aux.txt' has a name that Windows reserves"),
        (
            ["project/.gitignore"],
            "the artifact 'project/.gitignore' has a name by which Git",
        ),
        (["Model.txt", "model.txt"], "are one file on Windows or macOS"),
        (["n" * 200], "has a path of 2.. characters; at most"),
    ],
)
def test_a_bad_artifact_leaves_its_run_out_and_no_other(
    tmp_path: Path, repo: Workspace, files: list[str], reason: str
) -> None:
    source = Source(tmp_path / "source")
    first, bad, last = (
        source.log("note.txt"),
        source.log(*files),
        source.log("note.txt"),
    )
    heard: list[str] = []
    with pytest.raises(
        PipelineError, match="2 runs were imported, 1 could not be"
    ) as caught:
        import_into(repo, source.uri, notice=heard.append)
    assert caught.value.exit_status == 1
    assert {*layout.run_folders(repo.mlruns)} == {first, last}
    (sentence,) = heard
    assert sentence.startswith(f"the run {bad} cannot be ")
    with pytest.raises(PipelineError, match=reason):
        import_into(repo, source.uri, [bad])
    assert verify(repo) == []
    shutil.rmtree(
        source.folder / "artifacts"
    )  # no test leaves what Windows could not open


@posix
def test_a_bad_child_leaves_out_what_needs_it_alone(
    repo: Workspace, tmp_path: Path
) -> None:
    source = Source(tmp_path / "source")
    parent = source.log()
    bad = source.log("nul", parent=parent)
    good = source.log("note.txt", parent=parent)
    grandchild = source.log(parent=bad)
    heard: list[str] = []
    with pytest.raises(
        UsageError, match=f"the run {grandchild} is left out with its parent"
    ):
        import_into(repo, source.uri, [good, grandchild], heard.append)
    assert {*layout.run_folders(repo.mlruns)} == {parent, good}
    assert [sentence[:40] for sentence in heard] == [f"the run {bad}"]
    assert verify(repo) == []


def test_a_child_of_a_removed_parent_is_left_out_and_named(
    repo: Workspace, tmp_path: Path
) -> None:
    source = Source(tmp_path / "source")
    parent, other = source.log(), source.log()
    child = source.log(parent=parent)
    source.collect_garbage(parent)
    heard: list[str] = []
    with pytest.raises(PipelineError, match="1 runs were imported, 1 could not be"):
        import_into(repo, source.uri, notice=heard.append)
    assert {*layout.run_folders(repo.mlruns)} == {other}
    said = f"with its parent, the run {parent}, which is not found in the store."
    assert heard == [f"the run {child} is left out {said}"]


def test_the_sentence_names_the_run_that_was_asked_for(
    repo: Workspace, source: Source
) -> None:
    parent = source.log(status=None)
    child = source.log(parent=parent)
    said = (
        f"the run {child} is left out with its parent, the run {parent}, which is"
        " RUNNING"
    )
    with pytest.raises(UsageError, match=said):
        import_into(repo, source.uri, [child])


def test_a_child_that_still_runs_does_not_hold_its_parent_up(
    repo: Workspace, tmp_path: Path
) -> None:
    source = Source(tmp_path / "source")
    parent = source.log()
    running = source.log(parent=parent, status=None)
    heard: list[str] = []
    assert [
        folder.name for folder in import_into(repo, source.uri, [parent], heard.append)
    ] == [parent]
    assert heard == [f"the run {running} is RUNNING: only ended runs can be imported."]
    source.client.set_terminated(running)
    assert [folder.name for folder in import_into(repo, source.uri, [running])] == [
        parent,
        running,
    ]


def test_the_command_prints_what_was_saved_before_it_ends_with_1(
    repo: Workspace, tmp_path: Path
) -> None:
    source = Source(tmp_path / "source")
    first, last = source.log(), source.log()
    source.collect_garbage(parent := source.log())
    child = source.log(parent=parent)
    arguments = ["--folder", str(repo.mlruns), "import", "--from", source.uri]
    done = CliRunner().invoke(app, arguments)
    assert [line.rpartition("/")[2] for line in done.stdout.splitlines()] == [
        first,
        last,
    ]
    assert f"the run {child} is left out" in done.stderr
    assert (
        str(done.exception)
        == "2 runs were imported, 1 could not be: the reasons are named above."
    )


def test_what_is_not_kept_is_counted(repo: Workspace, tmp_path: Path) -> None:
    source = Source(tmp_path / "source")
    run = source.log()
    source.client.create_registered_model("m")
    for _ in range(2):
        source.client.create_model_version("m", (tmp_path / "model").as_uri(), run)
    source.client.register_prompt("p", "hello {{name}}")
    mlflow.set_tracking_uri(source.uri)
    try:
        mlflow.set_experiment("housing")
        with mlflow.start_span("asked"):
            pass
        mlflow.flush_trace_async_logging()
    finally:
        mlflow.set_tracking_uri(None)
    heard: list[str] = []
    import_into(repo, source.uri, notice=heard.append)
    assert heard == [
        "The store also holds 1 trace and 1 prompt; the history keeps only runs and"
        " their models.",
        "2 registered model versions are not imported (m/1, m/2): a version in the"
        " history is the promotion of a run's `model.onnx`, and `History.promote`"
        " adds it.",
    ]


NOT_A_STORE = {
    "sqlite:///text.db": "file is not a database",
    "sqlite:///empty.db": "is not a database of MLflow",
    "sqlite:///other.db": "is not a database of MLflow",
    "sqlite:///none.db": "there is no such file",
    "sqlite://": "there is no such file",
    "": "name a store",
    "postgresql+psycopg2://ann:hush@host/db": "needs the Python package psycopg2",
    "postgresql://ann:hush@host:no-port/db": "is not the address of a store",
    "sqlite+none:///text.db": "plugin",
    "http://[::1": "is not the address of a store",
    "unknown://ann:hush@host": "unsupported URI 'unknown://[*]{3}@host'",
}


@pytest.mark.parametrize("uri", NOT_A_STORE)
def test_what_is_no_store_is_one_sentence_and_stays_as_it_is(
    repo: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    (tmp_path / "text.db").write_text("x\n")
    (tmp_path / "empty.db").write_text("")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(PipelineError, match=NOT_A_STORE[uri]) as caught:
        import_into(repo, uri)
    assert "hush" not in str(caught.value) and "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "text.db").read_text("utf-8") == "x\n"
    assert (tmp_path / "empty.db").stat().st_size == 0
    assert query(tmp_path / "other.db", "SELECT name FROM sqlite_master") == [("mine",)]
