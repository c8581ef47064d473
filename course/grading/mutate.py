"""Tests of a student against good and spoilt things: pass the good, catch the spoilt.

Two kinds: behavioural tests of a task against models that learned from spoilt tables, and
tests as programs against code with a fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import PipelineError
from course import yaml_text
from course.classroom import ROOT
from course.copy import Copy
from course.grading import process, reproduce, worktree
from course.grading.result import Red

# Few folds and one candidate: what a model has learned does not depend on them.
QUICK: dict[str, Any] = {
    "folds": 2,
    "candidates": {
        "gradient_boosting": {"n_estimators": 120, "max_depth": 3, "subsample": 0.7}
    },
}
TRAIN_SECONDS = 120


@dataclass(frozen=True)
class Mutant:
    """A fault in a file: a text that it has once, and what replaces it.

    Attributes:
        name: what is wrong then, a phrase.
        path: the file, from the root.
        before: the text.
        after: its replacement.
    """

    name: str
    path: str
    before: str
    after: str

    def apply(self, tree: Path) -> None:
        """Put the fault into a folder's file.

        Raises:
            PipelineError: the file has the text not once.
        """
        file = tree / self.path
        text = file.read_text("utf-8")
        if text.count(self.before) != 1:
            raise PipelineError(
                f"the fault {self.name!r} no longer fits {self.path}: {self.before!r} is"
                f" there {text.count(self.before)} times."
            )
        replaced = text.replace(self.before, self.after)
        file.write_text(replaced, "utf-8", newline="\n")


def survivors(
    tree: Path, mutants: Sequence[Mutant], command: Sequence[str], seconds: float
) -> list[Mutant]:
    """Return the faults that a program does not notice: it ends with status 0.

    Args:
        tree: a folder, such as that of `worktree.checkout`; left as it was.
        mutants: the faults, each alone in its turn.
        command: the program, run in the folder.
        seconds: the time for each run.
    """
    unnoticed = []
    for mutant in mutants:
        file = tree / mutant.path
        original = file.read_bytes()
        mutant.apply(tree)
        try:
            if process.run(command, tree, seconds).succeeded:
                unnoticed.append(mutant)
        finally:
            file.write_bytes(original)
    return unnoticed


def behaviours(
    copy: Copy,
    task: str,
    tables: Mapping[str, bytes],
    settings: Mapping[str, Any] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Return what a task's behavioural tests say about models of several tables.

    Args:
        copy: the copy, whose last commit has the task.
        task: its name.
        tables: CSV by a name for the model.
        settings: the task's section of `params.yaml`; by default `QUICK`.

    Returns:
        for each name the results: `name`, `passed` and `detail` of each test.

    Raises:
        Red: a model cannot be trained with the task as it is.
    """
    results = {}
    for name, table in tables.items():
        with trained(copy, task, table, settings or QUICK) as bundle:
            challenger = reproduce.content(bundle, task)["challenger"]
            if challenger is None:
                raise PipelineError(f"no model of {task} could be trained: {name}.")
            results[name] = list(challenger["behaviours"])
    return results


@contextmanager
def trained(
    copy: Copy, task: str, table: bytes, settings: Mapping[str, Any]
) -> Iterator[Path]:
    """Return the bundle of a training of a student's task on another table.

    Raises:
        Red: the table breaks a rule of the task, or the training fails.
    """
    with worktree.folder() as parent:
        tree = parent / "t"
        tree.mkdir()
        worktree.template_code(ROOT, tree)
        worktree.student_settings(copy, copy.head, tree)
        _only(tree, task, settings)
        source = parent / "table.csv"
        source.write_bytes(table)
        add = process.python("-m", "pipeline", "data", "add", str(source))
        outcome = process.run([*add, "--task", task], tree, TRAIN_SECONDS)
        if not outcome.succeeded:
            raise Red(f"the task {task} refuses a table: {outcome.reason}")
        worktree.commit_all(tree, parent / "origin.git")
        yield reproduce.train(tree, task, TRAIN_SECONDS)


def _only(tree: Path, task: str, settings: Mapping[str, Any]) -> None:
    """Give one task other settings, and leave the others out."""
    path = tree / "params.yaml"
    params = yaml_text.mapping(path.read_text("utf-8"), "params.yaml")
    params["tasks"] = {task: dict(settings)}
    path.write_text(yaml.safe_dump(params), "utf-8", newline="\n")
    for other in (tree / "pipeline" / "tasks").glob("*.yaml"):
        if other.stem != task:
            other.unlink()
