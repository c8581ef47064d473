"""`params.yaml`: an unknown key or a bad value is refused with its path."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import UsageError
from pipeline.repo import Repo
from pipeline.train import settings
from tests.paths import ROOT

Content = dict[str, Any]


def _repo(folder: Path, content: Content | str) -> Repo:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (folder / "params.yaml").write_text(text)
    return Repo.open(folder)


def _candidates(content: Content) -> Content:
    section: Content = content["tasks"]["housing"]
    candidates: Content = section["candidates"]
    return candidates


BAD: list[tuple[Callable[[Content], Any], str]] = [
    (
        lambda c: _candidates(c)["random_forest"].update(n_estimator=5),
        (
            "tasks.housing.candidates.random_forest.n_estimator: unknown key; "
            "did you mean n_estimators?"
        ),
    ),
    (lambda c: c.update(sead=1), "sead: unknown key; did you mean seed?"),
    (
        lambda c: c["tasks"]["iris"].update(fold=3),
        "tasks.iris.fold: unknown key; did you mean folds?",
    ),
    (
        lambda c: c["tasks"].update(hausing=c["tasks"]["housing"]),
        "tasks.hausing: unknown task; did you mean housing?",
    ),
    (
        lambda c: _candidates(c).update(randomforest={}),
        (
            "tasks.housing.candidates.randomforest: unknown algorithm; did you mean"
            " random_forest?"
        ),
    ),
    (
        lambda c: _candidates(c).update(logistic_regression={}),
        "tasks.housing.candidates.logistic_regression: unknown algorithm; ",
    ),
    (
        lambda c: c["tasks"]["credit"]["candidates"].update(linear_discriminant={}),
        "tasks.credit.candidates.linear_discriminant: unknown algorithm; ",
    ),
    (
        lambda c: _candidates(c)["dummy"].update(strategy="mean"),
        "tasks.housing.candidates.dummy.strategy: unknown key; none is allowed here",
    ),
    (
        lambda c: _candidates(c)["random_forest"].update(random_state=5),
        "tasks.housing.candidates.random_forest.random_state: unknown key; ",
    ),
    (
        lambda c: c["tasks"]["credit"].update(exclude=["foreign_workers"]),
        (
            "tasks.credit.exclude.foreign_workers: unknown feature; did you mean"
            " foreign_worker?"
        ),
    ),
    (
        lambda c: c["tasks"]["iris"].update(
            exclude=["sepal_length", "sepal_width", "petal_length", "petal_width"]
        ),
        "tasks.iris.exclude: every feature is excluded",
    ),
    (
        lambda c: c["tasks"]["iris"].update(folds=1),
        "tasks.iris.folds: Input should be greater",
    ),
    (lambda c: c["tasks"]["iris"].update(candidates={}), "tasks.iris.candidates: "),
    (
        lambda c: c["tasks"]["housing"].update(row_limits={"random_florest": 10}),
        (
            "tasks.housing.row_limits.random_florest: unknown candidate; did you mean"
            " random_forest?"
        ),
    ),
    (
        lambda c: c["tasks"]["housing"].update(row_limits={"dummy": 0}),
        "tasks.housing.row_limits.dummy: Input should be greater",
    ),
    (
        lambda c: c["tasks"]["housing"].update(holdout_sample=9),
        "tasks.housing.holdout_sample: Input should be greater",
    ),
    (lambda c: c.pop("seed"), "seed: Field required"),
    (
        lambda c: c.update(holdout_share=0),
        "holdout_share: Input should be greater than 0",
    ),
]


@pytest.mark.parametrize("change, message", BAD)
def test_an_unknown_key_or_a_bad_value_is_named(
    tmp_path: Path, change: Callable[[Content], Any], message: str
) -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    change(content)
    with pytest.raises(UsageError) as caught:
        settings.load(_repo(tmp_path, content))
    assert str(caught.value).startswith(f"params.yaml: {message}")


@pytest.mark.parametrize("text", ["a: [", "a\tb: - c\n\t-", "- 1\n", ""])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="^params.yaml: ") as caught:
        settings.load(_repo(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_the_project_s_own_file_is_good() -> None:
    loaded = settings.load(Repo.open(ROOT))
    for section in loaded.tasks.values():
        assert "dummy" in section.candidates
        assert len(section.candidates) >= 2
