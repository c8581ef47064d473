"""Whatever differs between two runs is named, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from history.runfile import Run
from pipeline.reproduce.results import (
    DURATIONS,
    Results,
    compare_run,
    compare_training,
    conditions,
)
from tests.support.run_factories import run

NAMES = ("holdout_rmse", "cv_rmse_mean", *DURATIONS)
VALUES = st.dictionaries(st.sampled_from(NAMES), st.floats(allow_nan=False))
FILES = st.dictionaries(st.just("model.onnx"), st.binary(max_size=4), max_size=1)


def new_run(metrics: dict[str, float], files: dict[str, bytes] | None = None) -> Run:
    model_id = "m-" + "a" * 32 if files else ""
    return run("a" * 32, "iris", None, {"depth": "3"}, metrics, model_id, files)


@given(VALUES, FILES, VALUES, FILES)
def test_a_difference_is_named_for_each_value_that_differs(
    one: dict[str, float],
    one_file: dict[str, bytes],
    other: dict[str, float],
    other_file: dict[str, bytes],
) -> None:
    results = Results()
    compare_run(results, new_run(one, one_file), new_run(other, other_file))
    expected = set()
    for name in one.keys() | other.keys():
        differs = repr(one.get(name)) != repr(other.get(name))
        if differs and name not in DURATIONS:
            expected.add(f"metric {name}")
    if one_file != other_file:
        expected.add("model digest model.onnx")
    named = [difference.what for difference in results.differences]
    assert set(named) == expected
    assert len(named) == len(expected)


def test_a_value_that_is_not_a_number_is_equal_to_itself() -> None:
    results = Results()
    broken = new_run({"holdout_rmse": float("nan")})
    compare_run(results, broken, broken.model_copy(deep=True))
    assert results.differences == []
    assert results.counts() == ["1 metric", "1 param"]


def test_inputs_and_conditions_that_a_side_did_not_record_do_not_differ() -> None:
    tags = {
        "digest.code": "1",
        "digest.params": "2",
        "version.numpy": "2.4",
    }
    recorded = new_run({}).model_copy(update={"tags": tags})
    nothing = new_run({}).model_copy(update={"tags": {}})
    changed = {
        "digest.code": "3",
        "version.numpy": "2.5",
        "version.onnx": "1",
    }
    other = new_run({}).model_copy(update={"tags": changed})
    for again, inputs, named in (
        (nothing, [], []),
        (other, ["input code"], ["numpy"]),
    ):
        results = Results()
        compare_training(results, recorded, again)
        assert [each.what for each in results.differences] == inputs
        assert [each.what for each in conditions(recorded, again)] == named
