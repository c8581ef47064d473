"""The errors that a user is meant to read: one sentence that says what, where and what
to do.
"""

from typing import TYPE_CHECKING

from core.redact import redact

if TYPE_CHECKING:  # programs that run without any package import this module too
    from pydantic import ValidationError


class PipelineError(Exception):
    """The work failed; the command ends with exit status 1 and prints the message
    alone.

    Wherever the message goes, to a terminal, a log or an answer of the API, no secret
    is in it.
    """

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class UsageError(PipelineError):
    """The request cannot be carried out as it was put; exit status 2."""

    exit_status = 2


class Unavailable(PipelineError):
    """A task's data cannot be had now; nothing is wrong with what the repository holds.

    `waits_for` names the hosts, each with its answer.
    """

    def __init__(self, message: str, waits_for: str) -> None:
        super().__init__(message)
        self.waits_for = waits_for


def first_fault(error: "ValidationError") -> str:
    """Return the first thing that pydantic found wrong: where it is, and what is the
    matter.
    """
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
