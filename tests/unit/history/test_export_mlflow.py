"""The real history, exported, in the last MLflow that opens a file store: 3.12, in its
own venv.

The environment is made once, in `build/`, of `mlflow-skinny`, which holds the same
stores. Where its packages cannot be had the tests are skipped, with the reason.
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


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    settings = os.environ | SETTINGS
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=settings, check=False
    )


def make_environment() -> str:
    """Make the environment; return why it could not be made, or nothing."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    if uv := shutil.which("uv"):
        made = run(uv, "venv", "--python", sys.executable, ENVIRONMENT)
        install: list[str | Path] = [uv, "pip", "install", "--python", PYTHON]
    else:
        made = run(sys.executable, "-m", "venv", ENVIRONMENT)
        install = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    done = run(*install, *PACKAGES) if made.returncode == 0 else made
    return (
        (done.stderr.strip() or "no message").splitlines()[-1]
        if done.returncode
        else ""
    )


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of an environment with MLflow 3.12."""
    usable = (
        PYTHON,
        "-c",
        "import mlflow, sqlalchemy, alembic; print(mlflow.__version__)",
    )
    if not PYTHON.is_file() or run(*usable).returncode:
        if reason := make_environment():
            pytest.skip(f"MLflow {VERSION} is not to be had: {reason}")
    assert run(*usable).stdout.startswith(f"{VERSION}.")
    return PYTHON


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of this repository as a file store."""
    target = tmp_path_factory.mktemp("out") / "mlruns"
    assert not export(History.open(ROOT / "mlruns"), target).left_out
    return target


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the pinned MLflow shows of the restored database."""
    database = tmp_path_factory.mktemp("db") / "mlflow.db"
    build_database(ROOT / "mlruns", database)
    uri = f"sqlite:///{database.as_posix()}"
    return plain(mlflow_listing.listing(uri, str(ROOT / "mlruns")))


def plain(value: Any) -> dict[str, Any]:
    """Return a listing as JSON has it."""
    content: dict[str, Any] = json.loads(json.dumps(value))
    return content


def listed(python: Path, uri: str) -> dict[str, Any]:
    done = run(python, Path(mlflow_listing.__file__), uri)
    assert done.returncode == 0, done.stderr
    return plain(json.loads(done.stdout))


def test_mlflow_lists_every_run_model_and_version_equal(
    python: Path, exported: Path, ours: dict[str, Any]
) -> None:
    shown = listed(python, exported.as_uri())
    assert shown.keys() == ours.keys()
    for part, entries in ours.items():
        for name, entry in entries.items():
            assert shown[part][name] == entry
    assert shown == ours
    runs = {
        id for experiment in shown["experiments"].values() for id in experiment["runs"]
    }
    if (
        len(layout.run_folders(ROOT / "mlruns")) >= RUNS
    ):  # a copy may begin with no history
        assert len(runs) >= RUNS
    assert runs == layout.run_folders(ROOT / "mlruns").keys()


def test_its_migration_reads_it(
    python: Path, exported: Path, ours: dict[str, Any], tmp_path: Path
) -> None:
    uri = f"sqlite:///{(tmp_path / 'migrated.db').as_posix()}"
    command = (
        "-m",
        "mlflow",
        "migrate-filestore",
        "--source",
        str(exported),
        "--target",
        uri,
    )
    done = run(python, *command)
    assert done.returncode == 0, done.stderr
    assert listed(python, uri) == ours


def test_each_champion_is_downloaded_by_its_alias(python: Path, exported: Path) -> None:
    program = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]); "
        "[print(mlflow.artifacts.download_artifacts(uri)) for uri in sys.argv[2:]]"
    )
    models = registry.models(ROOT / "mlruns")
    champions = [registry.champion(ROOT / "mlruns", model) for model in models]
    addresses = [f"models:/{model}@champion" for model in models]
    done = run(python, "-c", program, exported.as_uri(), *addresses)
    assert done.returncode == 0, done.stderr
    for champion, folder in zip(champions, done.stdout.splitlines(), strict=True):
        assert champion and sha256_file(Path(folder) / "model.onnx") == champion.sha256
