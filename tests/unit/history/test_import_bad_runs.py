"""A run that cannot be imported is reported with the reason; the others are imported."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import PipelineError, UsageError
from history import layout
from history.__main__ import app
from tests.conftest import posix
from tests.support.history_factories import Workspace, import_into, verify
from tests.support.source_store import SourceStore


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceStore:
    return SourceStore(tmp_path_factory.mktemp("source"))


def run_ids(repo: Workspace) -> set[str]:
    return set(layout.run_folders(repo.mlruns))


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
    tmp_path: Path,
    repo: Workspace,
    files: list[str],
    reason: str,
) -> None:
    source = SourceStore(tmp_path / "source")
    first = source.log("note.txt")
    bad = source.log(*files)
    last = source.log("note.txt")
    notices: list[str] = []
    summary = "2 runs were imported, 1 could not be"
    with pytest.raises(PipelineError, match=summary) as caught:
        import_into(repo, source.uri, notice=notices.append)
    assert caught.value.exit_status == 1
    assert run_ids(repo) == {first, last}
    (notice,) = notices
    assert notice.startswith(f"the run {bad} cannot be ")
    with pytest.raises(PipelineError, match=reason):
        import_into(repo, source.uri, [bad])
    assert verify(repo) == []
    # Do not leave names that Windows could not open.
    shutil.rmtree(source.folder / "artifacts")


@posix
def test_a_bad_child_leaves_out_what_needs_it_alone(
    repo: Workspace, tmp_path: Path
) -> None:
    source = SourceStore(tmp_path / "source")
    parent = source.log()
    bad = source.log("nul", parent=parent)
    good = source.log("note.txt", parent=parent)
    grandchild = source.log(parent=bad)
    notices: list[str] = []
    message = f"the run {grandchild} is left out with its parent"
    with pytest.raises(UsageError, match=message):
        import_into(repo, source.uri, [good, grandchild], notices.append)
    assert run_ids(repo) == {parent, good}
    (notice,) = notices
    assert notice.startswith(f"the run {bad} ")
    assert verify(repo) == []


def test_a_child_of_a_removed_parent_is_left_out_and_named(
    repo: Workspace, tmp_path: Path
) -> None:
    source = SourceStore(tmp_path / "source")
    parent = source.log()
    other = source.log()
    child = source.log(parent=parent)
    source.collect_garbage(parent)
    notices: list[str] = []
    with pytest.raises(PipelineError, match="1 run was imported, 1 could not be"):
        import_into(repo, source.uri, notice=notices.append)
    assert run_ids(repo) == {other}
    assert notices == [
        f"the run {child} is left out with its parent, the run {parent}, which is not"
        " found in the store."
    ]


def test_the_sentence_names_the_run_that_was_asked_for(
    repo: Workspace, source: SourceStore
) -> None:
    parent = source.log(status=None)
    child = source.log(parent=parent)
    message = (
        f"the run {child} is left out with its parent, the run {parent}, which is"
        " RUNNING"
    )
    with pytest.raises(UsageError, match=message):
        import_into(repo, source.uri, [child])


def test_a_child_that_still_runs_does_not_hold_its_parent_up(
    repo: Workspace, tmp_path: Path
) -> None:
    source = SourceStore(tmp_path / "source")
    parent = source.log()
    running = source.log(parent=parent, status=None)
    notices: list[str] = []
    folders = import_into(repo, source.uri, [parent], notices.append)
    assert [folder.name for folder in folders] == [parent]
    assert notices == [
        f"the run {running} is RUNNING: only ended runs can be imported."
    ]
    source.client.set_terminated(running)
    folders = import_into(repo, source.uri, [running])
    assert [folder.name for folder in folders] == [parent, running]


def test_the_command_prints_what_was_imported_before_it_fails(
    repo: Workspace, tmp_path: Path
) -> None:
    source = SourceStore(tmp_path / "source")
    first = source.log()
    last = source.log()
    parent = source.log()
    child = source.log(parent=parent)
    source.collect_garbage(parent)
    arguments = ["--folder", str(repo.mlruns), "import", "--from", source.uri]
    result = CliRunner().invoke(app, arguments)
    printed = [Path(line).name for line in result.stdout.splitlines()]
    assert printed == [first, last]
    assert f"the run {child} is left out" in result.stderr
    error = "2 runs were imported, 1 could not be: the reasons are named above."
    assert str(result.exception) == error
