"""The lessons: folders of `course/lessons`, each with its page, checks and solution."""

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from core.errors import PipelineError, UsageError, first_fault
from course import lessons, yaml_text
from course.check import Check
from course.work import Fake, Work

FOLDER = re.compile(r"lesson_(\d\d)_\w+")
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
HINT = re.compile(r"<details>\n<summary>[^\n]*</summary>\n(.*?)\n</details>", re.DOTALL)


class FrontMatter(BaseModel, extra="forbid", frozen=True):
    """What the head of a lesson's page says.

    Attributes:
        title: the lesson's title, without its number.
        aim: what one can do afterwards, a sentence.
        minutes: how long it takes.
        needs: the lessons whose results it builds on.
        track: `core` in the short course, `more` in the long one, `open` at one's
            own pace.
    """

    title: str
    aim: str
    minutes: int = Field(gt=0)
    needs: tuple[int, ...]
    track: Literal["core", "more", "open"]


@dataclass(frozen=True)
class Lesson:
    """A lesson by its number and its folder's name."""

    number: int
    folder: str

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(str(lessons.__file__)).parent / self.folder

    @property
    def page(self) -> Path:
        """The file of the page."""
        return self.path / "lesson.md"

    @cached_property
    def text(self) -> str:
        """The page, `lesson.md`."""
        return self.page.read_text("utf-8")

    @cached_property
    def front(self) -> FrontMatter:
        """The head of the page.

        Raises:
            PipelineError: it is missing or has another content.
        """
        where = f"course/lessons/{self.folder}/lesson.md"
        head = FRONT_MATTER.match(self.text)
        content = yaml_text.mapping(head[1], where) if head else {}
        try:
            return FrontMatter.model_validate(content)
        except ValidationError as error:
            raise PipelineError(f"{where}: {first_fault(error)}.") from error

    @property
    def title(self) -> str:
        """The lesson's title, without its number."""
        return self.front.title

    @property
    def hints(self) -> list[str]:
        """The hints that are folded in the page, the vaguest first."""
        return [hint.strip() for hint in HINT.findall(self.text)]

    @property
    def checks(self) -> tuple[type[Check], ...]:
        """The checks, in their order: `CHECKS` of `check.py`."""
        checks: tuple[type[Check], ...] = self._module("check").CHECKS
        return checks

    @property
    def fakes(self) -> tuple[Fake, ...]:
        """Ways to cheat, which must stay red: `FAKES` of `fakes.py`."""
        fakes: tuple[Fake, ...] = self._module("fakes").FAKES
        return fakes

    @property
    def solve(self) -> Callable[[Work], None]:
        """The solution: `solve` of `solution.py`."""
        solve: Callable[[Work], None] = self._module("solution").solve
        return solve

    @property
    def begin(self) -> Callable[[Work], str] | None:
        """What prepares the lesson, if anything does: `begin` of `begin.py`."""
        if not (self.path / "begin.py").is_file():
            return None
        begin: Callable[[Work], str] = self._module("begin").begin
        return begin

    @property
    def outputs(self) -> dict[str, Callable[[Work], str]]:
        """What runs the programs that the page quotes: `OUTPUTS` of `outputs.py`."""
        if not (self.path / "outputs.py").is_file():
            return {}
        outputs: dict[str, Callable[[Work], str]] = self._module("outputs").OUTPUTS
        return outputs

    def _module(self, name: str) -> ModuleType:
        module = f"{lessons.__name__}.{self.folder}.{name}"
        return importlib.import_module(module)


def every() -> list[Lesson]:
    """Return all lessons by their numbers."""
    listed = []
    for module in pkgutil.iter_modules(lessons.__path__):
        match = FOLDER.fullmatch(module.name)
        if match:
            number = int(match[1])
            listed.append(Lesson(number, module.name))
    return sorted(listed, key=lambda lesson: lesson.number)


def get(number: int) -> Lesson:
    """Return a lesson.

    Raises:
        UsageError: there is none with this number.
    """
    lessons_by_number = {lesson.number: lesson for lesson in every()}
    if number in lessons_by_number:
        return lessons_by_number[number]
    numbers = ", ".join(str(each) for each in lessons_by_number)
    raise UsageError(f"there is no lesson {number}: choose from {numbers}.")
