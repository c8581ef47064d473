"""The invented history of `nox -s bench -- site`."""

from pathlib import Path

import pytest

from history import History
from tests.paths import ROOT
from tools.bench import site


@pytest.mark.skipif(
    not (ROOT / "mlruns" / "registry" / "housing").is_dir(),
    reason="this copy has no history of housing",
)
def test_the_history_has_as_many_runs_as_asked_for(tmp_path: Path) -> None:
    real = len(History.open(ROOT / "mlruns"))
    repo = site.make_history(tmp_path / "history", runs=real + 30)
    history = History.open(repo.mlruns)
    count = len(history)
    assert real + 30 <= count < real + 60
    champion = history.champion("housing")
    assert champion
    assert champion.run_id in site.addresses(repo)["a run"]
    for run in history.newest(40):
        assert run.status == "FINISHED"
