"""Models in service that belong to the tests, whatever a copy of this project serves,
if anything.

Two versions of each of three tasks, made of generated rows, in a repository below
`build/`. It is made once, by whoever needs it first, and made again when the code that
it is made by changes.
"""

import hashlib
import shutil
import sys

from filelock import FileLock

from tests.paths import ROOT

TASKS = ["credit", "housing", "iris"]
MADE_BY = [
    "tests/support/service.py",
    "tests/support/service_factory.py",
    "tests/support/strategies.py",
    "tests/support/factories.py",
    "tests/support/run_factories.py",
]


def _digest() -> str:
    code = [ROOT / name for name in MADE_BY]
    folders = ("core", "history", "pipeline")
    made_of = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    code += sorted(path for path in made_of if path.suffix in (".py", ".sql", ".md"))
    code += [ROOT / "pipeline" / "tasks" / f"{name}.yaml" for name in TASKS]
    found = hashlib.sha256(sys.version.encode())
    for path in code:
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


REPOSITORY = ROOT / "build" / f"test-service-{_digest()}"
MODELS = REPOSITORY / "deployment" / "models"


def make() -> None:
    """Make the repository unless it is there."""
    REPOSITORY.parent.mkdir(exist_ok=True)
    with FileLock(REPOSITORY.parent / "test-service.lock"):
        if REPOSITORY.is_dir():
            return
        # What takes seconds to import is needed by the one that makes it, and not by
        # every test.
        from tests.support.service_factory import build_service

        unfinished = REPOSITORY.with_name("test-service-unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        build_service(unfinished)
        for older in REPOSITORY.parent.glob("test-service-" + "?" * 12):
            shutil.rmtree(older)
        unfinished.rename(REPOSITORY)
