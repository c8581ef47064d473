"""True values that come back, and how good the predictions then were."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.support.serving import HOUSE, golden
from tests.support.waiting import wait_until


def predict(client: TestClient, task: str, body: Any) -> dict[str, Any]:
    """Ask for predictions and wait until they are in the log."""
    answer: dict[str, Any] = client.post(f"/predict/{task}", json=body).json()
    wait_until(lambda: "prediction_log_pending 0.0" in client.get("/metrics").text)
    return answer


def send(client: TestClient, request_id: str, truth: Any, status: int = 200) -> Any:
    """Send true values."""
    answer = client.post("/feedback", json={"request_id": request_id, "truth": truth})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_true_values_make_live_metrics_beside_the_offline_ones(
    client: TestClient,
) -> None:
    answer = predict(client, "housing", [HOUSE, golden("housing")])
    values = [row["prediction"] for row in answer["predictions"]]
    kept = send(client, answer["request_id"], [values[0] + 0.3, values[1] - 0.4])
    assert kept == {
        "task": "housing",
        "model_version": answer["model_version"],
        "rows": 2,
    }
    found = client.get("/quality/housing").json()
    assert found["rows"] == 2
    assert found["live"]["mae"] == pytest.approx(0.35, rel=1e-5)
    assert found["live"]["rmse"] == pytest.approx(np.sqrt(0.125), rel=1e-5)
    assert 0 < found["offline"]["rmse"] < 1
    shown = 'model_live_metric{metric="mae",task="housing"} 0.3'
    wait_until(lambda: shown in client.get("/metrics").text)
    assert 'feedback_rows{task="housing"} 2.0' in client.get("/metrics").text


def test_classes_have_the_metrics_of_the_hold_out(client: TestClient) -> None:
    answer = predict(client, "iris", golden("iris"))
    send(client, answer["request_id"], answer["prediction"])
    found = client.get("/quality/iris").json()
    assert found["live"]["accuracy"] == 1
    chance = answer["probabilities"][answer["prediction"]]
    assert found["live"]["log_loss"] == pytest.approx(-np.log(chance), rel=1e-4)
    assert "roc_auc" in found["offline"]
    assert "roc_auc" not in found["live"]  # of one class alone


def test_the_last_word_counts(client: TestClient) -> None:
    answer = predict(client, "housing", HOUSE)
    for error in (1.0, 0.25):
        send(client, answer["request_id"], answer["prediction"] + error)
    found = client.get("/quality/housing").json()
    assert found["rows"] == 1
    assert found["live"]["mae"] == pytest.approx(0.25, rel=1e-5)


def test_an_id_that_was_used_twice_means_the_last_request(client: TestClient) -> None:
    same = {"X-Request-ID": "again"}
    for body in ([HOUSE] * 3, [HOUSE] * 2):
        client.post("/predict/housing", json=body, headers=same)
    wait_until(lambda: "prediction_log_rows_total 5.0" in client.get("/metrics").text)
    assert send(client, "again", [1.0, 2.0])["rows"] == 2


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ([1.0, 2.0], "had 1 records, not 2"),
        ("many", "'many' is none of setosa, versicolor, virginica"),
        (3.0, "3.0 is none of"),
    ],
)
def test_what_cannot_be_true_is_refused(
    client: TestClient, truth: Any, words: str
) -> None:
    answer = predict(client, "iris", golden("iris"))
    assert words in send(client, answer["request_id"], truth, 422)["detail"]
    assert client.get("/quality/iris").json()["rows"] == 0


def test_a_word_is_no_value_of_a_regression(client: TestClient) -> None:
    answer = predict(client, "housing", HOUSE)
    assert (
        "'dear' is not a number"
        in send(client, answer["request_id"], "dear", 422)["detail"]
    )


def test_a_request_that_is_not_known_is_named(client: TestClient) -> None:
    assert "nobody" in send(client, "nobody", 1.0, 404)["detail"]


def test_a_log_of_an_older_version_is_brought_up_to_date(
    folder: Path, settings: Callable[..., Settings]
) -> None:
    path = settings().prediction_log
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE predictions (id INTEGER PRIMARY KEY, time REAL NOT NULL,"
            " request_id TEXT NOT NULL, task TEXT NOT NULL, version INTEGER NOT NULL,"
            " run_id TEXT NOT NULL, features TEXT NOT NULL, prediction TEXT NOT NULL)"
        )
    with TestClient(create_app(settings(), lambda line: None)) as client:
        answer = predict(client, "housing", HOUSE)
        assert send(client, answer["request_id"], 2.0)["rows"] == 1
