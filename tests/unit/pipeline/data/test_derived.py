"""Definitions of derived features: what is accepted, and one sentence for the rest."""

import dataclasses

import pytest

from pipeline import tasks
from pipeline.data import derived
from pipeline.data.derived import Arithmetic, DerivedFeature, Distance

HOUSING = tasks.load("housing")
PLACES = {"coast": ((36.0, -121.5), (34.0, -119.0))}


def test_sums_ratios_and_distances_are_parsed() -> None:
    definitions = {
        "NorthEast": "Latitude + Longitude",
        "Share": "AveBedrms/AveRooms",
        "Coast": "distance(Latitude, Longitude, coast)",
    }
    assert derived.parse(definitions, PLACES) == [
        DerivedFeature("NorthEast", Arithmetic("Latitude", "+", "Longitude")),
        DerivedFeature("Share", Arithmetic("AveBedrms", "/", "AveRooms")),
        DerivedFeature("Coast", Distance("Latitude", "Longitude", PLACES["coast"])),
    ]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("log(MedInc)", "derived.New: 'log(MedInc)' is neither `a + b`"),
        ("MedInc + 1", "is neither"),
        ("distance(Latitude, Longitude, sea)", "no places 'sea'; choose from coast"),
        ("MedInc / Rooms", "Rooms is not a numeric feature; choose from MedInc"),
        ("AveRooms / MedInc", "derived.New: MedInc may be 0"),
    ],
)
def test_a_wrong_definition_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="derived.New") as caught:
        dataclasses.replace(HOUSING, derived={"New": text}, places=PLACES)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["MedInc", "MedHouseVal", "of a new kind"])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="choose a new name"):
        dataclasses.replace(HOUSING, derived={name: "MedInc + HouseAge"})


def test_a_category_is_no_number() -> None:
    credit = tasks.load("credit")
    with pytest.raises(ValueError, match="purpose is not a numeric feature"):
        dataclasses.replace(credit, derived={"New": "purpose * age"})


def test_an_excluded_feature_takes_along_what_is_computed_from_it() -> None:
    features = HOUSING.derived_features
    assert derived.without(features, ["Latitude"]) == []
    assert derived.without(features, ["MedInc"]) == features
    kept = derived.without(features, ["CoastDistance"])
    assert len(kept) == len(features) - 1
