"""Ground truth that clients send, and the online metrics that are computed from it."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from tests.support.json_content import Json
from tests.support.serving import HOUSE, golden
from tests.support.waiting import wait_until
from tests.unit.app.conftest import MakeSettings

# The table as it was before predictions had a ground truth.
OLD_TABLE = """
    CREATE TABLE predictions (
        id INTEGER PRIMARY KEY,
        time REAL NOT NULL,
        request_id TEXT NOT NULL,
        task TEXT NOT NULL,
        version INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        features TEXT NOT NULL,
        prediction TEXT NOT NULL
    )
"""


def predict(client: TestClient, task: str, body: Any) -> Json:
    """Request predictions and wait until they are in the log."""
    response = client.post(f"/predict/{task}", json=body)
    answer: Json = response.json()
    wait_for_metric(client, "prediction_log_pending 0.0")
    return answer


def wait_for_metric(client: TestClient, line: str) -> None:
    wait_until(lambda: line in client.get("/metrics").text)


def send(client: TestClient, request_id: str, truth: Any, status: int = 200) -> Any:
    """Send the ground truth of a request."""
    body = {"request_id": request_id, "truth": truth}
    answer = client.post("/feedback", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def refusal(client: TestClient, request_id: str, truth: Any, status: int) -> str:
    """Return the message that ground truth is refused with."""
    detail: str = send(client, request_id, truth, status)["detail"]
    return detail


def quality(client: TestClient, task: str) -> Json:
    """Return the online metrics of a task."""
    response = client.get(f"/quality/{task}")
    result: Json = response.json()
    return result


def test_ground_truth_gives_online_metrics_beside_the_offline_ones(
    client: TestClient,
) -> None:
    answer = predict(client, "housing", [HOUSE, golden("housing")])
    first, second = [row["prediction"] for row in answer["predictions"]]
    truth = [first + 0.3, second - 0.4]
    count = send(client, answer["request_id"], truth)
    assert count == {
        "task": "housing",
        "model_version": answer["model_version"],
        "rows": 2,
    }
    result = quality(client, "housing")
    live = result["live"]
    assert result["rows"] == 2
    assert live["mae"] == pytest.approx(0.35, rel=1e-5)
    root_of_mean = np.sqrt(0.125)
    assert live["rmse"] == pytest.approx(root_of_mean, rel=1e-5)
    assert 0 < result["offline"]["rmse"] < 1
    wait_for_metric(client, 'model_live_metric{metric="mae",task="housing"} 0.3')
    wait_for_metric(client, 'feedback_rows{task="housing"} 2.0')


def test_classes_have_the_metrics_of_the_hold_out(client: TestClient) -> None:
    answer = predict(client, "iris", golden("iris"))
    predicted_class = answer["prediction"]
    send(client, answer["request_id"], predicted_class)
    result = quality(client, "iris")
    live = result["live"]
    probability = answer["probabilities"][predicted_class]
    log_loss = -np.log(probability)
    assert live["accuracy"] == 1
    assert live["log_loss"] == pytest.approx(log_loss, rel=1e-4)
    assert "roc_auc" in result["offline"]
    # It is not defined on rows of a single class.
    assert "roc_auc" not in live


def test_the_last_ground_truth_of_a_request_counts(client: TestClient) -> None:
    answer = predict(client, "housing", HOUSE)
    for error in (1.0, 0.25):
        truth = answer["prediction"] + error
        send(client, answer["request_id"], truth)
    result = quality(client, "housing")
    assert result["rows"] == 1
    assert result["live"]["mae"] == pytest.approx(0.25, rel=1e-5)


def test_an_id_that_was_used_twice_means_the_last_request(client: TestClient) -> None:
    headers = {"X-Request-ID": "again"}
    for count in (3, 2):
        client.post("/predict/housing", json=[HOUSE] * count, headers=headers)
    wait_for_metric(client, "prediction_log_rows_total 5.0")
    assert send(client, "again", [1.0, 2.0])["rows"] == 2


@pytest.mark.parametrize(
    ("truth", "reason"),
    [
        ([1.0, 2.0], "had 1 record, not 2"),
        ("many", "'many' is none of setosa, versicolor, virginica"),
        (3.0, "3.0 is none of"),
    ],
)
def test_ground_truth_that_is_not_possible_is_refused(
    client: TestClient, truth: Any, reason: str
) -> None:
    answer = predict(client, "iris", golden("iris"))
    assert reason in refusal(client, answer["request_id"], truth, 422)
    assert quality(client, "iris")["rows"] == 0


def test_a_text_is_not_a_value_of_a_regression(client: TestClient) -> None:
    answer = predict(client, "housing", HOUSE)
    message = refusal(client, answer["request_id"], "dear", 422)
    assert "'dear' is not a number" in message


def test_a_request_that_is_not_in_the_log_is_named(client: TestClient) -> None:
    assert "nobody" in refusal(client, "nobody", 1.0, 404)


def test_a_log_of_an_older_version_is_brought_up_to_date(
    folder: Path, settings: MakeSettings
) -> None:
    path = settings().prediction_log
    with sqlite3.connect(path) as connection:
        connection.execute(OLD_TABLE)
    with TestClient(create_app(settings(), lambda line: None)) as client:
        answer = predict(client, "housing", HOUSE)
        assert send(client, answer["request_id"], 2.0)["rows"] == 1
