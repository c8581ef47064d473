"""Each kind of damage to promotions and models in service is reported with its file."""

import shutil
from pathlib import Path

import pytest

from tests.support.history_factories import promote
from tests.support.promoted_history import Damage, PromotedHistory

DAMAGES = {
    "a promoted model without files": Damage(
        lambda history: shutil.rmtree(history.model),
        "mlruns/registry/housing/1.json",
        "the files of its model",
    ),
    "a promoted run that is gone": Damage(
        lambda history: shutil.rmtree(history.folder),
        "mlruns/registry/housing/1.json",
        "its run {run} is not there",
    ),
    "an edited promotion": Damage(
        lambda history: history.edit(history.promotion_file, reason="fine"),
        "mlruns/registry/housing/1.json",
        "was edited",
    ),
    "a promotion of another file": Damage(
        lambda history: promote(history.repo, history.run, sha256="0" * 64),
        "mlruns/registry/housing/2.json",
        "promotes another model.onnx than its run lists",
    ),
    "a promotion out of order": Damage(
        lambda history: promote(history.repo, history.run, replaces=None),
        "mlruns/registry/housing/2.json",
        "replaces version None",
    ),
    "JSON that is not a promotion": Damage(
        lambda history: history.promotion_file.write_text("{}"),
        "mlruns/registry/housing/1.json",
        "is not a promotion of this project",
    ),
    "a metric of a promotion that is not finite": Damage(
        lambda history: history.edit(history.promotion_file, metrics={"rmse": "NaN"}),
        "mlruns/registry/housing/1.json",
        "metrics.rmse: Input should be a finite number",
    ),
    "a gap in the registry": Damage(
        lambda history: history.delete_version_2_of_3(),
        "mlruns/registry/housing",
        "version 2 is missing although 3.json is there",
    ),
    "another file in the registry": Damage(
        lambda history: (
            history.repo.mlruns / "registry" / "housing" / "latest"
        ).write_text("1"),
        "mlruns/registry/housing/latest",
        "does not belong to the history",
    ),
    "another model in service": Damage(
        lambda history: (history.repo.models / "housing" / "model.onnx").write_bytes(
            b"other"
        ),
        "deployment/models/housing/model.onnx",
        "is not the champion, version 1",
    ),
    "a missing model in service": Damage(
        lambda history: shutil.rmtree(history.repo.models),
        "deployment/models/housing/model.onnx",
        "is not the champion, version 1",
    ),
    "another manifest": Damage(
        lambda history: history.edit(
            history.repo.models / "housing" / "manifest.json", version=7
        ),
        "deployment/models/housing/manifest.json",
        "does not name the champion",
    ),
    "a damaged manifest": Damage(
        lambda history: (history.repo.models / "housing" / "manifest.json").write_text(
            "[]"
        ),
        "deployment/models/housing/manifest.json",
        "is not there or not a manifest",
    ),
    "a model without a promotion": Damage(
        lambda history: (history.repo.models / "iris").mkdir(),
        "deployment/models/iris",
        "is in service without a promotion",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_registry_is_reported_with_its_file(
    tmp_path: Path, damage: Damage
) -> None:
    damage.check(PromotedHistory(tmp_path / "clone"))
