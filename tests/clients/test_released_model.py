"""The model of a release predicts the same in ONNX Runtime for Python, in MLflow, and
in a browser with onnxruntime-web.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import mlflow.onnx
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline import tasks
from pipeline.release import content
from scripts.ci import model_files
from scripts.ci.model_files import ReleasedModel
from tests.clients.conftest import PROGRAMS
from tests.support import strategies
from tests.support.browser import in_a_browser
from tests.support.browser_page import browser_page
from tests.support.service import TASKS
from tests.unit.pipeline.worker.service import checkout

ROWS = 200
Feeds = dict[str, NDArray[Any]]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder; yield the address."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders with the files of the releases, by task."""
    place = tmp_path_factory.mktemp("released")
    repo = checkout(place / "checkout")
    folders = {}
    models = content.models_at(repo.root, "HEAD")
    for task, entry in models.items():
        model = ReleasedModel(task, **entry)
        folder = place / model.tag
        model_files.write(repo.root, model, "{}", folder)
        folders[task] = folder
    return folders


def features_of(name: str) -> pd.DataFrame:
    """Return rows of a task's features, spread over their ranges."""
    task = tasks.load(name)
    table = strategies.table(task, ROWS, seed=7)
    return table.drop(columns=task.target.name)


def feeds_of(table: pd.DataFrame) -> Feeds:
    """Return the inputs of a model: for each column an array of shape (rows, 1)."""
    feeds: Feeds = {}
    for name, column in table.items():
        is_number = pd.api.types.is_numeric_dtype(column)
        dtype = np.float32 if is_number else np.object_
        values = column.to_numpy(dtype)
        feeds[str(name)] = values.reshape(-1, 1)
    return feeds


def run_in_onnx_runtime(model: Path, table: pd.DataFrame) -> NDArray[Any]:
    session = onnxruntime.InferenceSession(model)
    feeds = feeds_of(table)
    *_, output = session.run(None, feeds)
    return np.asarray(output)


def run_in_mlflow(model: Path, table: pd.DataFrame, folder: Path) -> NDArray[Any]:
    mlflow.onnx.save_model(
        onnx.load(model),
        folder,
        # Otherwise MLflow starts a process that finds out.
        pip_requirements=["onnxruntime"],
        onnx_execution_providers=["CPUExecutionProvider"],
    )
    loaded = mlflow.pyfunc.load_model(str(folder))
    feeds = feeds_of(table)
    *_, output = loaded.predict(feeds).values()
    return np.asarray(output)


def run_in_a_page(
    model: Path, table: pd.DataFrame, packages: Path, folder: Path
) -> NDArray[Any]:
    folder.mkdir()
    shutil.copy(model, folder)
    shutil.copy(PROGRAMS / "run_model.html", folder)
    runtime = folder / "ort"
    runtime.symlink_to(packages / "onnxruntime-web" / "dist")
    columns = json.dumps(table.to_dict("list"))
    with serving(folder) as address, browser_page(folder / "profile") as page:
        page.open(f"{address}/run_model.html")
        output = page.evaluate(f"run({columns})")
        assert page.faults == []
    return np.asarray(output)


@in_a_browser
@pytest.mark.parametrize("task", TASKS)
def test_a_released_model_predicts_the_same_everywhere(
    task: str, releases: dict[str, Path], npm_folder: Path, tmp_path: Path
) -> None:
    folder = releases[task]
    manifest = model_files.read_manifest(folder)
    model = folder / "model.onnx"
    table = features_of(task)
    expected = run_in_onnx_runtime(model, table)
    classes = manifest["target"]["classes"]
    assert expected.shape == (ROWS, len(classes) or 1)
    different = np.unique(expected)
    assert len(different) > 1

    by_mlflow = run_in_mlflow(model, table, tmp_path / "mlflow")
    np.testing.assert_array_equal(by_mlflow, expected)
    packages = npm_folder / "node_modules"
    by_page = run_in_a_page(model, table, packages, tmp_path / "page")
    tolerance = manifest["tolerance"]
    np.testing.assert_allclose(by_page, expected, rtol=1e-5, atol=tolerance)
