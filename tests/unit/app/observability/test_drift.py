"""Windows of predictions beside the reference, on models of the repository."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog, Row
from app.routes import drift
from app.serving.model import Model
from app.serving.validation import Record
from app.settings import Settings
from tests.support.service import MODELS


@pytest.fixture(scope="module")
def iris() -> Model:
    return Model(MODELS / "iris")


def sample(model: Model, count: int, seed: int = 0) -> list[Record]:
    """Return records whose every feature is distributed as in the reference."""
    rng, records = np.random.default_rng(seed), [dict[str, Any]() for _ in range(count)]
    for name, found in model.manifest.reference.features.items():
        inner = np.array(found.edges)
        middles = [inner[0], *((inner[1:] + inner[:-1]) / 2), inner[-1] + 0.01]
        shares = np.array(found.shares) / sum(found.shares)
        for record, value in zip(
            records, rng.choice(middles, count, p=shares), strict=True
        ):
            record[name] = float(value)
    return records


def rows(model: Model, records: list[Record]) -> list[Row]:
    """Return records as the log has them, newest first."""
    about = (model.manifest.task, model.manifest.version, model.manifest.run_id)
    answers = model.predict(records)
    made = [
        Row(place, float(place), f"r-{place}", *about, record, answer, None)
        for place, (record, answer) in enumerate(zip(records, answers, strict=True))
    ]
    return made[::-1]


def test_what_is_like_the_reference_has_not_drifted(iris: Model) -> None:
    found = drift.measure(iris, rows(iris, sample(iris, 2000)))
    # The features are drawn one by one here: the predictions of such flowers are
    # others.
    assert [name for name in found.drifted if not name.startswith("prediction")] == []
    assert [window.rows for window in found.windows] == [1000, 1000]
    assert all(
        part.psi is not None and part.psi < 0.05 for part in found.features.values()
    )
    assert sum(found.features["petal_width"].shares or []) == pytest.approx(1)


def test_a_feature_that_moves_is_named(iris: Model) -> None:
    records = sample(iris, 2000)
    for record in records:
        record["sepal_width"] = min(5.5, float(record["sepal_width"]) + 0.4)
    found = drift.measure(iris, rows(iris, records))
    assert found.verdict == "drift" and "sepal_width" in found.drifted
    assert not {"sepal_length", "petal_length", "petal_width"} & {*found.drifted}


def test_one_window_alone_is_no_drift(iris: Model) -> None:
    records = sample(iris, 2000)
    for record in records[1000:]:
        record["sepal_width"] = 4.4
    found = drift.measure(iris, rows(iris, records))
    newest, before = found.windows
    assert "sepal_width" in newest.drifted and "sepal_width" not in before.drifted
    assert "sepal_width" not in found.drifted
    assert newest.since > before.until


@pytest.mark.parametrize(
    ("count", "windows", "verdict"),
    [
        (0, [], "few"),
        (299, [], "few"),
        (300, [300], "few"),
        (599, [300], "few"),
        (600, [300] * 2, "drift"),
    ],
)
def test_few_rows_give_no_verdict(
    iris: Model, count: int, windows: list[int], verdict: str
) -> None:
    found = drift.measure(iris, rows(iris, sample(iris, count) if count else []))
    assert [window.rows for window in found.windows] == windows
    assert verdict in found.verdict and found.rows == count
    assert (found.features["petal_width"].psi is None) == (not windows)


def test_smaller_windows_have_higher_thresholds(iris: Model) -> None:
    small, large = (
        drift.measure(iris, rows(iris, sample(iris, n))) for n in (1900, 2000)
    )
    for name in small.features:
        assert (small.features[name].threshold or 0) > (
            large.features[name].threshold or 9
        )


def test_a_manifest_without_thresholds_gives_no_verdict(iris: Model) -> None:
    bare = Model(MODELS / "iris")
    reference = bare.manifest.reference.model_copy(update={"thresholds": {}})
    bare.manifest = bare.manifest.model_copy(update={"reference": reference})
    found = drift.measure(bare, rows(bare, sample(bare, 2000)))
    assert found.verdict == "no thresholds" and found.drifted == []
    assert found.features["petal_width"].psi is not None


def test_the_log_gives_the_newest_of_one_version(
    iris: Model, settings: Callable[..., Settings], metrics: Metrics
) -> None:
    log = PredictionLog(settings(), metrics)
    older = Model(MODELS / "iris")
    older.manifest = older.manifest.model_copy(update={"version": 1})
    for model, count in ((older, 5), (iris, 7)):
        records = sample(iris, count)
        log.add(f"of {count}", model, records, model.predict(records))
    log.close()
    assert {row.request_id for row in log.newest(iris, 100)} == {"of 7"}
    found = log.newest(iris, 3)
    assert len(found) == 3 and found[0].id > found[1].id
    assert abs(found[0].time - time.time()) < 60 and found[0].truth is None
