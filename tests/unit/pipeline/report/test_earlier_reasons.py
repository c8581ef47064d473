"""Reasons that earlier versions of the gate wrote, in the present wording."""

import pytest

from pipeline.publish import reasons
from pipeline.report.earlier_reasons import reword

COMPARISON = (
    "roc_auc 0.7539 against the champion's 0.778;"
    " 95 % interval of the gain -0.06129 to 0.008463"
)


@pytest.mark.parametrize(
    ("earlier", "present"),
    [
        ("there is no champion yet", reasons.NO_CHAMPION),
        (
            "better than champion: it is the champion's very file, a tie",
            reasons.SAME_FILE,
        ),
        (
            f"better than champion: {COMPARISON}",
            "ROC AUC 0.754 is below the champion's 0.778"
            " (95 % interval of the difference -0.0613 to 0.00846)",
        ),
        (
            "rmse 0.4454 against the champion's 0.477;"
            " 95 % interval of the gain 0.02347 to 0.03974",
            "RMSE 0.445 is below the champion's 0.477"
            " (95 % interval of the difference -0.0397 to -0.0235; lower is better)",
        ),
        (
            "threshold rmse: 0.6284, required at most 0.5;"
            " threshold r2: 0.7039, required at least 0.8",
            "RMSE 0.628 is above the allowed maximum of 0.5;"
            " R² 0.704 is below the required minimum of 0.8",
        ),
        (
            "better than champion: the champion needs age",
            "not better than the champion: the champion needs age",
        ),
    ],
)
def test_an_earlier_reason_is_reworded(earlier: str, present: str) -> None:
    assert reword(earlier) == present


@pytest.mark.parametrize(
    "reason",
    [
        reasons.NO_CHAMPION,
        reasons.SAME_FILE,
        reasons.against_champion("rmse", 0.4, 0.5, (-0.2, -0.1), True, False),
        reasons.threshold("roc_auc", 0.65, 0.7, True),
        "v2 is under review: too low for houses at the coast",
    ],
)
def test_a_present_reason_and_one_of_a_person_stay_as_they_are(reason: str) -> None:
    assert reword(reason) == reason
