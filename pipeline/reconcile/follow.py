"""`pipeline reconcile`: one pass, or one pass after another until interrupted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from core.errors import PipelineError
from core.file_lock import take
from core.git import git, succeeds
from pipeline.reconcile.commit_status import CommitStatus
from pipeline.reconcile.metrics import Metrics
from pipeline.reconcile.reconciler import Outcome, Pass, Reconciler
from pipeline.reconcile.served_files import ServedFolder
from pipeline.repo import Repo


def address_of(repo: Repo, remote: str) -> str:
    """Return the address of a remote; a relative path is one from the checkout."""
    address = remote
    if succeeds(repo.root, "remote", "get-url", remote):
        address = git(repo.root, "remote", "get-url", remote)
    path = repo.root / address
    if path.is_dir():
        return str(path.resolve())
    return address


def begin_with_models_of(repo: Repo, folder: Path) -> None:
    """Put a checkout's models into a served folder that holds none.

    They are served until the first release is applied: an API without a model is not
    ready.
    """
    served = ServedFolder(folder)
    if repo.models.is_dir() and not served.read():
        models = ServedFolder(repo.models).read()
        served.write(models)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep the folder of a reconciler to one process.

    Raises:
        PipelineError: another process uses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as stream:
        if not take(stream):
            raise PipelineError(
                f"another `pipeline reconcile` uses {folder}: stop it first."
            )
        yield


def run_once(reconciler: Reconciler, status: CommitStatus | None) -> None:
    """Make one pass, and print its result.

    Args:
        status: where to report it; None means nowhere.

    Raises:
        PipelineError: what is declared is not in service.
    """
    result = reconciler.run()
    _print_mended(result)
    problem = _report(result, status)
    if problem:
        print(problem, flush=True)
    if not result.is_in_sync:
        raise PipelineError(result.text)
    print(result.text, flush=True)


def follow(
    reconciler: Reconciler,
    seconds: float,
    metrics: Metrics,
    status: CommitStatus | None,
) -> NoReturn:
    """Make passes for ever; a result is printed if it is not that of the pass before.

    Args:
        seconds: the time between the end of a pass and the next one.
        status: where to report results; None means nowhere.
    """
    printed = ""
    printed_problem = ""
    while True:
        result = _pass(reconciler)
        metrics.count(result)
        _print_mended(result)
        if result.text != printed:
            print(f"{result.outcome.value}: {result.text}", flush=True)
        printed = result.text
        problem = _report(result, status)
        if problem and problem != printed_problem:
            print(problem, flush=True)
        printed_problem = problem
        time.sleep(seconds)


def _report(result: Pass, status: CommitStatus | None) -> str:
    """Report a result; return what prevents it. Nothing else depends on the report."""
    try:
        if status:
            status.report(result)
    except PipelineError as error:
        return str(error)
    return ""


def _pass(reconciler: Reconciler) -> Pass:
    """Make a pass; a fault of the disk or the clone may be gone at the next one."""
    try:
        return reconciler.run()
    except PipelineError as error:
        return Pass(Outcome.BROKEN, str(error), fetched=False)
    except OSError as error:
        place = error.filename or "the disk"
        text = f"{place}: {error.strerror or error}."
        return Pass(Outcome.BROKEN, text, fetched=False)


def _print_mended(result: Pass) -> None:
    if result.mended:
        names = ", ".join(result.mended)
        print(f"mended: {names} differed from the release in service.", flush=True)
