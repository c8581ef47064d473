"""Models in service that belong to the tests, whatever a copy of this project serves.

There are two versions of each of three tasks, trained on generated rows, in a repository
below `build/`. The first test that needs it makes it, and it is made again when the code
behind it changes. Every Python of a system uses the same one, of ONNX files and JSON.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from tests.paths import ROOT

TASKS = ["credit", "housing", "iris"]
MADE_BY = [
    "tests/support/service.py",
    "tests/support/service_factory.py",
    "tests/support/strategies.py",
    "tests/support/factories.py",
    "tests/support/generated_rows.py",
    "tests/support/run_factories.py",
]


def _sources() -> list[Path]:
    """Return the files on which the content of the repository depends."""
    paths = [ROOT / name for name in MADE_BY]
    for folder in ("core", "history", "pipeline"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sql", ".md"):
                paths.append(path)
    for name in TASKS:
        path = ROOT / "pipeline" / "tasks" / f"{name}.yaml"
        paths.append(path)
    return paths


def _digest() -> str:
    digest = hashlib.sha256(sys.platform.encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


REPOSITORY = ROOT / "build" / f"test-service-{_digest()}"
MODELS = REPOSITORY / "deployment" / "models"


def make() -> None:
    """Make the repository unless it is there."""
    REPOSITORY.parent.mkdir(exist_ok=True)
    with FileLock(REPOSITORY.parent / "test-service.lock"):
        if REPOSITORY.is_dir():
            return
        # Its imports take seconds, and no test needs them when the repository is there.
        from tests.support.service_factory import build_service

        unfinished = REPOSITORY.with_name("test-service-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        build_service(unfinished)
        for older in REPOSITORY.parent.glob("test-service-" + "?" * 12):
            shutil.rmtree(older)
        unfinished.rename(REPOSITORY)
