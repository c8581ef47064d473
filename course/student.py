"""The student: `course/student.yaml`, which also makes a copy a copy for the course."""

import re
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from core.errors import PipelineError, UsageError, first_fault
from course import yaml_text

FILE = "course/student.yaml"
# What GitHub allows as a name.
HANDLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
TEXT = """\
# Who works here, and the version of the template that the work began with.
format: 1
handle: {handle}
version: {version}
"""


class Student(BaseModel, extra="forbid", frozen=True):
    """A student by the name that everything personal is drawn from."""

    format: Literal[1]
    handle: str = Field(pattern=f"^{HANDLE.pattern}$")
    version: str


def parse(text: str) -> Student:
    """Return the student that the text of the file names.

    Raises:
        PipelineError: it does not name one.
    """
    try:
        return Student.model_validate(yaml_text.mapping(text, FILE))
    except ValidationError as error:
        raise PipelineError(f"{FILE}: {first_fault(error)}.") from error


def write(handle: str, version: str) -> str:
    """Return the text of the file for a student.

    Raises:
        UsageError: the name is none.
    """
    if not HANDLE.fullmatch(handle):
        raise UsageError(
            f"{handle!r} cannot be a name: use the one that you have on GitHub, letters,"
            " digits and hyphens."
        )
    return TEXT.format(handle=f'"{handle}"', version=f'"{version}"')
