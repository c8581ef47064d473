"""Each kind of damage to a `run.json` is reported with its file."""

import shutil
from pathlib import Path

import pytest

from tests.support.history_factories import DAY_MS, STARTED, add_run
from tests.support.promoted_history import Damage, PromotedHistory

DAMAGES = {
    "a truncated run.json": Damage(
        lambda history: (history.run_file).write_text(
            (history.run_file).read_text("utf-8")[:200]
        ),
        "{folder}/run.json",
        "is not whole JSON",
    ),
    "an edited run.json": Damage(
        lambda history: history.edit(history.run_file, name="better"),
        "{folder}/run.json",
        "was edited",
    ),
    "an unknown key": Damage(
        lambda history: history.edit(history.run_file, colour="red"),
        "{folder}/run.json",
        "colour: Extra inputs",
    ),
    "JSON of another program": Damage(
        lambda history: (history.run_file).write_text('{"some": "thing"}'),
        "{folder}/run.json",
        "is not a run of this project",
    ),
    "the run of another folder": Damage(
        lambda history: history.edit(history.run_file, run_id="0" * 32),
        "{folder}/run.json",
        "not the one its folder names",
    ),
    "an old format version": Damage(
        lambda history: history.edit(history.run_file, format=0),
        "{folder}/run.json",
        "has format version 0; this program reads version 1",
    ),
    "a metric that is not a number": Damage(
        lambda history: history.edit(
            history.run_file, metrics={"rmse": [["much", 1, 0]]}
        ),
        "{folder}/run.json",
        "metrics.rmse.0.0: Input should be a valid number",
    ),
    "another experiment": Damage(
        lambda history: history.edit(history.run_file, experiment="iris"),
        "{folder}/run.json",
        "belongs in iris/",
    ),
    "another day": Damage(
        lambda history: history.edit(history.run_file, started=STARTED - DAY_MS),
        "{folder}/run.json",
        "belongs in housing/",
    ),
    "a path of this machine": Damage(
        lambda history: history.edit(
            history.run_file, tags={"where": "file:///home/ann/x"}
        ),
        "{folder}/run.json",
        "'file:///home/ann/x' is the path of a file on one machine",
    ),
    "a path that leaves the folder": Damage(
        lambda history: history.edit(
            history.run_file,
            artifacts=[{"path": "../../x", "sha256": "0" * 64, "size": 1}],
        ),
        "{folder}/run.json",
        "artifacts.0.path: '../../x' is not a path within the folder",
    ),
    "a listed name that Windows reserves": Damage(
        lambda history: history.edit(
            history.run_file,
            artifacts=[{"path": "nul", "sha256": "0" * 64, "size": 1}],
        ),
        "{folder}/run.json",
        "artifacts.0.path: 'nul' has a name that Windows reserves for a device.",
    ),
    "a missing run.json": Damage(
        lambda history: (history.run_file).unlink(),
        "{folder}/run.json",
        "cannot be read",
    ),
    "a missing parent": Damage(
        lambda history: shutil.rmtree(history.folder_of(history.parent.run_id)),
        "{folder}/run.json",
        "its parent run",
    ),
    "a model of another run": Damage(
        lambda history: add_run(
            history.repo.mlruns, model_inputs=[f"m-{'0' * 32}"], run_id="0" * 32
        ),
        f"mlruns/housing/2026-11-18/{'0' * 32}/run.json",
        "which no run lists",
    ),
    "one model in two runs": Damage(
        lambda history: add_run(
            history.repo.mlruns,
            models={history.run.models[0].model_id: {}},
            started=STARTED + DAY_MS,
        ),
        "mlruns/housing/2026-11-19/",
        "which another run lists",
    ),
    "a run twice": Damage(
        lambda history: add_run(
            history.repo.mlruns, run_id=history.parent.run_id, started=STARTED + DAY_MS
        ),
        "mlruns/housing/2026-11-19/{parent}",
        "the same run lies in mlruns/housing/2026-11-18/{parent} too",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_reported_with_its_file(
    tmp_path: Path, damage: Damage
) -> None:
    damage.check(PromotedHistory(tmp_path / "clone"))
