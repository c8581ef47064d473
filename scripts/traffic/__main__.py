"""Sends traffic to the API: normal, faulty, slow or drifted.

normal: records as those that the models were trained on. drifted: the same, with one
feature moved.
errors: requests that must be refused. slow: lists of thousands of records. Ctrl-C ends
it.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from app.serving.model import MANIFEST, ModelError
from scripts import console
from scripts.traffic.population import Population
from scripts.traffic.questions import RATES, ask
from scripts.traffic.sending import Counts, Unreachable, send

MODELS = Path(__file__).resolve().parents[2] / "deployment" / "models"
SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when all is sent, 1 if the API or a model is not there."""
    parser, tasks = _parser(), sorted(
        path.parent.name for path in MODELS.glob(f"*/{MANIFEST}")
    )
    given = parser.parse_args(arguments)
    if not tasks:
        return _fail(
            f"{MODELS} holds no model to send traffic to: publish the first one with "
            "`python -m pipeline train` and `python -m pipeline publish`."
        )
    for task in given.task:
        if task not in tasks:
            parser.error(f"there is no task {task}: the tasks are {', '.join(tasks)}.")
    random = np.random.default_rng()
    try:
        populations = [
            Population(MODELS / task, random) for task in given.task or tasks
        ]
    except ModelError as error:
        return _fail(f"a model in {MODELS} cannot be used: {error}")
    if given.kind == "drifted":
        populations = _drift(parser, populations, given.feature, given.shift)
    seconds = given.seconds
    if seconds is None and given.rows is None:
        seconds = SECONDS
    counts = Counts()
    questions = ask(given.kind, populations, given.rows, random)
    rate = RATES[given.kind] if given.rate is None else given.rate
    try:
        asyncio.run(send(given.url, questions, rate, seconds, given.feedback, counts))
    except Unreachable as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        pass  # what was sent until then is told as always
    print(json.dumps(counts.summary()) if given.json else counts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.traffic", description=__doc__
    )
    parser.add_argument("kind", nargs="?", choices=RATES, default="normal")
    parser.add_argument(
        "--task", action="append", default=[], help="a task; all without it"
    )
    rates = ", ".join(f"{kind} {rate:g}" for kind, rate in RATES.items())
    parser.add_argument(
        "--rate", type=_positive, help=f"requests a second; without it {rates}"
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        help=f"how long; {SECONDS:g} without this and --rows",
    )
    parser.add_argument(
        "--rows", type=_count, help="end after so many records of each task"
    )
    parser.add_argument(
        "--feature", help="what drifts; without it each task's first number"
    )
    parser.add_argument(
        "--shift",
        type=float,
        default=1.0,
        help="by how many standard deviations; 1 without it",
    )
    parser.add_argument(
        "--feedback", action="store_true", help="also send what turned out to be true"
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000", help="without it %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="the counts as JSON")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _drift(
    parser: argparse.ArgumentParser,
    populations: list[Population],
    feature: str | None,
    by: float,
) -> list[Population]:
    """Move the feature in the tasks that have it, and leave the other tasks out."""
    having = [p for p in populations if p.numbers and feature in (None, *p.numbers)]
    if not having:
        known = "; ".join(f"{p.task}: {', '.join(p.numbers)}" for p in populations)
        parser.error(f"no task has a number {feature}. What can drift: {known}.")
    for population in having:
        population.shift(feature or population.numbers[0], by)
    return having


def _fail(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(console.run(main))
