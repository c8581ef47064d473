"""California housing: the median value of a block group's houses in the census of 1990."""

import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.schema import Behaviour, Budget, Feature, Kind, Metric, Source, Target, Task

if TYPE_CHECKING:
    import pandas as pd

ORIGIN = "https://www.dcc.fc.up.pt/~ltorgo/Regression"
ARCHIVE = "aaa5c9a6afe2225cc2aed2723682ae403280c4a3695a2ddda4ffb5d8215ea681"

FEATURES = (
    Feature("MedInc", "Median income of the households", 3.9, "10,000 US$ a year", 0, 16),
    Feature("HouseAge", "Median age of the houses", 28, "years", 0, 60),
    Feature("AveRooms", "Mean number of rooms a household", 5.3, "rooms", 0.1, 200),
    Feature("AveBedrms", "Mean number of bedrooms a household", 1.1, "bedrooms", 0.1, 50),
    Feature("Population", "People who live in the block group", 1200, "people", 1, 50_000),
    Feature("AveOccup", "Mean number of people a household", 2.9, "people", 0.1, 1500),
    Feature("Latitude", "How far north it lies", 37.0, "degrees", 32, 43),
    Feature("Longitude", "How far east it lies; California is west", -121.0, "degrees", -125, -114),
)


def read_folder(path: Path) -> "pd.DataFrame":
    """Return the table in scikit-learn's own cache."""
    from sklearn.datasets import fetch_california_housing

    bunch = fetch_california_housing(
        data_home=path.parent, download_if_missing=False, as_frame=True
    )
    table: pd.DataFrame = bunch.frame
    return table


def read_archive(path: Path) -> "pd.DataFrame":
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
    return pd.concat(columns, axis=1, keys=TASK.columns)


TASK = Task(
    name="housing",
    title="California housing",
    kind=Kind.REGRESSION,
    description="Estimates the median value of the houses in a block group of 600 to 3,000 people.",
    limits=(
        "Census of 1990: the values are those of then, and of California only.",
        "Values above 500,000 US$ were cut to 500,001 US$: it never predicts much more.",
        "Averages of holiday resorts, with few households and many houses, are extreme.",
    ),
    features=FEATURES,
    target=Target("MedHouseVal", "Median value of the houses", "100,000 US$", 0, 6),
    metric=Metric("rmse", higher_is_better=False),
    thresholds={"rmse": 0.5, "r2": 0.8},
    tolerance=1e-3,
    budget=Budget(size_bytes=1_000_000, latency_ms=1.0),
    sources=(
        Source("$SCIKIT_LEARN_DATA/cal_housing_py3.pkz", read_folder),
        Source("https://ndownloader.figshare.com/files/5976036", read_archive, ARCHIVE),
        Source(f"{ORIGIN}/cal_housing.tgz", read_archive, ARCHIVE),
    ),
    homepage=f"{ORIGIN}/cal_housing.html",
    licence="US census, public domain; compiled by R. Kelley Pace and Ronald Barry (1997)",
    digest="3efd090d4f8908870a72e78cd8b5cb43ff715cd090c9e8d23fb2063072ee92ff",
    behaviours={
        "Where people earn 20,000 US$ more, houses are worth more": Behaviour(
            "higher", {"MedInc": lambda old: min(old + 2, 15)}, tolerance=0.2
        ),
        "The same block in San Francisco is worth more than in the Central Valley": Behaviour(
            "higher",
            {"Latitude": 37.77, "Longitude": -122.43},
            given={"Latitude": 36.7, "Longitude": -119.8},
            tolerance=0.5,
        ),
        "One person more in the block group changes next to nothing": Behaviour(
            "same", {"Population": lambda old: old + 1}, tolerance=0.05
        ),
        "A poor block far from the coast is worth less than 150,000 US$": Behaviour(
            "within",
            given={"MedInc": 1.5, "Latitude": 36.7, "Longitude": -119.8},
            within=(0.0, 1.5),
        ),
        "A rich block in San Francisco is worth more than 350,000 US$": Behaviour(
            "within",
            given={"MedInc": 9.0, "Latitude": 37.77, "Longitude": -122.43},
            within=(3.5, 6.0),
        ),
    },
)
