"""The requests of each kind of traffic."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import orjson

from app.serving.validation import MAX_RECORDS, Record
from scripts.traffic.population import Population

# Requests a second, where nobody says.
RATES = {"normal": 20.0, "drifted": 20.0, "errors": 10.0, "slow": 2.0}
# Normal traffic: most requests are one record, some are short lists.
LISTS, SHORT = 0.25, (2, 20)
LONG = (2_000, 5_000)


@dataclass(frozen=True)
class Question:
    """A request: its path, its body and how many records that holds.

    `population` is whom feedback on the answer can be asked; none where there will be
    no answer.
    """

    path: str
    body: bytes
    rows: int = 1
    population: Population | None = None


def ask(
    kind: str,
    populations: list[Population],
    rows: int | None,
    random: np.random.Generator,
) -> Iterator[Question]:
    """Yield requests, task by task in turn; with `rows` until each task has had as many
    records.
    """
    if kind == "errors":
        faulty = [_faulty(population) for population in populations]
        limit = None if rows is None else rows * len(populations)
        for number, questions in enumerate(cycle(faulty)):
            if number == limit:
                return
            yield next(questions)
    left = {population: rows for population in populations}
    while left:
        for population in list(left):
            count, rest = _size(kind, random), left[population]
            count = count if rest is None else min(count, rest)
            yield _question(population, count, single=kind != "slow" and count == 1)
            if rest is not None:
                left[population] = rest - count
                if rest == count:
                    del left[population]


def _size(kind: str, random: np.random.Generator) -> int:
    if kind == "slow":
        return int(random.integers(*LONG, endpoint=True))
    return int(random.integers(*SHORT, endpoint=True)) if random.random() < LISTS else 1


def _question(population: Population, count: int, *, single: bool) -> Question:
    records = population.draw(count)
    body = orjson.dumps(records[0] if single else records)
    return Question(f"/predict/{population.task}", body, count, population)


def _faulty(population: Population) -> Iterator[Question]:
    """Yield requests that must all be refused: 422, 404 and 413."""
    path = f"/predict/{population.task}"
    while True:
        for record in map(_spoilt, population.draw(4), range(4)):
            yield Question(path, orjson.dumps(record))
        yield Question("/predict/no_such_task", orjson.dumps(population.draw(1)[0]))
        yield Question(path, orjson.dumps(population.draw(1)[0])[:-1])
        yield Question(path, orjson.dumps([0] * (MAX_RECORDS + 1)))


def _spoilt(record: Record, fault: int) -> dict[str, Any]:
    """Return a record with one fault: something missing, unknown, not a number, out of
    range.
    """
    first = next(iter(record))
    if fault == 0:
        return {name: value for name, value in record.items() if name != first}
    if fault == 1:
        return record | {"no_such_feature": 1.0}
    return record | {first: "many" if fault == 2 else 1e9}
