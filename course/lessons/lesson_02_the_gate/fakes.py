"""Ways to cheat in lesson 2."""

import json

from core.git import git
from course.lessons.lesson_02_the_gate.check import (
    ChampionIsMadeAgain,
    HistoryIsEmptied,
    HistoryIsWhole,
    ModelIsPromoted,
)
from course.lessons.lesson_02_the_gate.solution import TASK, begin_with, empty
from course.work import Fake, Work

GATE = "pipeline/publish/gate.py"
LIMITS = "thresholds: {accuracy: 0.9, log_loss: 0.3}"


def templates_runs(work: Work) -> None:
    """Keep the runs of the template, among which are promotions and refusals."""
    begin_with(work, 1)
    work.commit("feat: compare iris with a simple model")


def copied(work: Work) -> None:
    """Bring a champion of the template back into the empty history."""
    empty(work)
    for part in (f"mlruns/{TASK}", f"mlruns/registry/{TASK}", "deployment/models"):
        work.git("checkout", "--quiet", work.copy.started, "--", part)
    # The runs get other numbers, so that they are not the template's.
    for file in (work.root / "mlruns" / TASK).glob("*/*/run.json"):
        folder = file.parent
        folder.rename(folder.with_name(folder.name[::-1]))
    work.commit("chore(publish): iris promoted")


def edited(work: Work) -> None:
    """Train a model that is refused, and write `promoted` into its run."""
    empty(work)
    begin_with(work, 0.01)
    work.publish("feat: compare iris with a simple model", TASK)
    for file in (work.root / "mlruns" / TASK).glob("*/*/run.json"):
        run = json.loads(file.read_text("utf-8"))
        if run["parent"] is None:
            path = file.relative_to(work.root).as_posix()
            text = work.read(path).replace('"refused"', '"promoted"')
            work.write(path, text)
    work.commit("fix: correct the decision")


def open_gate(work: Work) -> None:
    """Let a gate decide that promotes everything."""
    empty(work)
    work.edit(GATE, "    if reasons:\n", "    if False:\n")
    begin_with(work, 0.01)
    work.publish("feat: compare iris with a simple model", TASK)


def low_limits(work: Work) -> None:
    """Lower the limits of the task until a weak model passes."""
    empty(work)
    path = f"pipeline/tasks/{TASK}.yaml"
    work.edit(path, LIMITS, "thresholds: {accuracy: 0.1, log_loss: 3}")
    head, _, _ = work.read(path).partition("behaviours:")
    work.write(path, head)
    begin_with(work, 0.01)
    work.publish("feat: compare iris with a simple model", TASK)


def forged(work: Work) -> None:
    """Put a file of another model into a commit that looks like the pipeline's."""
    empty(work)
    source = work.git("rev-parse", "HEAD")
    commit = work.copy.started
    path = f"mlruns/registry/{TASK}/1.json"
    text = git(work.root, "show", f"{commit}:{path}")
    work.write(path, f"{text}\n")
    work.commit(f"chore(publish): {TASK} promoted\n\nMlops-Publish: {source}")


FAKES = (
    Fake("the template's runs", templates_runs, HistoryIsEmptied, "still there"),
    Fake("a champion that was copied", copied, HistoryIsWhole, "was added by"),
    Fake("a run that was edited", edited, HistoryIsWhole, "was changed by"),
    Fake("a commit in the pipeline's name", forged, HistoryIsWhole, "history verify"),
    Fake("a gate that promotes everything", open_gate, ChampionIsMadeAgain, "again"),
    Fake("limits that are lower", low_limits, ModelIsPromoted, "was changed before"),
)
