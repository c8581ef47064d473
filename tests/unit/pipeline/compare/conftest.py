"""Two versions of iris that were trained at two commits, for tests that only read."""

import pytest

from tests.support.trained_runs import LARGER, SMALL, TrainedRuns
from tests.unit.pipeline.compare.versions import Versions


@pytest.fixture(scope="package")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """A history with two versions, and a run that was not promoted."""
    runs = TrainedRuns(tmp_path_factory.mktemp("compare") / "checkout")
    trained_at = [runs.head]
    _, first = runs.train(SMALL)
    runs.promote(first)
    published_at = [runs.commit("chore: publish v1")]
    _, unpromoted = runs.train({"n_estimators": 2}, keep=False)
    trained_at.append(runs.commit("feat: a larger forest"))
    _, second = runs.train(LARGER)
    runs.promote(second)
    published_at.append(runs.commit("chore: publish v2"))
    return Versions(runs, first, second, unpromoted, trained_at, published_at)
