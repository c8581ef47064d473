"""The card of a model whose task has slices, among the pages of the history."""

import json
from pathlib import Path

import pytest

from pipeline import tasks
from pipeline.repo import Repo
from pipeline.site import site as pages
from tests.paths import ROOT
from tests.support import manifest_groups
from tests.support.history_factories import add_run, model_id, new_workspace, promote
from tests.support.json_content import Json
from tests.support.site_pages import Page
from tests.unit.pipeline.site.page_checks import check_page

MANIFEST = ROOT / "deployment" / "models" / "credit" / "manifest.json"
CARD = "card-credit-1.html"
METRICS = {"roc_auc": 0.8, "roc_auc_corrected": 0.7943}

pytestmark = pytest.mark.skipif(
    not MANIFEST.is_file(), reason="this copy has no model of credit"
)


def site_of(folder: Path, manifest: Json) -> Path:
    """Return the site of one version of credit."""
    workspace = new_workspace(folder / "copy")
    content = json.dumps(manifest).encode()
    parent = add_run(
        workspace.mlruns,
        experiment="credit",
        tags={"gate": "promoted", "gate.reason": ""},
    )
    run = add_run(
        workspace.mlruns,
        models={model_id(): {"model.onnx": b"onnx", "manifest.json": content}},
        experiment="credit",
        parent=parent.run_id,
    )
    promote(workspace, run, "credit", metrics=METRICS)
    with workspace.history() as history:
        return pages.write(Repo(workspace.root), history, folder / "site").parent


def test_a_card_shows_the_groups_and_how_alike_they_are_treated(
    tmp_path: Path,
) -> None:
    manifest = json.loads(MANIFEST.read_bytes())
    manifest |= manifest_groups.of(tasks.load("credit"), 0.8125)
    page = Page(site_of(tmp_path, manifest) / CARD)
    check_page(page, CARD)
    assert "Groups of the held-out rows" in page.text
    for group in ("female", "male", "up_to_25", "from_26_to_40", "over_40"):
        assert group in page.text
    assert "0.8125 to 0.8125" in page.text
    assert "Differences between the groups" in page.text
    assert "0.125" in page.text
    assert "0.250" in page.text
    assert "The corrected roc_auc is without this luck." in page.text
    assert "0.7943" in page.text


def test_a_card_from_before_slices_has_no_part_of_them(tmp_path: Path) -> None:
    manifest = json.loads(MANIFEST.read_bytes())
    for key in ("groups", "fairness"):
        manifest.pop(key, None)
    page = Page(site_of(tmp_path, manifest) / CARD)
    check_page(page, CARD)
    assert "Groups of the held-out rows" not in page.text
    assert "Differences between the groups" not in page.text
