"""A unit of work computes on one thread, whatever surrounds it."""

import joblib
import numpy as np
from threadpoolctl import threadpool_info

from pipeline.train.one_thread import one_thread


def thread_counts() -> set[int]:
    """Return how many threads the numerical libraries use.

    Microsoft's OpenMP is left out: as Wine has it, it reports the number of cores,
    whatever its limit is.
    """
    np.zeros(1)
    libraries = [each for each in threadpool_info() if each["prefix"] != "vcomp"]
    assert libraries
    return {library["num_threads"] for library in libraries}


def test_an_estimator_without_a_number_of_jobs_gets_one_and_not_the_cluster() -> None:
    """Dask gives `n_jobs=None` all workers, and so does this backend of threads."""
    with joblib.parallel_config("threading", n_jobs=3):
        assert joblib.effective_n_jobs(None) == 3
        with one_thread():
            assert joblib.effective_n_jobs(None) == 1
            assert thread_counts() == {1}
        assert joblib.effective_n_jobs(None) == 3
