"""The profile `follow`: the repository that the reconciler reads, and what it reports."""

import re
import time

from core.errors import PipelineError
from core.git import git
from core.redact import redact_address
from scripts.loopback import open_url
from scripts.stack.seen import Seen
from scripts.stack.settings import ROOT, Settings, StackError

PROFILE = "follow"
SERVICE = "reconciler"
ADDRESS = "MLOPS_RELEASES"
# The first pass clones the repository.
FIRST_PASS_SECONDS = 120

# git@example.org:owner/name.git
_SSH = re.compile(r"(?:ssh://)?(?:[^@/]+@)(?P<host>[\w.-]+)(?::\d+/|[:/])(?P<path>.+)")
_PASSES = re.compile(r'^reconcile_passes_total\{outcome="(\w+)"\} (\S+)$', re.MULTILINE)
_IN_SYNC = re.compile(r"^reconcile_in_sync 1\.0$", re.MULTILINE)


def require_address(settings: Settings) -> str:
    """Return the address of the repository that is followed, without secrets.

    Raises:
        StackError: there is none, or a container cannot reach it.
    """
    address = settings.variables.get(ADDRESS) or _origin()
    if address.startswith(("https://", "http://")):
        return redact_address(address)
    example = "https://github.com/OWNER/NAME"
    match = _SSH.fullmatch(address)
    if match:
        example = f"https://{match['host']}/{match['path']}"
    raise StackError(
        f"--with follow: the reconciler's container cannot read"
        f" {redact_address(address)}, because it has neither SSH keys nor the folders of"
        f" this machine: set {ADDRESS} in .env to an address such as {example}."
    )


def _origin() -> str:
    try:
        return git(ROOT, "remote", "get-url", "origin")
    except PipelineError as error:
        raise StackError(
            f"--with follow: this checkout has no remote origin to follow: set {ADDRESS}"
            " in .env to the https:// address of the repository."
        ) from error


def look(settings: Settings) -> list[Seen]:
    """Wait for the first pass of the reconciler, and say what it found."""
    address = settings.url(SERVICE, "/metrics")
    deadline = time.monotonic() + FIRST_PASS_SECONDS
    text = _metrics(address)
    while not _outcomes(text) and time.monotonic() < deadline:
        time.sleep(0.5)
        text = _metrics(address)
    followed = require_address(settings)
    return [Seen("Release", address, f"{_found(text)}; follows {followed}")]


def _found(text: str) -> str:
    """Return in a few words what the passes so far have found."""
    outcomes = _outcomes(text)
    if outcomes == {"nothing_declared"}:
        return "none declared yet"
    if _IN_SYNC.search(text):
        return "in service"
    if outcomes <= {"origin_away"}:
        return f"the repository cannot be read, see `--logs {SERVICE}`"
    return f"not in service, see `--logs {SERVICE}`"


def _metrics(address: str) -> str:
    with open_url(address, 30) as answer:
        text: str = answer.read().decode()
    return text


def _outcomes(text: str) -> set[str]:
    """Return the outcomes of the passes so far, from the metrics."""
    outcomes = set()
    for outcome, count in _PASSES.findall(text):
        if float(count):
            outcomes.add(outcome)
    return outcomes
