"""The requests of each kind of traffic."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from typing import Any

import numpy as np
import orjson

from app.serving.validation import MAX_RECORDS, Record
from scripts.traffic.population import Population


class Kind(StrEnum):
    """What the requests are like."""

    NORMAL = "normal"
    DRIFTED = "drifted"
    ERRORS = "errors"
    SLOW = "slow"


# Requests a second, unless the user asks for another rate.
RATES = {
    Kind.NORMAL: 20.0,
    Kind.DRIFTED: 20.0,
    Kind.ERRORS: 10.0,
    Kind.SLOW: 2.0,
}
# Most requests of normal traffic are a single record, some are short lists.
SHARE_OF_LISTS = 0.25
SHORT = (2, 20)
LONG = (2_000, 5_000)


@dataclass(frozen=True)
class Question:
    """A request: its path, its body, and the number of records in the body.

    `population` knows the ground truth for the answer; it is missing where there will
    be no answer.
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
    """Yield requests, task by task in turn; without `rows` there is no end.

    Args:
        rows: how many records each task gets in all.
    """
    if kind == Kind.ERRORS:
        limit = None if rows is None else rows * len(populations)
        return islice(_all_faulty(populations), limit)
    return _valid(kind, populations, rows, random)


def _valid(
    kind: str,
    populations: list[Population],
    rows: int | None,
    random: np.random.Generator,
) -> Iterator[Question]:
    remaining = {population: rows for population in populations}
    while remaining:
        for population, rest in list(remaining.items()):
            count = _size(kind, random)
            if rest is not None:
                count = min(count, rest)
                remaining[population] = rest - count
                if rest == count:
                    del remaining[population]
            single = kind != Kind.SLOW and count == 1
            yield _question(population, count, single=single)


def _size(kind: str, random: np.random.Generator) -> int:
    if kind == Kind.SLOW:
        return int(random.integers(*LONG, endpoint=True))
    if random.random() < SHARE_OF_LISTS:
        return int(random.integers(*SHORT, endpoint=True))
    return 1


def _question(population: Population, count: int, *, single: bool) -> Question:
    records = population.draw(count)
    body = orjson.dumps(records[0] if single else records)
    return Question(f"/predict/{population.task}", body, count, population)


def _all_faulty(populations: list[Population]) -> Iterator[Question]:
    each = [_faulty(population) for population in populations]
    for questions in cycle(each):
        yield next(questions)


def _faulty(population: Population) -> Iterator[Question]:
    """Yield requests that must all be refused: with 422, 404 or 413."""
    path = f"/predict/{population.task}"
    while True:
        for fault, record in enumerate(population.draw(4)):
            yield Question(path, orjson.dumps(_spoil(record, fault)))
        record = population.draw(1)[0]
        whole = orjson.dumps(record)
        yield Question("/predict/no_such_task", whole)
        cut_off = whole[:-1]
        yield Question(path, cut_off)
        too_many = [0] * (MAX_RECORDS + 1)
        yield Question(path, orjson.dumps(too_many))


def _spoil(record: Record, fault: int) -> dict[str, Any]:
    """Return a record with a missing, unknown, non-numeric or out-of-range value."""
    first = next(iter(record))
    spoiled: dict[str, Any] = dict(record)
    match fault:
        case 0:
            del spoiled[first]
        case 1:
            spoiled["no_such_feature"] = 1.0
        case 2:
            spoiled[first] = "many"
        case _:
            spoiled[first] = 1e9
    return spoiled
