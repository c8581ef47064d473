"""The cards of a model say what share of the true values its intervals hold."""

from pathlib import Path

import pytest

from core.manifest import Manifest
from pipeline.repo import Repo
from pipeline.site import site as pages
from pipeline.verification import open_history
from tests.support import service
from tests.support.site_pages import Page

HEADING = "Prediction intervals"


@pytest.fixture(scope="module", autouse=True)
def models() -> None:
    """Build the models that the tests here read, unless they exist."""
    service.make()


@pytest.fixture(scope="module")
def levels() -> list[tuple[str, str, str]]:
    """Return the cells of each level of the model of houses."""
    manifest = Manifest.read(service.MODELS / "housing" / "manifest.json")
    assert manifest.intervals
    return [
        (f"{each.level} %", f"{100 * each.coverage:.1f} %", f"{each.width:.4g}")
        for each in manifest.intervals.levels
    ]


def test_the_model_card_has_a_row_for_each_level(
    levels: list[tuple[str, str, str]],
) -> None:
    card = (service.MODELS / "housing" / "MODEL_CARD.md").read_text("utf-8")
    assert f"## {HEADING}\n" in card
    assert "mean width, unit: 100,000 US$" in card
    for cells in levels:
        assert f"| {' | '.join(cells)} |\n" in card
    assert "`?interval=99`" in card
    assert "\n\n\n" not in card


def test_the_card_of_a_classification_has_none() -> None:
    card = (service.MODELS / "iris" / "MODEL_CARD.md").read_text("utf-8")
    assert HEADING not in card
    assert "\n\n\n" not in card


def test_the_page_of_a_version_has_them_too(
    levels: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    repo = Repo.open(service.REPOSITORY)
    with open_history(repo) as history:
        site = pages.write(repo, history, tmp_path).parent
    card = Page(site / "card-housing-2.html")
    assert HEADING in card.text
    for cells in levels:
        for cell in cells:
            assert cell in card.text
    assert HEADING not in Page(site / "card-iris-2.html").text
