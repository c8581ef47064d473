"""Where the units of work of a training are done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from joblib import Parallel, delayed

from pipeline import console

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


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
    """The cores of this machine, each with a process; see joblib's `loky`."""

    def map(
        self,
        function: Callable[[Shared, Item], Result],
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Result]:
        """Yield `function(shared, item)` for each item, in the order of the items."""
        jobs = [delayed(function)(shared, item) for item in items]
        # Batches of short units would hold up long ones.
        parallel = Parallel(n_jobs=-1, batch_size=1, return_as="generator")
        yield from parallel(jobs)


@contextmanager
def open_backend(cluster: str) -> Iterator[Backend]:
    """Return the backend of a training.

    Args:
        cluster: the address of a Dask scheduler; if it is empty, the cores of this
            machine are used.

    Raises:
        PipelineError: the cluster cannot be used.
    """
    if not cluster:
        yield LocalBackend()
        return
    # Dask takes a second to import, and most trainings need no cluster.
    from pipeline.cluster import dask_backend

    with dask_backend.connect(cluster) as backend:
        console.show_message(backend.summary)
        yield backend
