"""A small picture of one metric over the pushes, as SVG.

Written by hand and not by a plotting library for the sake of Git: every push stands at its own
fixed place, so the next push's picture differs from the last one's by a few bytes.
"""

from collections.abc import Sequence
from html import escape

from pipeline.report.pushes import Event, day

STEP, HEIGHT, LEFT, TOP, SHOWN = 16, 120, 64, 28, 60
STYLE = """text { font: 12px sans-serif; fill: #6e7781 }
.grid { stroke: #8c959f; stroke-opacity: .4 }
.served { fill: none; stroke: #0969da; stroke-width: 2 }
.yes { fill: #0969da } .no { fill: #8c959f }"""
LEGEND = "push by push: blue dot promoted, grey dot refused; the line is what was in service"


def draw(title: str, events: Sequence[Event]) -> str:
    """Draw the last `SHOWN` pushes: a dot a challenger, a line for the model in service."""
    events = events[-SHOWN:]
    known = [v for event in events for v in (event.challenger, event.champion) if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    width, bottom = LEFT + STEP * SHOWN, TOP + HEIGHT
    line, dots = [], []
    for place, event in enumerate(events):
        x = LEFT + STEP * place + STEP // 2
        if event.champion is not None:
            line.append(f"{x},{_y(event.champion, low, high)}")
        if event.challenger is not None:
            kind = "yes" if event.promoted else "no"
            said = f"{day(event.when)} {event.commit[:7]} {event.algorithm}: {event.decision}"
            dots.append(
                f'<circle cx="{x}" cy="{_y(event.challenger, low, high)}" r="4" class="{kind}">'
                f"<title>{escape(said)}</title></circle>"
            )
    marks = "\n".join(dots)
    box = f'viewBox="0 0 {width} {bottom + 28}" role="img"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {box}>
<title>{escape(title)}</title>
<style>
{STYLE}
</style>
<text x="0" y="14">{escape(title)}</text>
<line class="grid" x1="{LEFT}" x2="{width}" y1="{TOP}" y2="{TOP}"/>
<line class="grid" x1="{LEFT}" x2="{width}" y1="{bottom}" y2="{bottom}"/>
<text x="0" y="{TOP + 4}">{high:.4g}</text>
<text x="0" y="{bottom + 4}">{low:.4g}</text>
<polyline class="served" points="{" ".join(line)}"/>
{marks}
<text x="{LEFT}" y="{bottom + 22}">{LEGEND}</text>
</svg>
"""


def _y(value: float, low: float, high: float) -> float:
    return round(TOP + HEIGHT * (high - value) / ((high - low) or 1.0), 1)
