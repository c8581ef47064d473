"""How the files of the tasks' sources become tables; a task's YAML names its reader."""

import tarfile
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline import tasks

if TYPE_CHECKING:
    import pandas as pd

# Two attributes of the German credit data count their codes from 0, and not from 1.
FROM_ZERO = ("credit_history", "purpose")


def iris(_: Path) -> "pd.DataFrame":
    """Return the table that scikit-learn brings along: 150 flowers."""
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    table: pd.DataFrame = bunch.data.set_axis(tasks.load("iris").columns[:-1], axis=1)
    return table.assign(species=bunch.target_names[bunch.target])


def housing_folder(path: Path) -> "pd.DataFrame":
    """Return the table in scikit-learn's own cache."""
    from sklearn.datasets import fetch_california_housing

    cache = {"data_home": path.parent, "download_if_missing": False}
    table: pd.DataFrame = fetch_california_housing(**cache, as_frame=True).frame
    return table


def housing_archive(path: Path) -> "pd.DataFrame":
    """Return the table in the original archive, with the averages that scikit-learn makes."""
    import pandas as pd

    with tarfile.open(path, "r:gz") as archive:
        member = archive.extractfile("CaliforniaHousing/cal_housing.data")
        if member is None:
            raise ValueError("the archive's member is no file")
        raw = pd.read_csv(member, header=None, dtype=float)
    east, north, age, rooms, bedrooms, people, homes, income, value = (raw[i] for i in range(9))
    averages = [rooms / homes, bedrooms / homes, people, people / homes]
    columns = [income, age, *averages, north, east, value / 100_000]
    return pd.concat(columns, axis=1, keys=tasks.load("housing").columns)


def credit(source: Path | IO[bytes]) -> "pd.DataFrame":
    """Return the table with the file's codes put into words; an unknown code is left as it is.

    The codes A11, A12, … are those of the first attribute's categories, in their order.
    """
    import pandas as pd

    task = tasks.load("credit")
    table = pd.read_csv(
        source, sep=" ", header=None, names=list(task.columns), dtype=str, keep_default_na=False
    )
    for number, feature in enumerate(task.features, start=1):
        first = 0 if feature.name in FROM_ZERO else 1
        words = {f"A{number}{i}": w for i, w in enumerate(feature.categories, start=first)}
        table[feature.name] = table[feature.name].replace(words)
    return table.replace({"risk": {"1": "good", "2": "bad"}})


def credit_zip(path: Path) -> "pd.DataFrame":
    """Return the table in the archive that UCI hands out today."""
    with zipfile.ZipFile(path) as archive, archive.open("german.data") as member:
        return credit(member)
