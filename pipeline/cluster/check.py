"""The check of a cluster before a training, within seconds and not for ever.

Dask itself waits without end where a scheduler lacks the code of a task, and models
from workers with other code or libraries would have other bytes.
"""

import asyncio
import warnings
from typing import Any

from distributed import Client

from core.errors import PipelineError
from pipeline import code_version
from pipeline.cluster.settings import REMEDY, VARIABLE

CONNECT_SECONDS = 12
WORKER_SECONDS = 6
ALL_SECONDS = 20
Versions = dict[str, Any]


def require_usable(address: str) -> None:
    """Check that a cluster is there and would train as this process does.

    Args:
        address: the scheduler's, such as `tcp://127.0.0.1:8786`.

    Raises:
        PipelineError: it cannot be reached, has no worker, or a part of it has another
            commit, other code, other libraries or several threads.
    """
    try:
        with warnings.catch_warnings():
            # It warns of other versions in a table; here they are an error.
            warnings.simplefilter("ignore")
            asyncio.run(_check(address))
    except TimeoutError as error:
        raise PipelineError(
            f"the cluster at {address} did not answer within {ALL_SECONDS} seconds:"
            " look at the logs of its scheduler and workers."
        ) from error
    except OSError as error:  # the scheduler ended in the middle of it
        raise unreachable(address) from error


def unreachable(address: str) -> PipelineError:
    """Return the error of a scheduler that does not answer, or no longer."""
    return PipelineError(
        f"no Dask scheduler answers at {address}: start it, or correct {VARIABLE}."
    )


async def _check(address: str) -> None:
    async with asyncio.timeout(ALL_SECONDS):
        client = await _connect(address)
        async with client:
            await _require_worker(client, address)
            _require_same_packages(await client.get_versions())
            await _require_same_code(client)
            await _require_single_threads(client)


async def _connect(address: str) -> Client:
    client = Client(
        address,
        asynchronous=True,
        timeout=CONNECT_SECONDS,
        set_as_default=False,
    )
    try:
        # Dask itself waits for the answer of a server that is none of its own.
        async with asyncio.timeout(CONNECT_SECONDS):
            return await client
    except (OSError, TypeError, ValueError) as error:
        await client.close()
        raise unreachable(address) from error


async def _require_worker(client: Client, address: str) -> None:
    try:
        await client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise PipelineError(
            f"the cluster at {address} has no worker: start one, see docs/cluster.md."
        ) from error


def _require_same_packages(versions: Versions) -> None:
    """Compare the packages that Dask and its messages depend on."""
    ours = versions["client"]["packages"]
    nodes = {"the scheduler": versions["scheduler"]}
    for worker, described in versions["workers"].items():
        nodes[f"the worker {worker}"] = described
    for node, described in nodes.items():
        theirs = described["packages"]
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise PipelineError(
                    f"{node} has {name} {theirs.get(name) or 'none'}, here {version}:"
                    f" {REMEDY}"
                )


async def _require_same_code(client: Client) -> None:
    """Compare commit, code and libraries of scheduler and workers with ours."""
    try:
        scheduler = await client.run_on_scheduler(code_version.describe)
    except (ImportError, AttributeError) as error:
        scheduler = error
    nodes = {"the scheduler": scheduler}
    answers = await client.run(code_version.describe, on_error="return")
    for worker, answer in answers.items():
        nodes[f"the worker {worker}"] = answer
    ours = code_version.describe()
    for node, answer in nodes.items():
        if isinstance(answer, BaseException):
            raise PipelineError(
                f"{node} does not have the code of this training ({answer}): {REMEDY}"
            )
        if difference := code_version.difference(answer, ours):
            raise PipelineError(f"{node} has {difference}: {REMEDY}")


async def _require_single_threads(client: Client) -> None:
    """Refuse workers that compute several units in one process.

    The limit of threads inside a unit holds for the whole process.
    """
    threads = await client.nthreads()
    for worker, count in threads.items():
        if count != 1:
            raise PipelineError(
                f"the worker {worker} has {count} threads, and models would depend on"
                " them: start it with --nthreads 1."
            )
