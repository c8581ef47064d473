"""A study suggests the same parameters again, and prunes what is worse than the median."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.search.study import RANDOM_TRIALS, SearchStudy
from pipeline.search.trial import COMPLETE, FAILED, Trial
from pipeline.search_settings import Search

SPACE: dict[str, Any] = {
    "x": {"low": 0.0, "high": 1.0},
    "depth": {"low": 2, "high": 5},
    "kind": ["one", "two"],
}
BASE: dict[str, Any] = {
    "x": 0.5,
    "depth": 3,
    "kind": "one",
    "kept": 7,
}


def study_of(base: dict[str, Any] = BASE, pruner: str = "median") -> SearchStudy:
    search = Search.model_validate({"space": {"any": SPACE}, "pruner": pruner})
    return SearchStudy(
        search.space["any"], base, search, higher_is_better=False, seed=3
    )


def loss(sampled: dict[str, Any]) -> float:
    return float((sampled["x"] - 0.25) ** 2 + (sampled["depth"] - 4) ** 2)


def run(study: SearchStudy, count: int, batch: int = 4) -> None:
    while len(study.trials) < count:
        for sampled in study.suggest(min(batch, count - len(study.trials))):
            trial = Trial(
                number=len(study.trials),
                sampled=sampled,
                parameters=study.parameters(sampled),
                folds=[loss(sampled)] * 2,
                state=COMPLETE,
            )
            study.add(trial)


def test_a_study_that_was_interrupted_goes_on_as_if_it_had_not_been() -> None:
    whole = study_of()
    run(whole, 24)
    first = study_of()
    run(first, 12)
    second = study_of()
    for trial in first.trials:
        kept = trial.model_dump_json()
        second.add(Trial.model_validate_json(kept))
    run(second, 24)
    assert second.trials == whole.trials


def test_the_first_trial_has_the_parameters_of_the_candidate() -> None:
    study = study_of()
    first, second = study.suggest(2)
    assert study.parameters(first) == BASE
    assert study.parameters(second)["kept"] == 7


@pytest.mark.parametrize(
    "base",
    [
        {},
        {"x": 0.5},
        BASE | {"x": 2.0},
    ],
)
def test_parameters_outside_of_the_space_are_not_tried(base: dict[str, Any]) -> None:
    (first,) = study_of(base).suggest(1)
    assert 0 <= first["x"] <= 1
    assert study_of(base).parameters(first)["depth"] in (2, 3, 4, 5)


def test_the_best_gets_better_than_random() -> None:
    study = study_of()
    run(study, 40)
    best = study.best
    assert best
    assert best.parameters["depth"] == 4
    assert best.mean < 0.01
    means = [trial.mean for trial in study.by_quality()]
    assert means == sorted(means)


def test_a_trial_that_is_worse_than_the_median_is_pruned() -> None:
    sampled = {
        "x": 0.5,
        "depth": 3,
        "kind": "one",
    }
    study = study_of()
    assert not study.is_hopeless(sampled, [99.0])
    run(study, RANDOM_TRIALS + 2)
    assert study.is_hopeless(sampled, [99.0])
    assert not study.is_hopeless(sampled, [0.0])
    unpruned = study_of(pruner="none")
    run(unpruned, RANDOM_TRIALS + 2)
    assert not unpruned.is_hopeless(sampled, [99.0])


def test_a_failed_trial_is_never_the_best() -> None:
    study = study_of()
    (sampled,) = study.suggest(1)
    failed = Trial(
        number=0, sampled=sampled, parameters={}, folds=[], state=FAILED, failure="why"
    )
    study.add(failed)
    assert study.best is None
    run(study, 4)
    assert study.best


@pytest.mark.parametrize(
    "dimension, sentence",
    [
        ({"low": 3, "high": 3}, "low 3 is not below high 3"),
        ({"low": 0, "high": 3, "log": True}, "low 0 is not above 0"),
        (["one"], "at least 2 items"),
    ],
)
def test_a_dimension_without_a_choice_is_refused(dimension: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Search.model_validate({"space": {"any": {"x": dimension}}})
