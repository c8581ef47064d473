"""The check of the data's sources, with a real web server that serves them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.publish.publish import publish
from pipeline.train.train import train
from tests.conftest import Clone, commit_all
from tests.support import factories
from tests.support.web_servers import serving
from tests.unit.scripts.data_sources import (
    DIGESTS,
    GROWN,
    NEW,
    OLD,
    TABLE,
    UNCHANGED,
    World,
)

VARIABLE = "MLOPS_TEST_FOLDER"

Capture = pytest.CaptureFixture[str]

# A failed download is tried again, without the usual wait.
pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with serving() as server:
        prepared = World(tmp_path, server)
        monkeypatch.setattr(tasks, "FOLDER", prepared.tasks)
        monkeypatch.setenv("GITHUB_OUTPUT", str(prepared.output))
        yield prepared


def test_an_unchanged_source_starts_nothing(world: World, capsys: Capture) -> None:
    world.task("iris")
    world.serve("iris", TABLE)
    assert world.check() == 0
    assert capsys.readouterr().out == f"iris: {UNCHANGED}\n"
    assert world.outputs() == {"tasks": "", "reason": ""}


def test_a_changed_source_is_reported_with_its_digests(
    world: World, capsys: Capture
) -> None:
    for name, table in {"iris": GROWN, "rose": TABLE, "tulip": GROWN}.items():
        world.task(name)
        world.serve(name, table)
    world.keep("tulip", TABLE)
    assert world.check() == 0
    assert capsys.readouterr().out.splitlines() == [
        f"iris: changed, 160 rows, {DIGESTS}",
        f"rose: {UNCHANGED}",
        f"tulip: changed, 150 → 160 rows, {DIGESTS}",
    ]
    reason = f"the data of iris changed at its source: {DIGESTS}; "
    reason += f"the data of tulip changed at its source: {DIGESTS}"
    assert world.outputs() == {"tasks": "iris tulip", "reason": reason}


def test_the_snapshot_counts_and_not_the_digest_of_the_task(world: World) -> None:
    world.task("iris")
    world.keep("iris", GROWN)
    world.serve("iris", GROWN)
    assert world.changed() == ""
    world.serve("iris", TABLE)
    assert world.changed() == "iris"


def test_a_table_that_dvc_keeps_is_not_compared(world: World) -> None:
    world.task("iris")
    world.keep("iris", TABLE)
    world.serve("iris", GROWN)
    assert world.changed() == "iris"
    (world.repo.data / "iris.csv.gz.dvc").touch()
    assert world.changed() == ""


def test_missing_or_wrong_data_do_not_hold_up_other_tasks(
    world: World, capsys: Capture
) -> None:
    for name in ("iris", "rose", "tulip"):
        world.task(name)
    world.serve("iris", GROWN)
    widths = GROWN.petal_width.mask(GROWN.index == 4, 99)
    world.serve("rose", GROWN.assign(petal_width=widths))
    assert world.check() == 1
    printed = capsys.readouterr()
    address = world.server.url
    assert printed.out.splitlines()[1:] == [
        (
            f"rose: cannot be read: {address}/rose.csv: row 5, column petal_width: the"
            " value '99' is not a number from 0 to 4; correct the row or leave it out."
        ),
        "tulip: not there today: 127.0.0.1 (answers 404)",
    ]
    *outputs, notice, sentence = printed.err.splitlines()
    assert sentence.startswith("error: nothing can be said of the data of rose, and")
    assert (
        notice
        == "warning: the data of tulip are not there today: 127.0.0.1 (answers 404)"
    )
    assert len(outputs) == 2
    assert world.outputs()["tasks"] == "iris"


def test_a_source_that_is_out_of_reach_is_a_warning(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    world.task("iris")
    world.server.answers["/iris.csv"] = [(403, b"")]
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert world.changed() == ""
    title = "the data of iris are not there today"
    warning = f"::warning title={title}::127.0.0.1 (answers 403)\n"
    assert warning in capsys.readouterr().out
    line = "- iris: not there today: 127.0.0.1 (answers 403)\n"
    assert summary.read_text("utf-8") == line


def test_rows_in_another_order_are_not_a_change(world: World) -> None:
    world.task("iris")
    world.keep("iris", TABLE)
    world.serve("iris", TABLE.iloc[::-1])
    assert world.changed() == ""


def test_a_damaged_snapshot_and_a_broken_task_are_reported(
    world: World, capsys: Capture
) -> None:
    for name in ("iris", "rose"):
        world.task(name)
        world.serve(name, TABLE)
    (world.tasks / "iris.yaml").write_text("title: [", "utf-8")
    world.repo.data.mkdir()
    (world.repo.data / "rose.csv.gz").write_bytes(b"half")
    assert world.check() == 1
    iris, rose = capsys.readouterr().out.splitlines()
    assert "pipeline/tasks/iris.yaml: not valid YAML" in iris
    assert "is not a complete gzipped CSV" in rose


def test_an_outdated_mirror_is_not_a_change(world: World, capsys: Capture) -> None:
    first = f"{world.server.url}/first.csv"
    mirror = f"{world.server.url}/mirror.csv"
    world.task("iris", f"${VARIABLE}/iris.csv", first, mirror)
    world.keep("iris", GROWN)
    world.serve("mirror", TABLE)
    assert world.changed() == ""
    sentence = f"iris: not there today: {first} gives nothing, and {mirror}"
    assert sentence in capsys.readouterr().out
    world.serve("mirror", GROWN)
    assert world.changed() == ""
    world.serve("first", TABLE)
    assert world.changed() == "iris"


def test_a_folder_of_ones_own_is_compared_and_starts_nothing(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    world.task("iris", f"${VARIABLE}/iris.csv")
    file = tmp_path / "iris.csv"
    file.write_bytes(tables.to_csv(GROWN))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert world.changed() == ""
    assert "iris: changed, 160 rows" in capsys.readouterr().out


def test_the_findings_can_be_printed_as_json(world: World, capsys: Capture) -> None:
    world.task("iris")
    world.serve("iris", GROWN)
    assert world.check("--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "task": "iris",
            "state": "changed",
            "public": True,
            "problem": "",
            "waits_for": "",
            "old": OLD,
            "old_rows": None,
            "new": NEW,
            "new_rows": 160,
        }
    ]


def test_a_folder_that_is_not_a_checkout_is_refused(
    world: World, capsys: Capture
) -> None:
    world.repo.params.unlink()
    assert world.check() == 2
    assert "is not the repository's root" in capsys.readouterr().err


@pytest.mark.slow
def test_published_data_are_not_reported_as_changed_again(
    world: World, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    world.task("iris")
    world.repo = clone("team")
    world.repo.params.write_text(factories.PARAMS % 1)
    commit_all(world.repo.root, "feat: flowers")
    git(world.repo.root, "push", "--quiet")
    world.serve("iris", GROWN)
    name = world.changed()
    bundle = world.repo.build / "bundle"
    train(world.repo, [name], bundle, refresh=True)
    publish(world.repo, bundle, "origin", "main")
    assert world.changed() == "iris"  # not pulled yet
    git(world.repo.root, "pull", "--quiet")
    assert world.changed() == ""
