"""Three tasks of somebody else's: many rows, categories in words, dates."""

import csv
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

COMMON = """\
limits: [The rows were generated for a test.]
tolerance: 0.01
budget: {size_bytes: 2_000_000, latency_ms: 5}
homepage: https://example.org/own
licence: All rights reserved
"""
RENT = """\
title: Flats to let
kind: regression
description: Estimates what a flat costs a month.
features:
  - {name: area, description: Floor, example: 60.5, unit: m2, low: 10, high: 300}
  - {name: rooms, description: Rooms without the kitchen, example: 2, unit: rooms, low: 1, high: 12}
  - {name: distance, description: To the station, example: 1.25, unit: km, low: 0, high: 50}
target: {name: rent, description: Rent, unit: EUR, low: 0, high: 10_000}
metric: {name: rmse, higher_is_better: false}
thresholds: {r2: 0.5}
behaviours:
  A larger flat costs more: {expect: higher, add: {area: 60}, tolerance: 10}
training:
  folds: 3
  candidates: {dummy: {}, linear_regression: {}}
"""
TICKETS = """\
title: Tickets
kind: classification
description: Says whether a ticket is solved on the day that it comes in.
features:
  - name: channel
    description: How it came in
    example: by telephone
    categories: [by telephone, "by letter, or fax", e-mail, Schalter Köln]
  - {name: words, description: Length of the text, example: 120, unit: words, low: 0, high: 5000}
target: {name: solved, description: Solved that day, classes: ["no", "yes"]}
metric: {name: log_loss, higher_is_better: false}
thresholds: {accuracy: 0.6}
training:
  folds: 3
  candidates: {dummy: {}, logistic_regression: {}}
"""
SALES = """\
title: Ice cream
kind: regression
description: Estimates how many scoops are sold on a day.
features:
  - {name: month, description: Month of the sale, example: 4, low: 1, high: 12}
  - {name: weekday, description: "Day of the sale, 1 is Monday", example: 2, low: 1, high: 7}
  - {name: degrees, description: At noon, example: 21.5, unit: °C, low: -30, high: 50}
target: {name: scoops, description: Scoops, unit: scoops, low: 0, high: 5000}
metric: {name: mae, higher_is_better: false}
thresholds: {r2: 0.3}
table:
  derive: {month: month(sold_on), weekday: weekday(sold_on)}
  ignore: [shop]
training:
  folds: 3
  candidates: {dummy: {}, linear_regression: {}}
"""
TASKS = {
    "rent": RENT,
    "tickets": TICKETS,
    "ice_cream": SALES,
}


def write(root: Path) -> dict[str, Path]:
    """Write the tasks' files into a checkout, and their tables beside it; return the
    tables.
    """
    for name, text in TASKS.items():
        (root / "pipeline" / "tasks" / f"{name}.yaml").write_text(
            text + COMMON,
            "utf-8",
        )
    rows = {
        "rent": _rent(),
        "tickets": _tickets(),
        "ice_cream": _sales(),
    }
    tables = {}
    for name in TASKS:
        tables[name] = root.parent / f"{name}.csv"
    for name, path in tables.items():
        with path.open(
            "w",
            encoding="utf-8",
            newline="",
        ) as stream:
            writer = csv.DictWriter(stream, list(rows[name][0]))
            writer.writeheader()
            writer.writerows(rows[name])
    return tables


def add_table(
    root: Path,
    task: str,
    table: Path,
) -> None:
    """Add the rows of a task by the command for that."""
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "--repo",
        str(root),
        "data",
        "add",
        str(table),
        "--task",
        task,
    ]
    subprocess.run(
        command,
        cwd=root,
        check=True,
    )


def _rent() -> list[dict[str, object]]:
    chance = random.Random(1)
    rows: list[dict[str, object]] = []
    for _ in range(10_000):
        area = round(chance.uniform(20, 150), 1)
        rooms = chance.randint(1, 6)
        distance = round(chance.expovariate(0.5), 2) % 50
        rent = 200 + 14 * area + 30 * rooms - 40 * min(distance, 5)
        rent += chance.gauss(0, 60)
        row = {
            "area": area,
            "rooms": rooms,
            "distance": distance,
            "rent": round(max(rent, 50), 2),
        }
        rows.append(row)
    return rows


def _tickets() -> list[dict[str, object]]:
    chance = random.Random(2)
    channels = {
        "by telephone": 0.9,
        "by letter, or fax": 0.1,
        "e-mail": 0.6,
        "Schalter Köln": 0.8,
    }
    rows: list[dict[str, object]] = []
    for _ in range(800):
        channel = chance.choice(list(channels))
        words = chance.randint(5, 900)
        ease = 1.1 if words < 300 else 0.8
        is_solved = chance.random() < channels[channel] * ease
        row: dict[str, object] = {
            "channel": channel,
            "words": words,
            "solved": "yes" if is_solved else "no",
        }
        rows.append(row)
    return rows


def _sales() -> list[dict[str, object]]:
    chance = random.Random(3)
    rows: list[dict[str, object]] = []
    for number in range(700):
        day = date(2024, 1, 1) + timedelta(days=number)
        months_from_july = abs(day.month - 7)
        usual = 12 - 11 * months_from_july / 3 + 10
        degrees = round(usual + chance.gauss(0, 4), 1)
        is_weekend = day.weekday() > 4
        expected = 20 * degrees + 60 * is_weekend
        scoops = max(0, expected + chance.gauss(0, 40))
        row = {
            "sold_on": day.isoformat(),
            "shop": "A",
            "degrees": degrees,
            "scoops": int(scoops),
        }
        rows.append(row)
    return rows
