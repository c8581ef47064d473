"""A small chart of one metric over the pushes, as SVG.

It comes from a template and not from a plotting library for the sake of Git: every push
has a fixed place, so that a new push changes only a few bytes of the file.
"""

from pipeline.report.pushes import Event
from pipeline.report.templates import render
from pipeline.schema import Task

# In the units of the SVG file.
STEP = 16
HEIGHT = 120
LEFT = 64
TOP = 28
SHOWN = 60
WIDTH = LEFT + STEP * SHOWN


def draw(task: Task, events: list[Event]) -> str:
    """Draw the last `SHOWN` pushes: a dot per challenger, a line for the champion."""
    in_service = _in_service(events)[-SHOWN:]
    events = events[-SHOWN:]
    low, high = _range(events, in_service)
    dots = []
    line = []
    for place, event in enumerate(events):
        left = LEFT + STEP * place
        x = left + STEP // 2
        if event.value is not None:
            y = _height(event.value, low, high)
            dots.append((x, y, event))
        champion = in_service[place]
        if champion is not None:
            y = _height(champion, low, high)
            line.append(f"{x},{y}")
    better = "higher" if task.metric.higher_is_better else "lower"
    return render(
        "pushes.svg",
        title=f"{task.name}: {task.metric.name} on the hold-out, {better} is better",
        dots=dots,
        served=line,
        low=low,
        high=high,
        left=LEFT,
        top=TOP,
        bottom=TOP + HEIGHT,
        width=WIDTH,
    )


def _range(events: list[Event], in_service: list[float | None]) -> tuple[float, float]:
    """Return the lowest and the highest value in the chart."""
    values = []
    for event in events:
        values.append(event.value)
    values += in_service
    numbers = [value for value in values if value is not None]
    low = min(numbers, default=0.0)
    high = max(numbers, default=1.0)
    return low, high


def _in_service(events: list[Event]) -> list[float | None]:
    """Return the metric of the model in service after each event."""
    champion: float | None = None
    values = []
    for event in events:
        if event.promoted:
            champion = event.value
        values.append(champion)
    return values


def _height(value: float, low: float, high: float) -> float:
    if high == low:
        return float(TOP)
    below_top = HEIGHT * (high - value) / (high - low)
    return round(TOP + below_top, 1)
