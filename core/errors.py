"""Errors for users: one sentence that names what, where and what to do."""

from typing import TYPE_CHECKING

from core.redact import redact

if TYPE_CHECKING:  # programs that run without any package import this module too
    from pydantic import ValidationError


class PipelineError(Exception):
    """The work failed: the command prints the message and ends with exit status 1.

    Secrets are masked, as the message goes to a terminal, a log or an answer of the API.
    """

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class UsageError(PipelineError):
    """The command was used wrongly; exit status 2."""

    exit_status = 2


class Unavailable(PipelineError):
    """A task's data are not available now; the repository itself is fine.

    Attributes:
        waits_for: the hosts, each with its answer.
    """

    def __init__(self, message: str, waits_for: str) -> None:
        super().__init__(message)
        self.waits_for = waits_for


def first_fault(error: "ValidationError") -> str:
    """Return the place and the message of the first error that pydantic found."""
    fault = error.errors()[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place or 'file'}: {fault['msg']}"
