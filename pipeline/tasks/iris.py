"""Iris: tell three species of a flower apart by four measurements."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.schema import Behaviour, Budget, Feature, Kind, Metric, Source, Target, Task

if TYPE_CHECKING:
    import pandas as pd

SPECIES = ("setosa", "versicolor", "virginica")
FEATURES = (
    Feature("sepal_length", "Length of a sepal, the green leaf below the flower", 5.9, "cm", 3, 9),
    Feature("sepal_width", "Width of a sepal", 3.0, "cm", 1, 6),
    Feature("petal_length", "Length of a petal", 4.9, "cm", 0.5, 8),
    Feature("petal_width", "Width of a petal", 1.7, "cm", 0, 4),
)


def read(_: Path) -> "pd.DataFrame":
    """Return the table that scikit-learn brings along: 150 flowers."""
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    table: pd.DataFrame = bunch.data.set_axis([feature.name for feature in FEATURES], axis=1)
    return table.assign(species=bunch.target.map(lambda number: SPECIES[number]))


TASK = Task(
    name="iris",
    title="Iris species",
    kind=Kind.CLASSIFICATION,
    description="Names the species of an iris from the sizes of its sepals and petals.",
    limits=(
        "150 flowers, collected in 1935 in two places in Quebec: it knows no other species and "
        "will name one of the three for any plant.",
        "About 30 flowers are held out: one flower more or less is 3 points of accuracy.",
    ),
    features=FEATURES,
    target=Target("species", "The species of the flower", classes=SPECIES),
    metric=Metric("log_loss", higher_is_better=False),
    thresholds={"accuracy": 0.9, "log_loss": 0.3},
    tolerance=1e-5,
    budget=Budget(size_bytes=500_000, latency_ms=1.0),
    sources=(Source("scikit-learn", read),),
    homepage="https://archive.ics.uci.edu/dataset/53/iris",
    licence="CC BY 4.0",
    digest="91eb642c3adbc7bad8e99c930c11fa3a5cc8a07262c7a753b4e6ecf405f2e05e",
    behaviours={
        "A flower with larger petals is more likely to be a virginica": Behaviour(
            "higher",
            {"petal_length": lambda old: old + 0.8, "petal_width": lambda old: old + 0.4},
            tolerance=0.01,
        ),
        (
            "A tenth of a millimetre of sepal width, less than a ruler shows, changes nothing"
        ): Behaviour("same", {"sepal_width": lambda old: old + 0.01}, tolerance=0.05),
        "A flower with tiny petals is no virginica": Behaviour(
            "within", given={"petal_length": 1.4, "petal_width": 0.2}, within=(0.0, 0.1)
        ),
        "A flower with the largest petals is a virginica": Behaviour(
            "within", given={"petal_length": 6.2, "petal_width": 2.3}, within=(0.8, 1.0)
        ),
    },
)
