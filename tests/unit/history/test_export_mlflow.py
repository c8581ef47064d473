"""The real history, exported and opened by the last MLflow that reads file stores, 3.12.

It is installed once into a virtual environment in `build/`, from `mlflow-skinny`, which
has the same stores. Where that fails, the tests are skipped with the reason.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.files import sha256_file
from history import History, build_database, layout, registry
from history.export import export
from tests.paths import ROOT
from tests.support import mlflow_listing
from tests.support.json_content import Json

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

VERSION = "3.12"
PACKAGES = (f"mlflow-skinny=={VERSION}.*", "sqlalchemy", "alembic")
ENVIRONMENT = ROOT / "build" / f"mlflow-{VERSION}"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
    "PYTHONUTF8": "1",
}
RUNS = 50
SHOW_VERSION = "import mlflow, sqlalchemy, alembic; print(mlflow.__version__)"
DOWNLOAD = """
import sys
import mlflow

mlflow.set_tracking_uri(sys.argv[1])
for uri in sys.argv[2:]:
    print(mlflow.artifacts.download_artifacts(uri))
"""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | SETTINGS,
        check=False,
    )


def create_environment() -> str:
    """Create the environment; return the last line of the error, or nothing."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    uv = shutil.which("uv")
    if uv:
        process = run(uv, "venv", "--python", sys.executable, ENVIRONMENT)
        install: list[str | Path] = [uv, "pip", "install", "--python", PYTHON]
    else:
        process = run(sys.executable, "-m", "venv", ENVIRONMENT)
        install = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    if process.returncode == 0:
        process = run(*install, *PACKAGES)
    if process.returncode == 0:
        return ""
    message = process.stderr.strip() or "no message"
    return message.splitlines()[-1]


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of an environment with MLflow 3.12."""
    show_version = (PYTHON, "-c", SHOW_VERSION)
    is_usable = False
    if PYTHON.is_file():
        is_usable = run(*show_version).returncode == 0
    if not is_usable:
        error = create_environment()
        if error:
            pytest.skip(f"MLflow {VERSION} cannot be installed: {error}")
    assert run(*show_version).stdout.startswith(f"{VERSION}.")
    return PYTHON


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of this repository as a file store."""
    target = tmp_path_factory.mktemp("out") / "mlruns"
    assert not export(History.open(ROOT / "mlruns"), target).left_out
    return target


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The listing of the built database by the pinned MLflow."""
    database = tmp_path_factory.mktemp("db") / "mlflow.db"
    build_database(ROOT / "mlruns", database)
    uri = f"sqlite:///{database.as_posix()}"
    return plain(mlflow_listing.listing(uri, str(ROOT / "mlruns")))


def plain(value: Any) -> Json:
    """Return a listing as JSON has it."""
    content: Json = json.loads(json.dumps(value))
    return content


def listed(python: Path, uri: str) -> Json:
    process = run(python, Path(mlflow_listing.__file__), uri)
    assert process.returncode == 0, process.stderr
    return plain(json.loads(process.stdout))


def test_mlflow_shows_every_run_model_and_version_alike(
    python: Path,
    exported: Path,
    ours: Json,
) -> None:
    shown = listed(python, exported.as_uri())
    assert shown.keys() == ours.keys()
    for part, entries in ours.items():
        for name, entry in entries.items():
            assert shown[part][name] == entry
    assert shown == ours
    runs: set[str] = set()
    for experiment in shown["experiments"].values():
        runs.update(experiment["runs"])
    committed = layout.run_folders(ROOT / "mlruns").keys()
    if len(committed) >= RUNS:  # a copy may begin without a history
        assert len(runs) >= RUNS
    assert runs == committed


def test_its_migration_reads_an_exported_file_store(
    python: Path,
    exported: Path,
    ours: Json,
    tmp_path: Path,
) -> None:
    uri = f"sqlite:///{(tmp_path / 'migrated.db').as_posix()}"
    migrate = ("-m", "mlflow", "migrate-filestore")
    process = run(python, *migrate, "--source", exported, "--target", uri)
    assert process.returncode == 0, process.stderr
    assert listed(python, uri) == ours


def test_each_champion_is_downloaded_by_its_alias(python: Path, exported: Path) -> None:
    digests = []
    addresses = []
    for model in registry.models(ROOT / "mlruns"):
        champion = registry.champion(ROOT / "mlruns", model)
        assert champion
        digests.append(champion.sha256)
        addresses.append(f"models:/{model}@champion")
    process = run(python, "-c", DOWNLOAD, exported.as_uri(), *addresses)
    assert process.returncode == 0, process.stderr
    folders = process.stdout.splitlines()
    downloaded = [sha256_file(Path(folder) / "model.onnx") for folder in folders]
    assert downloaded == digests
