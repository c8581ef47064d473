"""Downloading a file from a server that may be slow, busy or down: patiently, but not
for ever.
"""

import hashlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

ATTEMPTS = 3
FIRST_WAIT = (
    2  # seconds before the second attempt; twice as long before each one after it
)
LONGEST_WAIT = 30  # a server that asks for more patience is passed over
SILENCE_SECONDS = 30  # without a byte
TOTAL_SECONDS = 180  # for one file
CHUNK_BYTES = 1 << 16
# What may be another answer in a moment. Hosts of data sets answer 403 when they are
# busy, too.
PASSING = {403, 408, 425, 429, *range(500, 600)}


class Failed(Exception):
    """One attempt did not bring the file; `wait` is what the server asks for, in
    seconds.
    """

    def __init__(
        self, reason: str, again: bool = True, wait: float | None = None
    ) -> None:
        super().__init__(reason)
        self.again, self.wait = again, wait


def download(address: str, target: Path, sha256: str | None) -> None:
    """Download a file, trying again while that may help.

    Raises:
        Failed: it cannot be had, or is another file than the one with this hash.
    """
    pause = float(FIRST_WAIT)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(address, target, sha256)
        except Failed as failure:
            wait = pause if failure.wait is None else failure.wait
            if not failure.again or attempt == ATTEMPTS or wait > LONGEST_WAIT:
                raise
            time.sleep(wait)
            pause *= 2


def _attempt(address: str, target: Path, sha256: str | None) -> None:
    try:
        with requests.get(address, stream=True, timeout=SILENCE_SECONDS) as answer:
            if answer.status_code != 200:
                again = answer.status_code in PASSING
                raise Failed(
                    f"answers {answer.status_code}", again, _asked_to_wait(answer)
                )
            found = _save(answer, target)
    except requests.exceptions.ChunkedEncodingError as error:
        raise Failed("sends only a part of the file") from error
    except requests.ConnectionError as error:
        raise _unreachable(error) from error
    except requests.Timeout as error:
        raise Failed(f"is silent for {SILENCE_SECONDS} s") from error
    except requests.RequestException as error:
        raise Failed(
            f"cannot be asked ({type(error).__name__})", again=False
        ) from error
    if sha256 and found != sha256:
        raise Failed("sends a file with another hash")


def _unreachable(error: requests.ConnectionError) -> Failed:
    reason = error.args[0] if error.args else None
    # Silence after the first bytes comes as one of these, and not as a timeout.
    if isinstance(reason, ReadTimeoutError):
        return Failed(f"is silent for {SILENCE_SECONDS} s")
    # Without network no name is found: the other sources are asked sooner.
    unknown = isinstance(getattr(reason, "reason", None), NameResolutionError)
    return Failed("cannot be reached", again=not unknown)


def _save(answer: requests.Response, target: Path) -> str:
    """Write the body to a file and return its SHA-256."""
    sha256, end = hashlib.sha256(), time.monotonic() + TOTAL_SECONDS
    with target.open("wb") as file:
        for chunk in answer.iter_content(CHUNK_BYTES):
            file.write(chunk)
            sha256.update(chunk)
            if time.monotonic() > end:
                raise Failed(f"has not sent the file in {TOTAL_SECONDS} s", again=False)
    return sha256.hexdigest()


def _asked_to_wait(answer: requests.Response) -> float | None:
    """Return the seconds of a `Retry-After`, which is a number or a date."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isdigit():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(
        0.0,
        (
            moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
        ).total_seconds(),
    )
