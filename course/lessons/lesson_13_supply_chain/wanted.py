"""The workflow and the package of lesson 13, drawn for each student."""

from functools import cached_property

from course.personal import Draw

WORKFLOW = ".github/workflows/own.yml"
# Small packages without dependencies that the project does not have.
PACKAGES = ("humanize", "natsort", "parse", "shortuuid", "emoji", "tabulate")
SESSIONS = ("wheels", "verify-history", "site")
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class Wanted:
    """What a student is asked for."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    @cached_property
    def package(self) -> str:
        """The package that joins the group `dev`."""
        return self._draw.choose("lesson 13 package", PACKAGES)

    @cached_property
    def session(self) -> str:
        """The session of nox that the workflow runs."""
        return self._draw.choose("lesson 13 session", SESSIONS)

    @cached_property
    def day(self) -> int:
        """The day of the week, 0 is Sunday."""
        return self._draw.number("lesson 13 day", 0, 6)

    @cached_property
    def hour(self) -> int:
        """The hour of the day, UTC."""
        return self._draw.number("lesson 13 hour", 0, 23)

    @cached_property
    def minute(self) -> int:
        """The minute of the hour; not the first, when everybody's workflows start."""
        return self._draw.number("lesson 13 minute", 7, 53)

    @property
    def cron(self) -> str:
        """The schedule as a workflow has it."""
        return f"{self.minute} {self.hour} * * {self.day}"
