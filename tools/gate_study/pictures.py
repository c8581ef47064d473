"""The two pictures of docs/gate.md."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.files import write_atomic
from pipeline import tasks
from pipeline.publish.reasons import METRICS
from tools.gate_study.figures import (
    POWER,
    Simulated,
    all_reigns,
    gain_by_share,
    standard_error,
)
from tools.gate_study.rules import Rule

PLACE = 10
PANEL_WIDTH = 4.0  # inches
HEIGHT = 3.4
DPI = 90
SHARES = np.linspace(0, 0.98, 99)
OPTIMISM = 0.25  # of a standard error, the most that is allowed

ByTask = dict[str, Simulated]
Panel = Callable[[Axes, str, Simulated, Sequence[Rule]], None]


def draw(folder: Path, simulated: ByTask, rules: Sequence[Rule]) -> None:
    """Write `gate-power.png` and `gate-optimism.png`.

    Args:
        folder: where they are written.
        simulated: what happened, by the task's name.
        rules: the rules to show.
    """
    power = _picture(simulated, rules, _draw_power)
    write_atomic(folder / "gate-power.png", power)
    optimism = _picture(simulated, rules, _draw_optimism)
    write_atomic(folder / "gate-optimism.png", optimism)


def _picture(simulated: ByTask, rules: Sequence[Rule], panel: Panel) -> bytes:
    """Return a PNG with one panel a task."""
    count = len(simulated)
    size = (count * PANEL_WIDTH, HEIGHT)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, count, squeeze=False)
    for axes, name in zip(grid[0], simulated, strict=True):
        panel(axes, name, simulated[name], rules)
        axes.set_title(name)
        axes.locator_params(axis="x", nbins=5)
        axes.legend(fontsize="small")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    return stream.getvalue()


def _draw_power(
    axes: Axes,
    name: str,
    simulated: Simulated,
    rules: Sequence[Rule],
) -> None:
    """Draw how many challengers with a true gain are promoted, by its size."""
    widest = 0.0
    reigns = all_reigns(simulated)
    for rule in rules:
        by_share = gain_by_share(rule, reigns, PLACE, SHARES)
        axes.plot(by_share, SHARES, label=rule.name)
        is_enough = np.isfinite(by_share)
        widest = max([widest, *by_share[is_enough]])
    _draw_line(axes, POWER)
    axes.set_xlim(0, widest or None)
    axes.set_ylim(0, 1)
    metric = tasks.load(name).metric.name
    title = METRICS.get(metric, metric)
    axes.set_xlabel(f"true gain in {title}")
    axes.set_ylabel(f"share promoted as challenger {PLACE}")


def _draw_optimism(
    axes: Axes,
    name: str,
    simulated: Simulated,
    rules: Sequence[Rule],
) -> None:
    """Draw how the optimism of the model in service grows without a true gain."""
    error = standard_error(simulated)
    reigns = all_reigns(simulated)
    for rule in rules:
        courses = [reign.equal[rule.name] for reign in reigns]
        luck = [course.luck for course in courses]
        optimism = np.mean(luck, axis=0) / error
        count = len(optimism)
        pushes = np.arange(1, count + 1)
        axes.plot(pushes, optimism, label=rule.name)
    _draw_line(axes, OPTIMISM)
    axes.set_ylim(bottom=-0.05)
    axes.set_xlabel("pushes of equally good models")
    axes.set_ylabel("optimism, standard errors")


def _draw_line(axes: Axes, height: float) -> None:
    """Draw the level that the curves are compared with."""
    axes.axhline(
        height,
        color="grey",
        linewidth=0.8,
        linestyle=":",
    )
