"""The sentences of the gate's checks, none of which can be read as its opposite."""

from typing import Any

import pytest

from core.manifest import Parity
from pipeline.publish import reasons
from pipeline.publish.error_level import level


@pytest.mark.parametrize(
    ("metric", "challenger", "champion", "difference", "better", "higher", "sentence"),
    [
        (
            "roc_auc",
            0.7539,
            0.77802,
            (-0.0612, 0.00834),
            False,
            True,
            "ROC AUC 0.754 is below the champion's 0.778"
            " (95 % interval of the difference -0.0612 to 0.00834)",
        ),
        (
            "roc_auc",
            0.781,
            0.778,
            (-0.01, 0.016),
            False,
            True,
            "ROC AUC 0.781 is not significantly above the champion's 0.778"
            " (95 % interval of the difference -0.01 to 0.016)",
        ),
        (
            "rmse",
            0.6284,
            0.4454,
            (0.15, 0.21),
            False,
            False,
            "RMSE 0.628 is above the champion's 0.445"
            " (95 % interval of the difference 0.15 to 0.21; lower is better)",
        ),
        (
            "rmse",
            0.4454,
            0.44542,
            (-0.0001, -0.00001),
            True,
            False,
            "RMSE 0.4454 is below the champion's 0.44542"
            " (95 % interval of the difference -0.0001 to -1e-05; lower is better)",
        ),
        (
            "accuracy",
            0.9,
            0.9,
            (-0.1, 0.1),
            False,
            True,
            "accuracy 0.9 is equal to the champion's 0.9"
            " (95 % interval of the difference -0.1 to 0.1)",
        ),
    ],
)
def test_a_comparison_names_the_side_the_numbers_and_the_interval(
    metric: str,
    challenger: float,
    champion: float,
    difference: tuple[float, float],
    better: bool,
    higher: bool,
    sentence: str,
) -> None:
    reason = reasons.against_champion(
        metric, challenger, champion, difference, better, higher
    )
    assert reason == sentence


@pytest.mark.parametrize(
    ("p_value", "ending"),
    [
        (
            0.0002,
            "; p-value 0.0002 is below 0.00048, the level for challenger 1 of this",
        ),
        (
            0.01,
            "; p-value 0.01 is not below 0.00048, the level for challenger 1 of this",
        ),
    ],
)
def test_a_gain_has_its_p_value_and_the_level(p_value: float, ending: str) -> None:
    test = reasons.significance(p_value, level(1), 1)
    better = p_value < level(1)
    arguments = ("roc_auc", 0.79, 0.778, (0.001, 0.02), better, True)
    reason = reasons.against_champion(*arguments, test)
    side = "above" if better else "not significantly above"
    assert reason.startswith(f"ROC AUC 0.79 is {side} the champion's 0.778 (95 % ")
    assert reason.endswith(f"0.001 to 0.02{ending} champion)")


def test_a_loss_needs_no_p_value() -> None:
    test = reasons.significance(0.9, 0.001, 1)
    arguments = ("rmse", 0.5, 0.4, (0.05, 0.15), False, False)
    without = reasons.against_champion(*arguments)
    assert reasons.against_champion(*arguments, test) == without


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("roc_auc", 0.65, 0.7, True),
            "ROC AUC 0.65 is below the required minimum of 0.7",
        ),
        (
            ("roc_auc", 0.75, 0.7, True),
            "ROC AUC 0.75 meets the required minimum of 0.7",
        ),
        (("rmse", 0.65, 0.6, False), "RMSE 0.65 is above the allowed maximum of 0.6"),
        (("rmse", 0.55, 0.6, False), "RMSE 0.55 is within the allowed maximum of 0.6"),
        (
            ("mae", 0.60001, 0.6, False),
            "MAE 0.60001 is above the allowed maximum of 0.6",
        ),
        (("pinball", 2.0, 1.0, False), "pinball 2 is above the allowed maximum of 1"),
    ],
)
def test_a_threshold_is_met_or_missed_in_the_sentence_itself(
    arguments: Any, sentence: str
) -> None:
    assert reasons.threshold(*arguments) == sentence


def test_the_parity_says_whether_file_and_estimator_agree() -> None:
    good = Parity(rows=600, mismatches=0, largest_difference=2e-6, tolerance=1e-4)
    bad = Parity(rows=600, mismatches=7, largest_difference=0.25, tolerance=1e-4)
    assert reasons.parity(good) == (
        "the ONNX file agrees with the estimator on all 600 hold-out rows to within"
        " 0.0001 (the largest difference is 2e-06)"
    )
    assert reasons.parity(bad) == (
        "the ONNX file differs from the estimator by more than 0.0001 on 7 of 600"
        " hold-out rows (the largest difference is 0.25)"
    )


def test_the_budgets_say_whether_they_are_kept() -> None:
    assert reasons.size(1000, 2000) == (
        "the ONNX file has 1,000 bytes, which is within the budget of 2,000 bytes"
    )
    assert reasons.size(3000, 2000) == (
        "the ONNX file has 3,000 bytes, which is over the budget of 2,000 bytes"
    )
    assert reasons.latency(0.1, 1.0) == (
        "the time of one prediction is within the budget of 1 ms"
    )
    assert reasons.latency(2.5, 1.0) == (
        "one prediction takes 2.5 ms, which is over the budget of 1 ms"
    )
