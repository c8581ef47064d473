"""Pickles that name the tables in them by address and digest instead of their rows.

This is what Python's pickle calls the persistence of external objects.
"""

import io
import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import cloudpickle
import pandas as pd

from pipeline.cluster import table_store
from pipeline.cluster.table_store import StoredTable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Saves each table of an object in a store, and pickles where it is."""

    def __init__(self, stream: io.BytesIO, store: str) -> None:
        super().__init__(stream)
        self._store = store

    def persistent_id(self, value: Any) -> StoredTable | None:
        """Return where a table is now; None for any other value."""
        if isinstance(value, pd.DataFrame):
            return table_store.save(value, self._store)
        return None


class _Unpickler(pickle.Unpickler):
    """Reads each table from its store."""

    def persistent_load(self, reference: StoredTable) -> pd.DataFrame:
        """Return a table."""
        return table_store.load(reference)


def dumps(value: Any, store: str) -> bytes:
    """Return the pickle of an object whose tables are saved in a store.

    Raises:
        PipelineError: the store cannot be written.
    """
    stream = io.BytesIO()
    _Pickler(stream, store).dump(value)
    return stream.getvalue()


@lru_cache(maxsize=1)
def loads(content: bytes) -> Any:
    """Return the object of a pickle; the last one is kept in memory.

    Raises:
        PipelineError: one of its tables cannot be read, or is damaged.
    """
    stream = io.BytesIO(content)
    return _Unpickler(stream).load()


class WithReferences(Generic[Item, Result]):
    """A function whose first argument arrives as a pickle of `dumps`."""

    def __init__(self, function: Callable[[Any, Item], Result]) -> None:
        """Wrap a function."""
        self._function = function

    def __call__(self, content: bytes, item: Item) -> Result:
        """Read what the first argument refers to, and call the function."""
        shared = loads(content)
        return self._function(shared, item)
