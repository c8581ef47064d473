"""Sends units of work to a Dask cluster, and collects their results."""

import logging
import pickle
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures as concurrent_futures
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import cloudpickle
import dask
from distributed import Client, Future, KilledWorker
from distributed.comm import CommClosedError

from core.counts import counted
from core.errors import PipelineError
from pipeline import code_version
from pipeline.cluster import check, references, remote_call
from pipeline.cluster.settings import REMEDY

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
# The longest wait without any worker, while units of work are left.
WORKER_SECONDS = 60
# What a result ends with if the scheduler is lost before it arrives, or on its way.
LOST = (CancelledError, concurrent_futures.CancelledError, CommClosedError)
CONFIGURATION = {
    # The data of a task are sent once, as a part of the graph.
    "distributed.admin.large-graph-warning-threshold": "1TB",
}


class DaskBackend:
    """A Dask cluster.

    joblib's own Dask backend is not used: it waits for ever for a unit whose workers
    have died, trains on this machine if the cluster has a single core, and leaves out
    workers that join later.

    Attributes:
        address: that of the scheduler.
    """

    def __init__(self, client: Client, address: str, tables: str = "") -> None:
        """Use a client that is connected.

        Args:
            client: the client.
            address: that of the scheduler.
            tables: the store that workers read tables from; empty if rows are sent.
        """
        self.address = address
        self._client = client
        self._tables = tables

    @property
    def summary(self) -> str:
        """The number of workers, and the address of Dask's dashboard."""
        workers = counted(len(self._client.nthreads()), "worker")
        return (
            f"Training on {workers} of {self.address}."
            f" Dashboard: {self._client.dashboard_link}"
        )

    def map(
        self,
        function: Callable[[Shared, Item], Result],
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Result]:
        """Yield `function(shared, item)` for each item, in the order of the items.

        All are sent at once, so that workers that join later take their share. The
        shared data are a task of their own: they go once to each worker, and are made
        again if the worker that holds them dies. With a store of tables, what is sent
        refers to the tables, and each worker reads them there.

        Raises:
            PipelineError: the scheduler or all workers are gone, a call has killed
                several workers, a worker cannot run it, or the store cannot be used.
        """
        batch = uuid4().hex
        ours = code_version.describe()
        call, data = self._share(function, shared, f"data-{batch}")
        futures = []
        for number, item in enumerate(items):
            content = cloudpickle.dumps((call, item))
            future = self._client.submit(
                remote_call.call,
                data,
                content,
                ours,
                key=f"{item}-{number}-{batch}",
            )
            futures.append(future)
        for item, future in zip(items, futures, strict=True):
            yield self._result(item, future)

    def _share(
        self,
        function: Callable[[Shared, Item], Result],
        shared: Shared,
        key: str,
    ) -> tuple[Callable[[Any, Item], Result], Future]:
        """Send the shared data; return what to call with them, and their task."""
        if self._tables:
            content = references.dumps(shared, self._tables)
            data = self._client.submit(bytes, content, key=key)
            return references.WithReferences(function), data
        content = cloudpickle.dumps(shared)
        data = self._client.submit(pickle.loads, content, key=key)
        return function, data

    def _result(self, item: object, future: Future) -> Any:
        """Wait for a result; turn what can go wrong into one sentence."""
        try:
            return self._wait(future)
        except KilledWorker as error:
            raise PipelineError(
                f"{item}: the workers that computed it died one after the other: give"
                " them more memory, and look at their logs."
            ) from error
        except LOST as error:
            raise PipelineError(
                f"the scheduler at {self.address} is gone: start it and train again."
            ) from error
        except PipelineError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise PipelineError(
                f"{item}: a worker cannot compute it ({kind}: {error}): {REMEDY}"
            ) from error

    def _wait(self, future: Future) -> Any:
        """Wait for a result as long as there is a worker."""
        while not future.done():
            try:
                return future.result(timeout=WORKER_SECONDS)
            except TimeoutError:
                self._require_worker()
        return future.result()

    def _require_worker(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise PipelineError(
                f"the cluster at {self.address} has lost all its workers: start one"
                " and train again."
            ) from error


@contextmanager
def connect(address: str, tables: str = "") -> Iterator[DaskBackend]:
    """Check a cluster and connect to it.

    Args:
        address: that of the scheduler.
        tables: the store that workers read tables from; empty if rows are sent.

    Raises:
        PipelineError: it cannot be used; see `check.require_usable`.
    """
    # Its messages about lost connections are tracebacks; the errors here say the same.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    check.require_usable(address)
    with dask.config.set(CONFIGURATION):
        with _client(address) as client:
            yield DaskBackend(client, address, tables)


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=check.CONNECT_SECONDS, set_as_default=False)
    except OSError as error:  # since the check, the scheduler has ended
        raise check.unreachable(address) from error
