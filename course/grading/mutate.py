"""Tests of a student against good and spoilt things: pass the good, catch the spoilt.

Two kinds: behavioural tests of a task against models that learned from spoilt tables, and
tests as programs against code with a fault.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import PipelineError
from course.classroom import ROOT
from course.copy import Copy
from course.grading import reproduce, sandbox, worktree

# Few folds and one candidate: what a model has learned does not depend on them.
QUICK: dict[str, Any] = {
    "folds": 2,
    "candidates": {
        "gradient_boosting": {
            "n_estimators": 120,
            "max_depth": 3,
            "subsample": 0.7,
        }
    },
}
# A model that answers the same for every row.
CONSTANT: dict[str, Any] = {"folds": 2, "candidates": {"dummy": {}}}
# An honest copy must end in time on a computer that is busy with other work.
TRAIN_SECONDS = 600
_OF_ITS_DATA = ("name", "sources", "digest", "rows_digest", "table", "training")


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
        count = text.count(self.before)
        if count != 1:
            raise PipelineError(
                f"the fault {self.name!r} no longer fits {self.path}: {self.before!r} is"
                f" there {count} times."
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
            outcome = sandbox.run(command, tree, seconds)
            if outcome.succeeded:
                unnoticed.append(mutant)
        finally:
            file.write_bytes(original)
    return unnoticed


def behaviours(
    copy: Copy,
    task: str,
    tables: Mapping[str, bytes],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Return what a task's behavioural tests say about models of several tables.

    One program trains all models. The task is read without its sources and digests, so
    that it takes any table with its columns.

    Args:
        copy: the copy, whose last commit has the task.
        task: its name.
        tables: CSV by a name for the model.
        settings: the sections of `params.yaml` of models for which `QUICK` will not do.

    Returns:
        for each name the results: `name`, `passed` and `detail` of each test.

    Raises:
        Red: a table breaks a rule of the task, or the training fails.
    """
    names = {f"{task}_{place}": name for place, name in enumerate(tables)}
    sections = _sections(names, settings or {})
    with worktree.folder() as parent:
        tree = parent / "t"
        tree.mkdir()
        worktree.template_code(ROOT, tree)
        worktree.student_settings(copy, copy.head, tree)
        _only(tree, sections)
        content = copy.yaml(f"pipeline/tasks/{task}.yaml", "HEAD")
        for other, name in names.items():
            _write(tree, other, content, tables[name])
        worktree.commit_all(tree)
        bundle = reproduce.train(tree, *names, seconds=TRAIN_SECONDS)
        results = {}
        for other, name in names.items():
            results[name] = _results(bundle, other, name)
    return results


def _sections(
    names: Mapping[str, str], settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return the section of `params.yaml` of each task, given its model's name."""
    sections = {}
    for task, name in names.items():
        sections[task] = settings.get(name, QUICK)
    return sections


def _only(tree: Path, sections: Mapping[str, Mapping[str, Any]]) -> None:
    """Leave no tasks but some, with their sections of the parameters."""
    path = tree / "params.yaml"
    # It may have aliases: what they repeat grows only where it is written out, and the
    # tasks, which have them, are left out.
    params = yaml.safe_load(path.read_text("utf-8"))
    tasks = {}
    for name, section in sections.items():
        tasks[name] = dict(section)
    params["tasks"] = tasks
    text = yaml.safe_dump(params)
    path.write_text(text, "utf-8", newline="\n")
    folder = tree / "pipeline" / "tasks"
    for other in folder.glob("*.yaml"):
        other.unlink()


def _write(tree: Path, name: str, task: Mapping[str, Any], table: bytes) -> None:
    """Write a task under another name, with a table of its own."""
    kept = {}
    for key, value in task.items():
        if key not in _OF_ITS_DATA:
            kept[key] = value
    text = yaml.safe_dump(kept, allow_unicode=True, sort_keys=False)
    folder = tree / "pipeline" / "tasks"
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8", newline="\n")
    snapshot = tree / "data" / f"{name}.csv.gz"
    compressed = gzip.compress(table, mtime=0)
    snapshot.write_bytes(compressed)


def _results(bundle: Path, task: str, name: str) -> list[dict[str, Any]]:
    about_task = reproduce.content(bundle, task)
    challenger = about_task["challenger"]
    if challenger is None:
        raise PipelineError(f"no model could be trained: {name}.")
    results: list[dict[str, Any]] = challenger["behaviours"]
    return results
