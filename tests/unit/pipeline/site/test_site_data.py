"""The page of a task's data, after a champion that was trained on another table."""

import json
from pathlib import Path

import pytest

from core.manifest import TrainedManifest
from history import Promotion
from pipeline.repo import Repo
from pipeline.site import site as pages
from pipeline.site.data_profile import Column, ModelVersion, columns, tables
from tests.paths import ROOT
from tests.support.history_factories import add_run, model_id, new_workspace, promote
from tests.support.json_content import Json
from tests.support.site_pages import Page, read_data

MANIFEST = ROOT / "deployment" / "models" / "credit" / "manifest.json"

pytestmark = pytest.mark.skipif(
    not MANIFEST.is_file(), reason="this copy has no model of credit"
)


def manifest(digest: str, **shares: list[float]) -> bytes:
    """Return a manifest with another table.

    Args:
        shares: new shares of categories, by feature.
    """
    content: Json = json.loads(MANIFEST.read_text("utf-8"))
    content["data"]["digest"] = digest
    for name, values in shares.items():
        content["reference"]["features"][name]["shares"] = values
    return json.dumps(content).encode()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the site of three versions, of which the last has another table."""
    workspace = new_workspace(tmp_path / "copy")
    manifests = [
        manifest("a" * 64),
        manifest("a" * 64),
        manifest("b" * 64, telephone=[0.1, 0.9]),
    ]
    for number, content in enumerate(manifests):
        files = {"model.onnx": b"onnx", "manifest.json": content}
        digest = json.loads(content)["data"]["digest"]
        parent = add_run(
            workspace.mlruns,
            experiment="credit",
            tags={
                "gate": "promoted",
                "gate.reason": "",
                "digest.data": digest,
            },
            metrics={"rows_train": [(803, 0, 0)], "rows_holdout": [(197, 0, 0)]},
            started=1_795_000_000_000 + number,
        )
        run = add_run(
            workspace.mlruns,
            models={model_id(): files},
            experiment="credit",
            parent=parent.run_id,
        )
        promote(workspace, run, "credit", metrics={"roc_auc": 0.8})
    with workspace.history() as history:
        folder = tmp_path / "site"
        return pages.write(Repo(workspace.root), history, folder).parent


def test_the_page_shows_what_changed(site: Path) -> None:
    page = Page(site / "data-credit.html")
    assert "Drift is the population stability index" in page.text
    # Two tables, the newest first: one push with the second, and two with the first.
    text = page.text
    assert text.index("b" * 12) < text.index("a" * 12)
    assert text.count(" 1,000 ") == 2
    earlier, newest = read_data(site, "credit/profile")
    assert earlier["title"].startswith("v1, ")
    assert newest["title"].startswith("v3, ")
    assert dict(newest["features"])["telephone"]["shares"] == [0.1, 0.9]


def promotion(version: int) -> Promotion:
    return Promotion(
        format=1,
        model="credit",
        version=version,
        run_id="c" * 32,
        model_id="m-" + "c" * 32,
        sha256="c" * 64,
        size=1,
        promoted=1_795_000_000_000,
        commit="c" * 40,
        decided_by="gate",
        reason="better",
        checks=[],
        metrics={},
        replaces=None,
    )


def columns_of(*contents: bytes) -> dict[str, Column]:
    """Return the columns of the newest table of some versions, by name."""
    cards = []
    for content in contents:
        trained = TrainedManifest.model_validate_json(content)
        cards.append(ModelVersion(promotion(len(cards) + 1), trained))
    return {column.feature.name: column for column in columns(tables(cards))}


def test_only_what_moved_has_drift() -> None:
    moved = columns_of(manifest("a"), manifest("b", telephone=[0.1, 0.9]))
    for name, column in moved.items():
        assert column.drift is not None
        if name == "telephone":
            assert column.drift > 0.5
        else:
            assert column.drift == pytest.approx(0, abs=0.01)


def test_one_table_has_no_drift() -> None:
    same = columns_of(manifest("a"), manifest("a", telephone=[0.1, 0.9]))
    assert {column.drift for column in same.values()} == {None}
