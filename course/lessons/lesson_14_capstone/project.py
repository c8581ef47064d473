"""The project of a student: its task, its trainings and its table."""

import csv
import io
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.errors import PipelineError
from course import orchard
from course.classroom import ROOT
from course.copy import Copy
from course.grading import history, reproduce
from course.grading.history import Publication
from course.grading.result import Red

KEY = "capstone"
PAGE = "course/capstone.md"
MOST_BYTES = 20_000_000
_GZIP = 16 + zlib.MAX_WBITS
Rows = list[dict[str, str]]


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
        for each in reversed(self.publications):
            run = history.training(self.copy, each, self.task)
            if run and reproduce.decision(run).word == "promoted":
                return each
        raise Red(f"no model of {self.task} was promoted")

    @property
    def model(self) -> bytes:
        """The ONNX file that was promoted last."""
        path = f"deployment/models/{self.task}/model.onnx"
        return self.copy.content(path, self.promoted.commit)

    @cached_property
    def rows(self) -> Rows:
        """The table that it was trained on.

        Raises:
            PipelineError: it is no gzipped CSV, or too large.
        """
        path = f"data/{self.task}.csv.gz"
        packed = self.copy.content(path, self.promoted.commit)
        inflated = zlib.decompressobj(_GZIP)
        try:
            content = inflated.decompress(packed, MOST_BYTES)
            if inflated.unconsumed_tail:
                raise PipelineError(f"{path} is too large.")
            return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
        except (zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise PipelineError(f"{path} is not a gzipped CSV.") from error


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


def to_csv(rows: Rows) -> bytes:
    """Return rows as CSV."""
    output = io.StringIO()
    writer = csv.DictWriter(output, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return output.getvalue().encode()
