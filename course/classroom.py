"""The class: `course/class.yaml` of the grader's own checkout."""

from datetime import date
from pathlib import Path
from zoneinfo import available_timezones

from pydantic import BaseModel, Field, ValidationError, field_validator

from core.errors import PipelineError, first_fault
from course import yaml_text

# The checkout that this program belongs to.
ROOT = Path(__file__).resolve().parents[1]
FILE = "course/class.yaml"


class Classroom(BaseModel, extra="forbid", frozen=True):
    """A class: its name, the salt of all draws, the template, and the last days.

    A day ends at midnight of the time zone, such as `Europe/Berlin`. `grader` is the
    commit of the template whose checks GitHub runs in the copies; empty for their own.
    """

    name: str
    salt: str
    template: str
    grader: str = Field(default="", pattern="^([0-9a-f]{40})?$")
    timezone: str = "UTC"
    due: dict[int, date] = {}

    @field_validator("timezone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(
                f"there is no time zone {value!r}, write one as Europe/Berlin"
            )
        return value


def load(root: Path = ROOT) -> Classroom:
    """Return the class of a checkout.

    Raises:
        PipelineError: the file is missing or does not describe a class.
    """
    try:
        text = (root / FILE).read_text("utf-8")
    except FileNotFoundError as error:
        raise PipelineError(f"{FILE} is missing: take it from the template.") from error
    return parse(text)


def parse(text: str) -> Classroom:
    """Return the class that a text of the file describes.

    Raises:
        PipelineError: it does not describe one.
    """
    content = yaml_text.mapping(text, FILE)
    try:
        return Classroom.model_validate(content)
    except ValidationError as error:
        raise PipelineError(f"{FILE}: {first_fault(error)}.") from error
