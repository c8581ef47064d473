"""A running API with its worker, its OpenAPI document, and the generators of clients.

`nox -s clients` installs the generators and passes their folders in the environment.
A test whose tools are missing on this machine is skipped, and the reason names them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_with_worker import api_with_worker
from tests.support.serving import HOUSE, Api, golden

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Return the output of a program; fail with the output if the program fails."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    output = done.stdout[-5_000:] + done.stderr[-5_000:]
    assert done.returncode == 0, f"{command[0]}: {output}"
    return done.stdout


def tool(name: str) -> str:
    """Return the path of a program of this machine, or skip the test and name it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine")
    return path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with the worker that explains for it."""
    with api_with_worker(tmp_path_factory.mktemp("served")) as api:
        yield api


@pytest.fixture(scope="session")
def document(served: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(served.client.get("/openapi.json").content)
    return path


@pytest.fixture(scope="session")
def python() -> Path:
    """The folder with the programs of `requirements/clients.txt`."""
    return Path(os.environ["CLIENTS_PYTHON"])


@pytest.fixture(scope="session")
def npm_folder() -> Path:
    """The folder in which the packages of `package-lock.json` are installed."""
    tool("npm")
    return Path(os.environ["CLIENTS_NPM"])


@pytest.fixture(scope="session")
def openapi_generator(python: Path) -> Path:
    """The Java archive of openapi-generator, which its Python package brings along."""
    return next(python.parent.rglob("openapi-generator.jar"))


@pytest.fixture(scope="session")
def arguments(served: Api) -> list[str]:
    """The arguments of the programs that try a client: the API's address, and records."""
    records = {"house": HOUSE, "iris": golden("iris")}
    return [f"http://127.0.0.1:{served.port}", json.dumps(records)]


@pytest.fixture(scope="session")
def compare(served: Api) -> Callable[[str], None]:
    """Return a function that compares a client's output with the API's answers."""
    predicted = served.post("/predict/housing", HOUSE)["prediction"]
    flower = served.post("/predict", golden("iris"))["prediction"]
    explained = served.post("/explain/housing", HOUSE)["values"]
    models = served.get("/models")
    model = served.get("/models/housing")
    outputs = served.get("/v2/models/iris")["outputs"]
    expected: dict[str, Any] = {
        "several": pytest.approx([predicted] * 2),
        "table": pytest.approx([predicted]),
        "one": pytest.approx(predicted),
        "flower": flower,
        "explained": pytest.approx(explained),
        "models": {task: card["version"] for task, card in models.items()},
        "features": [feature["name"] for feature in model["features"]],
        "inferred": [output["name"] for output in outputs],
        "refused": [422, ["#/MedInc"]],
    }

    def check(printed: str) -> None:
        assert json.loads(printed) == expected

    return check
