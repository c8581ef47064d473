"""What the check says of sources that a real web server gives: the same, other, or
broken ones.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from core.git import git
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.train.train import train
from scripts import check_data, commands
from tests.conftest import commit_all
from tests.support import factories, strategies
from tests.support.web_servers import Server, serving

IRIS = tasks.load("iris")
TABLE, GROWN = strategies.table(IRIS, 150), strategies.table(IRIS, 160)
OLD, NEW = tables.digest(TABLE), tables.digest(GROWN)
DIGESTS = f"sha256 {OLD[:8]}… → {NEW[:8]}…"
VARIABLE = "MLOPS_TEST_FOLDER"

# Downloads that fail are tried again: nobody has to wait for that here.
pytestmark = pytest.mark.usefixtures("waits")


class World:
    """A checkout, tasks whose sources are at a server, and what GitHub is told."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.repo, self.server = Repo(folder / "checkout"), server
        self.tasks, self.output = folder / "tasks", folder / "output.txt"
        self.repo.root.mkdir()
        self.repo.params.touch()
        self.tasks.mkdir()

    def task(self, name: str, *places: str) -> None:
        """Describe a task like iris; without places its source is `/<name>.csv` at the
        server.
        """
        described = yaml.safe_load(
            (Path(tasks.__file__).parent / "iris.yaml").read_text("utf-8")
        )
        read = "tests.support.web_servers.read_csv"
        places = places or (f"{self.server.url}/{name}.csv",)
        described["sources"] = [{"place": place, "read": read} for place in places]
        described["digest"] = OLD
        (self.tasks / f"{name}.yaml").write_text(yaml.safe_dump(described), "utf-8")

    def serve(self, name: str, table: pd.DataFrame) -> None:
        self.server.answers[f"/{name}.csv"] = [(200, tables.to_csv(table))]

    def check(self, *options: str) -> int:
        arguments = ["--repo", str(self.repo.root), *options]
        return commands.run(check_data.main, arguments)

    def told(self) -> dict[str, str]:
        """Return what the last check told GitHub."""
        lines = self.output.read_text("utf-8").splitlines()
        self.output.unlink()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with serving() as server:
        made = World(tmp_path, server)
        monkeypatch.setattr(tasks, "FOLDER", made.tasks)
        monkeypatch.setenv("GITHUB_OUTPUT", str(made.output))
        yield made


def test_an_unchanged_source_starts_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.task("iris")
    world.serve("iris", TABLE)
    assert world.check() == 0
    assert capsys.readouterr().out == f"iris: unchanged, 150 rows, sha256 {OLD[:8]}…\n"
    assert world.told() == {"tasks": "", "reason": ""}


def test_a_changed_source_is_told_with_its_digests(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, table in {"iris": GROWN, "rose": TABLE, "tulip": GROWN}.items():
        world.task(name)
        world.serve(name, table)
    tables.write(world.repo.data / "tulip.csv.gz", TABLE)
    assert world.check() == 0
    assert capsys.readouterr().out.splitlines() == [
        f"iris: changed, 160 rows, {DIGESTS}",
        f"rose: unchanged, 150 rows, sha256 {OLD[:8]}…",
        f"tulip: changed, 150 → 160 rows, {DIGESTS}",
    ]
    reason = f"the data of iris changed at its source: {DIGESTS}; "
    reason += f"the data of tulip changed at its source: {DIGESTS}"
    assert world.told() == {"tasks": "iris tulip", "reason": reason}


def test_the_snapshot_counts_and_not_what_the_task_was_written_for(
    world: World,
) -> None:
    world.task("iris")
    tables.write(world.repo.data / "iris.csv.gz", GROWN)
    world.serve("iris", GROWN)
    assert world.check() == 0 and world.told()["tasks"] == ""
    world.serve("iris", TABLE)
    assert world.check() == 0 and world.told()["tasks"] == "iris"


def test_what_cannot_be_read_or_is_wrong_holds_up_no_other(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("iris", "rose", "tulip"):
        world.task(name)
    world.serve("iris", GROWN)
    world.serve(
        "rose", GROWN.assign(petal_width=GROWN.petal_width.mask(GROWN.index == 4, 99))
    )
    assert world.check() == 1
    said = capsys.readouterr()
    address = world.server.url
    assert said.out.splitlines()[1:] == [
        (
            f"rose: cannot be read: {address}/rose.csv: row 5, column petal_width: the"
            " value '99' is not a number from 0 to 4; correct the row or leave it out."
        ),
        "tulip: not there today: 127.0.0.1 (answers 404)",
    ]
    *outputs, notice, sentence = said.err.splitlines()
    assert sentence.startswith("error: nothing can be said of the data of rose, and")
    assert (
        notice
        == "warning: the data of tulip are not there today: 127.0.0.1 (answers 404)"
    )
    assert len(outputs) == 2
    assert world.told()["tasks"] == "iris"


def test_a_source_that_is_out_of_reach_is_a_warning(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.task("iris")
    world.server.answers["/iris.csv"] = [(403, b"")]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert world.check() == 0 and world.told()["tasks"] == ""
    title = "the data of iris are not there today"
    assert (
        f"::warning title={title}::127.0.0.1 (answers 403)\n" in capsys.readouterr().out
    )
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary == "- iris: not there today: 127.0.0.1 (answers 403)\n"


def test_rows_in_another_order_are_no_change(world: World) -> None:
    world.task("iris")
    tables.write(world.repo.data / "iris.csv.gz", TABLE)
    world.serve("iris", TABLE.iloc[::-1])
    assert world.check() == 0 and world.told()["tasks"] == ""


def test_a_damaged_snapshot_and_a_broken_task_are_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("iris", "rose"):
        world.task(name)
        world.serve(name, TABLE)
    (world.tasks / "iris.yaml").write_text("title: [", "utf-8")
    world.repo.data.mkdir()
    (world.repo.data / "rose.csv.gz").write_bytes(b"half")
    assert world.check() == 1
    iris, rose = capsys.readouterr().out.splitlines()
    assert (
        "pipeline/tasks/iris.yaml: not valid YAML" in iris
        and "is not a complete gzipped CSV" in rose
    )


def test_a_copy_elsewhere_is_not_taken_for_a_change(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    first, copy = (f"{world.server.url}/{name}.csv" for name in ("first", "copy"))
    world.task("iris", f"${VARIABLE}/iris.csv", first, copy)
    tables.write(world.repo.data / "iris.csv.gz", GROWN)
    world.serve("copy", TABLE)
    assert world.check() == 0 and world.told()["tasks"] == ""
    assert (
        f"iris: not there today: {first} gives nothing, and {copy}"
        in capsys.readouterr().out
    )
    world.serve("copy", GROWN)
    assert world.check() == 0 and world.told()["tasks"] == ""
    world.serve("first", TABLE)
    assert world.check() == 0 and world.told()["tasks"] == "iris"


def test_a_folder_of_ones_own_is_compared_and_starts_nothing(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.task("iris", f"${VARIABLE}/iris.csv")
    (tmp_path / "iris.csv").write_bytes(tables.to_csv(GROWN))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert world.check() == 0 and world.told()["tasks"] == ""
    assert "iris: changed, 160 rows" in capsys.readouterr().out


def test_machines_get_json(world: World, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_folder_that_is_no_checkout_is_refused(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.repo.params.unlink()
    assert world.check() == 2
    assert "is not the repository's root" in capsys.readouterr().err


@pytest.mark.slow
def test_what_was_published_is_not_found_changed_again(
    world: World, clone: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    world.task("iris")
    world.repo = clone("team")
    world.repo.params.write_text(factories.PARAMS % 1)
    commit_all(world.repo.root, "feat: flowers")
    git(world.repo.root, "push", "--quiet")
    world.serve("iris", GROWN)
    assert world.check() == 0
    (name,) = world.told()["tasks"].split()
    bundle = world.repo.build / "bundle"
    train(world.repo, [name], bundle, refresh=True)
    publish(world.repo, bundle, "origin", "main")
    assert world.check() == 0 and world.told()["tasks"] == "iris"  # not pulled yet
    git(world.repo.root, "pull", "--quiet")
    assert world.check() == 0 and world.told()["tasks"] == ""
