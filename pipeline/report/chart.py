"""A small picture of one metric over the pushes, as SVG.

Written by hand and not by a plotting library for the sake of Git: every push stands at its own fixed
place, so the next push's picture differs from the last one's by a few bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STEP, HEIGHT, LEFT, TOP = 16, 120, 64, 28
SHOWN = 60


@dataclass(frozen=True)
class Point:
    """One push: its challenger's value, the champion's after it, and whether it was promoted."""

    value: float | None
    champion: float | None
    promoted: bool
    label: str


def draw(title: str, points: Sequence[Point]) -> str:
    """Draw the last `SHOWN` pushes: a dot a challenger, a line for the model in service."""
    points = points[-SHOWN:]
    known = [v for point in points for v in (point.value, point.champion) if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    span = (high - low) or 1.0

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (high - value) / span, 1)

    def x(index: int) -> int:
        return LEFT + STEP * index + STEP // 2

    width = LEFT + STEP * SHOWN
    served = [(x(i), y(p.champion)) for i, p in enumerate(points) if p.champion is not None]
    line = " ".join(f"{left},{up}" for left, up in served)
    dots = "\n".join(
        f'<circle cx="{x(i)}" cy="{y(p.value)}" r="4" class="{"yes" if p.promoted else "no"}">'
        f"<title>{escape(p.label)}</title></circle>"
        for i, p in enumerate(points)
        if p.value is not None
    )
    bottom = TOP + HEIGHT
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 28}" role="img">
<title>{escape(title)}</title>
<style>
text {{ font: 12px sans-serif; fill: #6e7781 }}
.grid {{ stroke: #8c959f; stroke-opacity: .4 }}
.served {{ fill: none; stroke: #0969da; stroke-width: 2 }}
.yes {{ fill: #0969da }} .no {{ fill: #8c959f }}
</style>
<text x="0" y="14">{escape(title)}</text>
<line class="grid" x1="{LEFT}" x2="{width}" y1="{TOP}" y2="{TOP}"/>
<line class="grid" x1="{LEFT}" x2="{width}" y1="{bottom}" y2="{bottom}"/>
<text x="0" y="{TOP + 4}">{high:.4g}</text>
<text x="0" y="{bottom + 4}">{low:.4g}</text>
<polyline class="served" points="{line}"/>
{dots}
<text x="{LEFT}" y="{bottom + 22}">push by push: blue dot promoted, grey dot refused; line = in service</text>
</svg>
"""
