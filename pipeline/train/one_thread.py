"""Computing on one thread, so that results do not depend on the number of cores."""

from collections.abc import Iterator
from contextlib import contextmanager

from joblib import parallel_config
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, whatever surrounds the caller.

    A sum of floats depends on how threads share it, and the same inputs must give the
    same bytes. The numerical libraries get one thread. scikit-learn's estimators would
    take theirs from joblib's active backend: they get the sequential one.
    """
    with threadpool_limits(limits=1), parallel_config("sequential"):
        yield
