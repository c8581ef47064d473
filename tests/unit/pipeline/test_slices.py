"""The slices in a task's file, and what is refused there with one sentence."""

import re
from pathlib import Path

import pytest

from core.errors import PipelineError
from pipeline import tasks
from pipeline.slices import Group, NamedSlice

CREDIT = (tasks.FOLDER / "credit.yaml").read_text("utf-8")
START, BEFORE, AFTER = re.split(r"(?ms)^slices:.*?^(?=sources:)", CREDIT) + [""]


def load(folder: Path, patch: pytest.MonkeyPatch, slices: str) -> None:
    """Load the task credit with other slices."""
    text = f"{START}{slices}\n{BEFORE}"
    (folder / "mine.yaml").write_text(text, "utf-8")
    patch.setattr(tasks, "FOLDER", folder)
    tasks.load("mine")


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        (
            "slices: {sex: {by: gender, groups: {a: {below: 1}}, may_lose: 0}}",
            "slices.sex.by: the task has no column gender",
        ),
        (
            "slices: {home: {by: housing, groups: {a: {categories: [tent]}}, may_lose: 0}}",
            "slices.home.groups.a: housing has no category tent; its categories: rent,"
            " own, free",
        ),
        (
            "slices: {age: {by: age, groups: {a: {categories: [old]}}, may_lose: 0}}",
            "slices.age.groups.a: age has no category old; its categories: none, as it"
            " is a number",
        ),
        (
            "slices: {home: {by: housing, groups: {a: {below: 3}}, may_lose: 0}}",
            "slices.home.groups.a: housing is not a number, so give it categories",
        ),
        (
            "slices: {sum: {by: age + housing, groups: {a: {below: 3}}, may_lose: 0}}",
            "slices.sum.by: age + housing is not a sum of numbers",
        ),
        (
            "slices: {age: {by: age, groups: {a: {below: 3}, b: {at_least: 2}}, may_lose: 0}}",
            "slices.age.groups: 2 is in two of them",
        ),
        (
            "slices: {home: {by: housing, groups: {a: {categories: [own]}, b:"
            " {categories: [own]}}, may_lose: 0}}",
            "slices.home.groups: own is in two of them",
        ),
        (
            "slices: {age: {by: age, groups: {a: {}}, may_lose: 0}}",
            "slices.age.groups.a: Value error, give it categories, or at_least and below",
        ),
        (
            "slices: {age: {by: age, groups: {a: {at_least: 3, below: 3}}, may_lose: 0}}",
            "no number is at least 3 and below 3",
        ),
        ("slices: {age: {by: age, groups: {}, may_lose: 0}}", "slices.age.groups: "),
        ("slices: {age: {by: age, groups: {a: {below: 3}}}}", "slices.age.may_lose: "),
        (
            "slices: {age: {by: age, groups: {a b: {below: 3}}, may_lose: 0}}",
            "slices.age.groups.a b.[key]: String should match pattern",
        ),
        (
            "slices: {age: {by: age, groups: {a: {below: 3}}, may_lose: 0}}\n"
            "fairness: {favourable: good, slices: [sex]}",
            "fairness.slices: the task has no slice sex",
        ),
        (
            "slices: {age: {by: age, groups: {a: {below: 3}}, may_lose: 0}}\n"
            "fairness: {favourable: good, slices: [age]}",
            "fairness.slices: age has one group, which equals itself",
        ),
        (
            "fairness: {favourable: best, slices: [age]}",
            "fairness.favourable: the target has no class best",
        ),
    ],
)
def test_a_slice_that_is_none_of_the_task_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slices: str, message: str
) -> None:
    with pytest.raises(PipelineError) as error:
        load(tmp_path, monkeypatch, slices)
    assert str(error.value).startswith("pipeline/tasks/mine.yaml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_without_slices_is_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(tmp_path, monkeypatch, "")


def test_a_target_of_numbers_may_have_bands() -> None:
    groups = {"low": Group(below=1), "high": Group(at_least=1)}
    named = NamedSlice(by="price", groups=groups, may_lose=0.5)
    named.check({"price": ()})
    assert named.columns == ["price"]
