"""What goes out as a file store comes in again as it was, and MLflow shows both alike."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.errors import PipelineError, UsageError
from history import address, build, layout, runfile
from history.export import export
from history.names import clash, fault_of
from history.portable_paths import CERTAIN
from history.runfile import Run
from pipeline.cli import app
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    import_into,
    model_id,
    new_workspace,
    promote,
)
from tests.support.mlflow_listing import listing

MODEL = b"artifact_path: mlflow-artifacts:/housing/2026-11-18/x/models/y\nflavors: {}\n"


def full(repo: Workspace) -> None:
    """Fill a history with all that it can hold."""
    dataset = {
        "name": "housing",
        "digest": "d",
        "source_type": "http",
        "source": '{"url": "u"}',
    }
    datasets = [
        dataset | {"schema": None, "profile": "{}", "tags": {"context": "training"}}
    ]
    parent = add_run(
        repo.mlruns, files={"plots/a.png": b"a", "b ä.txt": b"b"}, datasets=datasets
    )
    logged = model_id()
    trained = add_run(
        repo.mlruns,
        models={logged: {"model.onnx": b"m", "MLmodel": MODEL}},
        parent=parent.run_id,
        metrics={"loss": [(0.5, 0, 0), (0.25, 7, 1)], "fold/1": [(1.0, 0, 0)]},
    )
    promote(repo, trained)
    promote(repo, trained)
    add_run(
        repo.mlruns,
        model_inputs=[logged],
        status="FAILED",
        ended=None,
        experiment="Übung 1",
    )
    times = {"started": STARTED + DAY_MS, "ended": STARTED + DAY_MS}
    tags = {"gate": "refused", "gate.reason": "worse"}
    push = add_run(repo.mlruns, tags=tags, params={"challenger": "ridge"}, **times)
    add_run(repo.mlruns, params={"algorithm": "ridge"}, parent=push.run_id, **times)


def test_mlflow_shows_a_file_store_as_it_shows_the_database(
    repo: Workspace, tmp_path: Path
) -> None:
    full(repo)
    target = tmp_path / "a store" / "mlruns"
    exported = export(repo.history(), target)
    assert (exported.runs, exported.versions, exported.left_out) == (5, 3, {})
    build.build_database(repo.mlruns, tmp_path / "mlflow.db")
    database = listing(
        f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", str(repo.mlruns)
    )
    with address.settings_for(target.as_uri()):
        shown = listing(target.as_uri(), None)
    assert shown == database
    assert shown["registered"]["housing"]["aliases"] == {"champion": 2, "challenger": 0}
    assert shown["experiments"]["Übung 1"]["runs"]


def test_it_comes_in_again_as_it_was(repo: Workspace, tmp_path: Path) -> None:
    full(repo)
    export(repo.history(), tmp_path / "store")
    again = new_workspace(tmp_path / "again")
    import_into(again, str(tmp_path / "store"))
    folders = layout.run_folders(again.mlruns)
    for run_id, folder in layout.run_folders(repo.mlruns).items():
        there = {path.relative_to(folder): path.read_bytes() for path in files(folder)}
        here = {
            path.relative_to(folders[run_id]): path.read_bytes()
            for path in files(folders[run_id])
        }
        without_address(there)
        without_address(here)
        assert here == there


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def without_address(content: dict[Path, bytes]) -> None:
    """Leave out the model's address, which `full` made up, and its digest."""
    for path in [path for path in content if path.name == "MLmodel"]:
        assert content.pop(path).endswith(b"flavors: {}\n")
        run = json.loads(content[Path(layout.RUN_FILE)])
        for model in run["models"]:
            model["artifacts"] = [file["path"] for file in model["artifacts"]]
        content[Path(layout.RUN_FILE)] = json.dumps(run).encode()


PART = st.text("aZ09_-. :äß中", min_size=1, max_size=12).filter(
    lambda part: part.strip(" .")
)
KEY = st.lists(PART, min_size=1, max_size=3).map("/".join)
if sys.platform == "win32":
    KEY = KEY.filter(lambda key: fault_of(key) is None)
else:
    KEY = KEY.filter(
        lambda key: not key.startswith("..")
    )  # which MLflow does not allow
TEXT = st.text(max_size=40).filter(lambda text: not CERTAIN.match(text))
POINT = st.tuples(st.floats(), st.integers(0, 10**6), st.integers(-5, 5))


def apart(values: dict[str, Any]) -> bool:
    """Tell whether every name is a file of its own, also where case does not count."""
    folders = {
        key[:i] for key in values for i, letter in enumerate(key) if letter == "/"
    }
    return clash(values) is None and not folders & values.keys()


def by_name(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEY, values, max_size=4).filter(apart)


@settings(max_examples=15)
@given(
    experiment=st.text(min_size=1, max_size=20),
    name=TEXT,
    user=TEXT,
    params=by_name(TEXT),
    tags=by_name(TEXT),
    metrics=by_name(
        st.lists(POINT, min_size=1, max_size=4, unique_by=lambda point: point[1:])
    ),
)
def test_odd_names_and_values_come_in_again(**content: Any) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        repo, again = new_workspace(folder / "one"), new_workspace(folder / "two")
        run = add_run(repo.mlruns, **content)
        export(repo.history(), folder / "store")
        (saved,) = import_into(again, str(folder / "store"))
        assert comparable(runfile.load(saved / layout.RUN_FILE)) == comparable(run)
    finally:
        shutil.rmtree(folder)


def comparable(run: Run) -> dict[str, Any]:
    """Return a run whose points are in one order: NaN has none."""
    content = run.model_dump()
    content["metrics"] = {
        key: sorted(map(repr, points)) for key, points in run.metrics.items()
    }
    content["latest"] = {key: repr(run.latest(key)) for key in run.metrics}
    return content


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_number_and_nan_at_one_step_the_larger_counts_as_in_sql(
    repo: Workspace, tmp_path: Path, order: int
) -> None:
    points = [(float("nan"), 0, 0), (1.0, 0, 0)][::order]
    low = [(float("nan"), 0, 0), (-1.0, 0, 0)][::order]
    add_run(repo.mlruns, metrics={"high": points, "low": low})
    export(repo.history(), tmp_path / "store")
    build.build_database(repo.mlruns, tmp_path / "mlflow.db")
    with address.settings_for((tmp_path / "store").as_uri()):
        shown = listing((tmp_path / "store").as_uri(), None)
    database = listing(
        f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", str(repo.mlruns)
    )
    (run,) = shown["experiments"]["housing"]["runs"].values()
    assert run["metrics"] == {"high": "1.0", "low": "nan"}
    assert shown == database


UNWRITABLE: dict[str, Any] = {
    "has the param 'a/b' beside another": {"params": {"a": "1", "a/b": "2"}},
    "has the tag '../x', which MLflow does not allow": {"tags": {"../x": "1"}},
    "has the tag '/x', which MLflow does not allow": {"tags": {"/x": "1"}},
    "has the metric 'a*', which MLflow does not allow": {
        "metrics": {"a*": [(1.0, 0, 0)]}
    },
    "which is too long for the name of a file": {"params": {"ä" * 130: "1"}},
}


@pytest.mark.parametrize("said", UNWRITABLE)
def test_a_run_that_a_file_store_cannot_hold_is_left_out_and_named(
    repo: Workspace, tmp_path: Path, said: str
) -> None:
    kept = add_run(repo.mlruns)
    odd = add_run(
        repo.mlruns, models={model_id(): {"model.onnx": b"m"}}, **UNWRITABLE[said]
    )
    promote(repo, odd)
    heard: list[str] = []
    exported = export(repo.history(), tmp_path / "store", heard.append)
    assert exported.runs == 1 and exported.versions == 0
    assert len(heard) == 1 and heard[0].startswith(f"the run {odd.run_id} has ")
    assert said in heard[0]
    left = {path.name for path in (tmp_path / "store").rglob("*") if path.is_dir()}
    assert kept.run_id in left and not left & {odd.run_id, odd.models[0].model_id}
    done = CliRunner().invoke(
        app,
        ["--repo", str(repo.root), "history", "export", "--to", str(tmp_path / "cli")],
    )
    assert isinstance(done.exception, PipelineError)
    assert "1 runs are left out" in str(done.exception)


def test_what_is_there_is_never_touched(repo: Workspace, tmp_path: Path) -> None:
    add_run(repo.mlruns)
    mine = tmp_path / "full" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    for target in (mine.parent, mine):
        with pytest.raises(UsageError, match="is not empty: name a folder that is"):
            export(repo.history(), target)
    with pytest.raises(UsageError, match="lies in the history"):
        export(repo.history(), repo.mlruns / "housing" / "out")
    (tmp_path / "empty").mkdir()
    export(repo.history(), tmp_path / "empty")
    assert mine.read_text("utf-8") == "mine"
    assert (tmp_path / "empty" / "0" / "meta.yaml").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"clone", "full", "empty"}


def test_a_damaged_history_leaves_nothing_behind(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns)
    run = add_run(repo.mlruns)
    path = layout.run_folders(repo.mlruns)[run.run_id] / layout.RUN_FILE
    path.write_text("{", encoding="utf-8")
    with pytest.raises(PipelineError, match="is not whole JSON"):
        export(repo.history(), tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["clone"]


def test_a_folder_that_is_no_file_store_is_not_written_to(
    repo: Workspace, tmp_path: Path
) -> None:
    add_run(repo.mlruns)
    again = new_workspace(tmp_path / "again")
    (tmp_path / "other").mkdir()
    for place in (tmp_path / "other", repo.mlruns):
        before = sorted(place.rglob("*"))
        with pytest.raises(UsageError, match="is not a file store of MLflow"):
            import_into(again, str(place))
        assert sorted(place.rglob("*")) == before
