"""The readers that a task's YAML names for the files of its sources.

pandas and other libraries are imported when a file is read, not when a task is loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import tasks

if TYPE_CHECKING:
    import pandas as pd


def csv(
    path: Path,
    names: tuple[str, ...] = (),
    separator: str = ",",
    skip: int = 0,
) -> "pd.DataFrame":
    """Return the table in a CSV file, gzipped or not; see `pipeline.data.read_csv`."""
    from pipeline.data.read_csv import read_csv

    return read_csv(path, tuple(names), separator, skip)


def parquet(path: Path) -> "pd.DataFrame":
    """Return the table in a Parquet file; see `pipeline.data.read_parquet`."""
    from pipeline.data.read_parquet import read_parquet

    return read_parquet(path)


def arff(path: Path) -> "pd.DataFrame":
    """Return the table in an ARFF file; see `pipeline.data.read_arff`."""
    from pipeline.data.read_arff import read_arff

    return read_arff(path)


def iris(_: Path) -> "pd.DataFrame":
    """Return the table that comes with scikit-learn: 150 flowers."""
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    *features, _target = tasks.load("iris").columns
    table: pd.DataFrame = bunch.data.set_axis(features, axis=1)
    return table.assign(species=bunch.target_names[bunch.target])


def housing_folder(path: Path) -> "pd.DataFrame":
    """Return the table in scikit-learn's own cache."""
    from sklearn.datasets import fetch_california_housing

    bunch = fetch_california_housing(
        data_home=path.parent, download_if_missing=False, as_frame=True
    )
    table: pd.DataFrame = bunch.frame
    return table
