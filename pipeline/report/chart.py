"""A small picture of one metric over the pushes, as SVG.

Drawn by hand and not by a plotting library for the sake of Git: every push stands at
its own fixed place, so the next push's picture differs from the last one's by a few
bytes.
"""

from pipeline.report.pushes import Event
from pipeline.report.templates import render
from pipeline.schema import Task

STEP, HEIGHT, LEFT, TOP, SHOWN = 16, 120, 64, 28, 60


def draw(task: Task, events: list[Event]) -> str:
    """Draw the last `SHOWN` pushes: a dot a challenger, a line for the model in
    service.
    """
    champion: float | None = None
    served: list[float | None] = []
    for event in events:
        champion = event.value if event.promoted else champion
        served.append(champion)
    events, served = events[-SHOWN:], served[-SHOWN:]
    values = [event.value for event in events]
    known = [value for value in (*values, *served) if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)

    def point(place: int, value: float) -> tuple[int, float]:
        height = HEIGHT * (high - value) / ((high - low) or 1.0)
        return LEFT + STEP * place + STEP // 2, round(TOP + height, 1)

    better = "higher" if task.metric.higher_is_better else "lower"
    return render(
        "pushes.svg",
        title=f"{task.name}: {task.metric.name} on the hold-out, {better} is better",
        dots=[(*point(i, v), events[i]) for i, v in enumerate(values) if v is not None],
        served=[
            "{},{}".format(*point(i, v)) for i, v in enumerate(served) if v is not None
        ],
        **{"low": low, "high": high, "left": LEFT, "top": TOP, "bottom": TOP + HEIGHT},
        width=LEFT + STEP * SHOWN,
    )
