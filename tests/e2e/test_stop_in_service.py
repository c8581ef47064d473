"""The start and the end of an API's process, under load and without."""

import json
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.support.load import house_request, logged_request_ids, press
from tests.support.serving import HOUSE, Api
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow


def accessed_paths(api: Api) -> list[str]:
    """Return the path of each request in the access log."""
    paths = []
    for text in api.log.read_text("utf-8").splitlines():
        line = json.loads(text)
        if "path" in line:
            paths.append(line["path"])
    return paths


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_fails_no_request_in_flight(
    own_api: Api, number: signal.Signals
) -> None:
    stop = threading.Timer(1.0, own_api.process.send_signal, [number])
    stop.start()
    result = press(own_api, 16, 20)
    assert own_api.process.wait(30) == 0
    assert result.took < 15
    assert result.broken == 0
    assert list(result.statuses) == [200]
    answered = result.statuses[200]
    assert len(logged_request_ids(own_api)) == answered
    assert accessed_paths(own_api).count("/predict") == answered
    assert "Traceback" not in own_api.output()


def test_a_request_that_is_half_sent_at_the_stop_is_answered(own_api: Api) -> None:
    request = house_request(own_api)
    address = ("127.0.0.1", own_api.port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request[:-20])
        wait_until(lambda: own_api.metric("http_requests_in_progress") == 2)
        own_api.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Shutting down" in own_api.output())
        connection.sendall(request[-20:])
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200")
    assert own_api.process.wait(30) == 0


def test_a_port_in_use_ends_the_start_with_one_line(own_api: Api) -> None:
    second_log = own_api.folder / "second.log"
    done = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=own_api.folder,
        env=own_api.environment | {"API_LOG_FILE": str(second_log)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode != 0
    assert "address already in use" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_ten_thousand_predictions_and_a_restart_are_ten_thousand_rows(
    own_api: Api,
) -> None:
    def predict(numbers: range) -> None:
        for number in numbers:
            headers = {"X-Request-ID": f"request-{number}"}
            body = [HOUSE] * 7 if number % 2 else HOUSE
            answer = own_api.client.post("/predict", json=body, headers=headers)
            assert answer.status_code == 200

    predict(range(1250))
    assert own_api.stop() == 0
    assert len(logged_request_ids(own_api)) == 5_000
    own_api.start()
    predict(range(1250, 2500))
    own_api.wait_for_rows(5_000)
    request_ids = logged_request_ids(own_api)
    assert len(request_ids) == 10_000
    expected = [f"request-{number}" for number in range(2500)]
    assert list(dict.fromkeys(request_ids)) == expected
