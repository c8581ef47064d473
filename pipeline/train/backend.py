"""Where the units of work of a training are done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from joblib import Parallel, delayed

from pipeline import console

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")
# Fewer rows are fitted in less time than processes take to import scikit-learn.
FEW_ROWS = 500


class Backend(Protocol):
    """A way to call a function for many items at the same time."""

    def map(
        self,
        function: Callable[[Shared, Item], Result],
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Result]:
        """Yield `function(shared, item)` for each item, in the order of the items."""
        ...


class LocalBackend:
    """This machine: a process for each core, or this process alone for few rows.

    The processes are those of joblib's `loky`.
    """

    def __init__(self, rows: int) -> None:
        """Choose by the number of rows that are fitted on."""
        self._processes = 1 if rows < FEW_ROWS else -1

    def map(
        self,
        function: Callable[[Shared, Item], Result],
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Result]:
        """Yield `function(shared, item)` for each item, in the order of the items."""
        jobs = [delayed(function)(shared, item) for item in items]
        # Batches of short units would hold up long ones.
        parallel = Parallel(
            n_jobs=self._processes,
            batch_size=1,
            return_as="generator",
        )
        yield from parallel(jobs)


@contextmanager
def open_cluster(cluster: str, tables: str) -> Iterator[Backend | None]:
    """Return the backend of a training on a cluster.

    Args:
        cluster: the address of a Dask scheduler; if it is empty, there is none, and
            None is returned.
        tables: the store that its workers read tables from; empty if rows are sent.

    Raises:
        PipelineError: the cluster cannot be used.
    """
    if not cluster:
        yield None
        return
    # Dask takes a second to import, and most trainings need no cluster.
    from pipeline.cluster import dask_backend

    with dask_backend.connect(cluster, tables) as backend:
        console.show_message(backend.summary)
        yield backend
