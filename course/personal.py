"""All that differs between students, drawn from one seed: the class's salt and a name.

A draw has a purpose, and each purpose a generator of its own, so that a new draw in one
lesson changes none of another. Only `random()` is used, whose sequence Python guarantees
for every system and release.
"""

import hashlib
import random
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

Item = TypeVar("Item")

# Algorithms that the project does not ship: name in params.yaml to class in scikit-learn.
ALGORITHMS = {
    "extra_trees": "sklearn.ensemble.ExtraTreesClassifier",
    "nearest_neighbors": "sklearn.neighbors.KNeighborsClassifier",
    "naive_bayes": "sklearn.naive_bayes.GaussianNB",
    "quadratic_discriminant": (
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis"
    ),
    "gradient_descent": "sklearn.linear_model.SGDClassifier",
    "neural_network": "sklearn.neural_network.MLPClassifier",
}


class Draw:
    """Random choices, each for a purpose."""

    def __init__(self, salt: str, name: str) -> None:
        """Seed the choices of a student in a class."""
        self._seed = f"{salt}\0{name.lower()}"

    def stream(self, purpose: str) -> random.Random:
        """Return a generator for a purpose; use only its method `random()`."""
        text = f"{self._seed}\0{purpose}"
        digest = hashlib.sha256(text.encode()).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def number(self, purpose: str, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        share = self.stream(purpose).random()
        count = high - low + 1
        return low + int(share * count)

    def choose(self, purpose: str, items: Sequence[Item]) -> Item:
        """Return one of some items."""
        place = self.number(purpose, 0, len(items) - 1)
        return items[place]

    def shuffled(self, purpose: str, items: Sequence[Item]) -> list[Item]:
        """Return all items in another order."""
        stream = self.stream(purpose)
        keyed = []
        for place in range(len(items)):
            keyed.append((stream.random(), place))
        return [items[place] for _, place in sorted(keyed)]

    def sample(self, purpose: str, items: Sequence[Item], count: int) -> list[Item]:
        """Return some of the items, each at most once."""
        return self.shuffled(purpose, items)[:count]


class Personal(Draw):
    """What one student works on.

    Lessons add their own draws with `number`, `choose` and `sample`; what several of
    them need has a property here.
    """

    @cached_property
    def algorithm(self) -> str:
        """The candidate of lesson 3, a key of `ALGORITHMS`."""
        return self.choose("algorithm", list(ALGORITHMS))

    @cached_property
    def alert_percent(self) -> int:
        """The threshold of lesson 10's alert, in percent of the requests."""
        return self.number("alert percent", 2, 9)

    @cached_property
    def alert_minutes(self) -> int:
        """How long the condition of lesson 10's alert holds before it fires."""
        return self.number("alert minutes", 3, 8)
