"""Starts a part of a cluster: `python -m pipeline.cluster scheduler|worker …`.

The arguments after the first are those of `dask scheduler` and `dask worker`. A worker
gets one thread, since models would depend on more.
"""

import sys

from core import output
from core.errors import PipelineError, UsageError
from pipeline import code_version, console
from pipeline.cluster import settings

ROLES = ("scheduler", "worker")
USAGE = (
    "usage: python -m pipeline.cluster scheduler [OPTIONS], or python -m"
    " pipeline.cluster worker tcp://HOST:PORT [OPTIONS]; the options are those of"
    " `dask scheduler` and `dask worker`."
)


def run(arguments: list[str]) -> None:
    """Run a scheduler or a worker until it is stopped.

    Raises:
        UsageError: the first argument is neither, or a worker is given no address.
    """
    if not arguments or arguments[0] not in ROLES:
        raise UsageError(USAGE)
    role = arguments[0]
    options = arguments[1:]
    if role == "worker":
        _require_address(options)
    description = code_version.describe()
    commit = description[code_version.COMMIT] or "unknown"
    print(f"Dask {role}, commit {commit}", flush=True)
    if role == "scheduler":
        from distributed.cli.dask_scheduler import main as dask_scheduler

        dask_scheduler(options)
    else:
        from distributed.cli.dask_worker import main as dask_worker

        dask_worker(["--nthreads", "1", *options])


def _require_address(options: list[str]) -> None:
    if not options:
        raise UsageError(USAGE)
    first = options[0]
    if not first.startswith("-"):
        settings.require_address(first, "worker")


def main() -> int:
    """Run the command; an error is one sentence and an exit status."""
    try:
        run(sys.argv[1:])
    except (PipelineError, OSError) as error:
        console.fail(error)
    return 0


if __name__ == "__main__":
    output.prepare()
    sys.exit(main())
