"""The API through what happens to a service: load, stops, changed files, full disks."""

import asyncio
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.serving.model import Model
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, Api, edit, put_older_version
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tools.bench import load
from tools.bench.load import Load

pytestmark = pytest.mark.slow
BODY = json.dumps(HOUSE).encode()


def rows(api: Api) -> int:
    with closing(sqlite3.connect(api.predictions)) as connection:
        found: int = connection.execute("SELECT count(*) FROM predictions").fetchone()[
            0
        ]
        return found


def press(api: Api, connections: int, seconds: float) -> Load:
    """Ask over keep-alive connections that leave when the server says so."""
    content = load.request("/predict", BODY, api.port)
    return asyncio.run(load.run(api.port, content, connections, seconds))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_fails_no_request_in_flight(
    own_api: Api, how: signal.Signals
) -> None:
    stop = threading.Timer(1.0, own_api.process.send_signal, [how])
    stop.start()
    answered = press(own_api, 16, 20)
    assert own_api.process.wait(30) == 0
    assert answered.took < 15
    assert answered.broken == 0
    assert list(answered.statuses) == [200]
    assert rows(own_api) == answered.statuses[200]
    lines = [json.loads(line) for line in own_api.log.read_text("utf-8").splitlines()]
    assert (
        sum(line.get("path") == "/predict" for line in lines) == answered.statuses[200]
    )
    assert "Traceback" not in own_api.output()


def test_a_request_that_is_half_sent_at_the_stop_is_answered(own_api: Api) -> None:
    content = load.request("/predict", BODY, own_api.port)
    with socket.create_connection(
        ("127.0.0.1", own_api.port), timeout=10
    ) as connection:
        connection.sendall(content[:-20])
        wait_until(lambda: own_api.metric("http_requests_in_progress") == 2)
        own_api.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Shutting down" in own_api.output())
        connection.sendall(content[-20:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert own_api.process.wait(30) == 0


def test_a_port_in_use_ends_the_start_with_one_line(own_api: Api) -> None:
    command = [sys.executable, "-m", "app"]
    environment = own_api.environment | {
        "API_LOG_FILE": str(own_api.folder / "second.log")
    }
    done = subprocess.run(
        command,
        cwd=own_api.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode != 0
    assert "address already in use" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@contextmanager
def asking(api: Api, body: Any) -> Iterator[list[httpx.Response]]:
    """Ask all the time over three connections; an error of one of them is raised at the
    end.
    """
    answers: list[httpx.Response] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(
            base_url=api.client.base_url, timeout=PATIENCE_SECONDS
        ) as client:
            while not ended.is_set():
                answers.append(client.post("/predict", json=body))

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask) for _ in range(3)]
        try:
            yield answers
        finally:
            ended.set()
        for one in asked:
            one.result()


def test_a_reload_under_load_fails_none_and_each_answer_is_of_one_version(
    own_api: Api, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    served = own_api.models / "housing"
    houses = [HOUSE | {"MedInc": float(income)} for income in range(1, 16)]
    folders = [
        shutil.copytree(served, kept / "new"),
        shutil.copytree(served, kept / "old"),
    ]
    put_older_version(folders[1], "housing")
    versions = [Model(folder) for folder in folders]
    expected = {
        model.manifest.version: (
            model.manifest.run_id,
            model.run(houses)[:, 0].tolist(),
        )
        for model in versions
    }
    assert len(expected) == 2
    with asking(own_api, houses) as answers:
        for turn in range(1, 7):
            folder = folders[turn % 2]
            model = versions[turn % 2]
            shutil.copyfile(folder / "model.onnx", served / "model.onnx")
            shutil.copyfile(folder / "manifest.json", served / "manifest.json")
            now = model.manifest.version
            wait_until(lambda: own_api.get("/health")["models"]["housing"] == now)
    assert own_api.metric("model_reload_failures_total") == 0
    seen = set()
    for answer in answers:
        assert answer.status_code == 200
        content = answer.json()
        run_id, values = expected[content["model_version"]]
        assert content["run_id"] == run_id
        found = [row["prediction"] for row in content["predictions"]]
        assert found == pytest.approx(values, rel=1e-5)
        seen.add(content["model_version"])
    assert seen == set(expected)


def tamper(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def exchange(path: Path) -> None:
    shutil.copyfile(path.parent.parent / "iris" / path.name, path)


def mismatch(path: Path) -> None:
    edit(path.parent, sha256="0" * 64)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API whose files are whole again after each test."""
    with Api(tmp_path_factory.mktemp("mended")) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        *(("model.onnx", spoil) for spoil in (tamper, truncate, exchange, Path.unlink)),
        *(
            ("manifest.json", spoil)
            for spoil in (mismatch, truncate, exchange, Path.unlink)
        ),
    ],
)
def test_a_spoiled_file_is_refused_and_the_old_model_serves_on(
    mended: Api, name: str, spoil: Callable[[Path], None]
) -> None:
    failures = mended.metric("model_reload_failures_total", task="housing")
    before = mended.post("/predict", HOUSE)["prediction"]
    spoil(mended.models / "housing" / name)
    wait_until(lambda: mended.get("/models")["housing"]["problem"])
    problem = mended.get("/models")["housing"]["problem"]
    assert mended.post("/predict", HOUSE)["prediction"] == before
    assert mended.get("/health")["status"] == "degraded"
    assert mended.get("/health")["problems"] == [f"housing: {problem}"]
    counted = mended.metric("model_reload_failures_total", task="housing")
    assert counted == failures + 1
    assert mended.metric("model_up_to_date", task="housing") == 0
    assert mended.metric("model_up_to_date", task="iris") == 1
    wait_until(
        lambda: mended.log.read_text("utf-8").count("a model was refused") == counted
    )
    shutil.copyfile(MODELS / "housing" / name, mended.models / "housing" / name)
    wait_until(lambda: mended.get("/health")["status"] == "ok")
    assert mended.metric("model_up_to_date", task="housing") == 1


def test_without_models_it_starts_says_what_to_do_and_takes_them_when_they_come(
    tmp_path: Path,
) -> None:
    with Api(tmp_path, models=None) as api:
        assert api.get("/health/live") == {"status": "ok"}
        health = api.get("/health/ready", 503)
        assert health["status"] == "not ready"
        assert "git checkout" in health["problems"][0]
        assert api.get("/models") == {}
        assert "holds no model" in api.post("/predict", HOUSE, 503)["detail"]
        assert api.get("/openapi.json")["paths"]
        shutil.copytree(MODELS, api.models)
        wait_until(lambda: sorted(api.get("/models")) == TASKS)
        wait_until(lambda: api.client.get("/health/ready").is_success)
        assert 0 < api.post("/predict", HOUSE)["prediction"] < 6


def test_ten_thousand_predictions_and_a_restart_are_ten_thousand_rows(
    own_api: Api,
) -> None:
    def predict(half: range) -> None:
        for number in half:
            ids = {"X-Request-ID": f"request-{number}"}
            many = [HOUSE] * 7 if number % 2 else HOUSE
            assert (
                own_api.client.post("/predict", json=many, headers=ids).status_code
                == 200
            )

    predict(range(1250))
    assert own_api.stop() == 0
    assert rows(own_api) == 5_000
    own_api.start()
    predict(range(1250, 2500))
    own_api.wait_for_rows(5_000)
    assert rows(own_api) == 10_000
    with closing(sqlite3.connect(own_api.predictions)) as connection:
        found = connection.execute(
            "SELECT DISTINCT request_id FROM predictions ORDER BY id"
        )
        assert [row[0] for row in found] == [
            f"request-{number}" for number in range(2500)
        ]


def test_a_locked_log_of_predictions_fails_none_and_is_counted(own_api: Api) -> None:
    def dropped() -> float:
        return own_api.metric("prediction_log_dropped_total", reason="failed")

    own_api.post("/predict", HOUSE)
    own_api.wait_for_rows(1)
    with closing(sqlite3.connect(own_api.predictions, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(20):
            own_api.post("/predict", HOUSE)
        wait_until(lambda: dropped() >= 20)
        other.execute("ROLLBACK")
    assert dropped() == 20
    own_api.post("/predict", HOUSE)
    own_api.wait_for_rows(2)
    assert rows(own_api) == 2
    assert "predictions could not be logged" in own_api.log.read_text("utf-8")


def test_full_disks_under_both_logs_fail_no_prediction(tmp_path: Path) -> None:
    full = {"API_PREDICTION_LOG": "/dev/full", "API_LOG_FILE": "/dev/full"}
    with Api(tmp_path, **full) as api:
        for _ in range(20):
            api.post("/predict", HOUSE)
        lost = {"reason": "failed"}
        wait_until(lambda: api.metric("prediction_log_dropped_total", **lost) == 20)
        wait_until(lambda: "No space left on device" in api.output())
        assert api.get("/health")["status"] == "ok"
        assert api.stop() == 0
        assert "Traceback" not in api.output()


def test_overload_is_refused_while_probes_and_accepted_requests_are_answered(
    tmp_path: Path,
) -> None:
    with Api(tmp_path, API_MAX_WAITING="2") as api, ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(press, api, 32, 3)
        probes = 0
        while not pressed.done():
            for path in (
                "/health/live",
                "/health/ready",
                "/metrics",
                "/v2/health/ready",
            ):
                assert api.client.get(path).status_code == 200
                probes += 1
        found = pressed.result()
        assert probes > 20
        assert found.broken == 0
        assert sorted(found.statuses) == [200, 503]
        assert api.metric("http_requests_shed_total") == found.statuses[503]
        assert 0 < api.post("/predict", HOUSE)["prediction"] < 6
