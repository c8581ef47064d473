"""What `pipeline train` refuses, and tasks whose data are not available."""

import dataclasses
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.schema import Source
from pipeline.slices import Group, NamedSlice
from pipeline.tasks import readers
from pipeline.train.train import train
from tests.support import factories
from tests.unit.pipeline.train.checkout import (
    DEAD,
    bundle_folder,
    new_checkout,
    replace_housing,
    write_params,
)


def replace_sources(patch: pytest.MonkeyPatch, *sources: Source) -> None:
    """Give housing other sources."""
    task = dataclasses.replace(tasks.load("housing"), sources=sources)
    replace_housing(patch, task)


def test_a_folder_that_is_not_a_bundle_is_not_replaced(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="mine holds something else than a bundle"):
        train(repo, ["iris"], mine)


def test_a_slice_with_too_few_rows_is_named_before_anything_is_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = new_checkout(tmp_path / "checkout")
    write_params(repo.root, "iris")
    widest = NamedSlice(
        by="sepal_width", groups={"wide": Group(at_least=5)}, may_lose=0.1
    )
    iris = dataclasses.replace(tasks.load("iris"), slices={"width": widest})
    monkeypatch.setattr(tasks, "load", lambda name: iris)
    with pytest.raises(PipelineError) as error:
        train(repo, ["iris"], bundle_folder(repo))
    assert str(error.value) == (
        "iris: slices.width.groups.wide has 0 of the 37 rows held out, but 20 are"
        " needed: bring more rows, or change the group in pipeline/tasks/iris.yaml."
    )
    assert not bundle_folder(repo).exists()


def test_unknown_and_missing_tasks_are_named(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    with pytest.raises(UsageError, match="there is no task 'wine'"):
        train(repo, ["wine"], bundle_folder(repo))
    with pytest.raises(UsageError, match=r"params.yaml: tasks\.credit: is missing"):
        train(repo, ["credit"], bundle_folder(repo))


@pytest.mark.parametrize(
    ("names", "params", "message"),
    [
        (["wine"], None, "there is no task 'wine'"),
        ([], "seed: a lot\n", "params.yaml: seed"),
    ],
)
def test_a_refused_training_leaves_no_bundle_of_an_older_one(
    tmp_path: Path, names: list[str], params: str | None, message: str
) -> None:
    repo = new_checkout(tmp_path / "checkout")
    folder = bundle_folder(repo)
    factories.bundle(folder, "a" * 40, {"iris": 0.1})
    if params:
        repo.params.write_text(params, "utf-8")
    with pytest.raises(UsageError, match=message):
        train(repo, names, folder)
    with pytest.raises(UsageError, match="has no finished bundle"):
        bundles.read(folder)
    assert not list(repo.build.glob(".part-*"))


def test_a_named_task_without_data_ends_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", "")
    local = Source("$SCIKIT_LEARN_DATA/cal_housing_py3.pkz", readers.housing_folder)
    replace_sources(monkeypatch, local, DEAD)
    repo = new_checkout(tmp_path / "checkout")
    folder = bundle_folder(repo)
    # The bundle of an earlier training.
    factories.bundle(folder, "a" * 40, {"iris": 0.1})
    message = "housing: no source has its data .SCIKIT_LEARN_DATA"
    with pytest.raises(PipelineError, match=message):
        train(repo, ["housing"], folder)
    assert not folder.exists()
    assert not list(repo.build.glob(".part-*"))


@pytest.mark.slow
def test_a_task_without_data_does_not_stop_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace_sources(monkeypatch, DEAD)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repo = new_checkout(tmp_path / "checkout")
    bundle = train(repo, [], bundle_folder(repo))
    assert list(bundle.tasks) == ["iris"]
    written = bundles.read(bundle_folder(repo))
    assert written.waiting == {"housing": "127.0.0.1 (cannot be reached)"}
    title = "::notice title=housing waits for its data::"
    message = "it is not trained: housing: no source"
    assert title + message in capsys.readouterr().out


def test_a_training_without_any_data_names_what_each_task_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    replace_sources(monkeypatch, DEAD)
    repo = new_checkout(tmp_path / "checkout")
    write_params(repo.root, "housing")
    with pytest.raises(PipelineError) as caught:
        train(repo, [], bundle_folder(repo))
    message = str(caught.value)
    assert message.startswith(
        "nothing was trained, since no data can be had: waiting are housing for"
        " 127.0.0.1 "
    )
    assert "pipeline data add" in message
    assert not bundle_folder(repo).exists()
