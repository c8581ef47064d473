"""The project of a student: its task, its trainings and its table."""

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from course import orchard
from course.classroom import ROOT
from course.copy import Copy
from course.grading import history, reproduce, snapshot
from course.grading.history import Publication
from course.grading.result import Red
from course.grading.snapshot import Line

KEY = "capstone"
PAGE = "course/capstone.md"


@dataclass(frozen=True)
class Project:
    """A task of one's own.

    Attributes:
        copy: the copy.
        task: the name of the task.
    """

    copy: Copy
    task: str

    @property
    def file(self) -> str:
        """The description of the task."""
        return f"pipeline/tasks/{self.task}.yaml"

    @cached_property
    def description(self) -> dict[str, Any]:
        """The content of the description."""
        return self.copy.yaml(self.file, "HEAD")

    @cached_property
    def publications(self) -> list[Publication]:
        """The publications with a training of the task, oldest first."""
        listed = []
        for each in history.publications(self.copy):
            if history.training(self.copy, each, self.task):
                listed.append(each)
        return listed

    @cached_property
    def promoted(self) -> Publication:
        """The newest publication that put a model into service.

        Raises:
            Red: there is none.
        """
        promotions = reproduce.promotions(self.copy, self.task)
        if not promotions:
            raise Red(f"no model of {self.task} was promoted")
        return promotions[-1]

    @property
    def model(self) -> bytes:
        """The ONNX file that was promoted last."""
        path = f"deployment/models/{self.task}/model.onnx"
        return self.copy.content(path, self.promoted.commit)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The settings of a training of the algorithm that was promoted last.

        Raises:
            Red: the commit that was trained does not name the algorithm.
        """
        source = self.promoted.source
        path = f"deployment/models/{self.task}/manifest.json"
        algorithm = self.copy.json(path, self.promoted.commit)["algorithm"]
        tasks = self.copy.yaml("params.yaml", source)["tasks"]
        section = tasks.get(self.task) or self.copy.yaml(self.file, source)["training"]
        candidates: dict[str, Any] = section["candidates"]
        if algorithm not in candidates:
            raise Red(f"{source[:7]} has no candidate {algorithm}, which is in service")
        alone = {algorithm: candidates[algorithm]}
        return {**section, "candidates": alone}

    @cached_property
    def rows(self) -> list[Line]:
        """The table that it was trained on.

        Raises:
            PipelineError: it is no gzipped CSV, or too large.
        """
        return snapshot.lines(self.copy, self.task, self.promoted.commit)


def of(copy: Copy) -> Project:
    """Return the project that the answers name.

    Raises:
        Red: they name none, or a task that is not the student's own.
    """
    task = copy.answers().get(KEY)
    if not isinstance(task, str):
        raise Red(f"course/answers.yaml has no answer for {KEY}", "your task's name")
    project = Project(copy, task)
    if not task.isidentifier() or not copy.has(project.file):
        raise Red(f"{project.file} is not in the last commit")
    if task == orchard.NAME or copy.has(project.file, copy.started):
        raise Red(f"{task} is a task of the course or the template", "one of your own")
    if not copy.here and (ROOT / project.file).is_file():
        raise Red(f"{task} is a task of the template", "one of your own")
    return project


def to_csv(rows: list[Line]) -> bytes:
    """Return rows as CSV."""
    output = io.StringIO()
    writer = csv.DictWriter(output, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return output.getvalue().encode()
