"""The work of a job's process: do the job, and write how it ended."""

import importlib
import logging
from pathlib import Path
from typing import Any

from core import tracing
from core.errors import PipelineError, Unavailable
from core.jobs import JobRecord, JobRequest
from pipeline.repo import Repo
from pipeline.worker.job_store import JobStore, now


def run(
    root: str,
    state: str,
    job: dict[str, Any],
    request: dict[str, Any],
    trace: dict[str, str],
) -> None:
    """Run a job as a part of a trace, and write how it ended.

    Args:
        root: the checkout.
        state: the folder that the worker shares with the API.
        job: the job, a `JobRecord`.
        request: the request, a `JobRequest`.
        trace: the headers of the trace, of `tracing.headers`.
    """
    store = JobStore(Path(state))
    record = JobRecord(**job)
    try:
        with tracing.exporting("mlops-trainer", trace):
            # A job is started with the code that is in the checkout when it is sent.
            work = importlib.import_module(f"pipeline.worker.{record.kind}_job")
            repo = Repo(Path(root))
            result = work.run(repo, Path(state), JobRequest(**request))
        store.update(
            record,
            status="succeeded",
            ended=now(),
            result=result,
        )
    except PipelineError as error:
        refused = not isinstance(error, Unavailable)
        store.fail(record, str(error), refused)
    except Exception as error:
        logging.exception("the job %s failed", record.id)
        kind = type(error).__name__
        reason = " ".join(str(error).split())
        store.fail(record, f"{kind}: {reason}")
