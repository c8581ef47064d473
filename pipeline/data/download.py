"""Downloads a file, with a bounded number of attempts for a server that is busy."""

import hashlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

ATTEMPTS = 3
FIRST_WAIT = 2  # seconds before the second attempt; doubled for each one after it
LONGEST_WAIT = 30  # a server that asks for a longer wait is skipped
SILENCE_SECONDS = 30  # without a byte
TOTAL_SECONDS = 180  # for one file
CHUNK_BYTES = 1 << 16
# Statuses that may pass. Hosts of data sets also answer 403 when they are busy.
PASSING = {403, 408, 425, 429, *range(500, 600)}


class Failed(Exception):
    """An attempt failed; `wait` is the number of seconds that the server asks for."""

    def __init__(
        self,
        reason: str,
        again: bool = True,
        wait: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.again = again
        self.wait = wait


def download(address: str, target: Path, sha256: str | None) -> None:
    """Download a file, and try again as long as that may help.

    Raises:
        Failed: the server does not send it, or its hash is another one.
    """
    pause = float(FIRST_WAIT)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(address, target, sha256)
        except Failed as failure:
            wait = pause if failure.wait is None else failure.wait
            is_last = attempt == ATTEMPTS or wait > LONGEST_WAIT
            if is_last or not failure.again:
                raise
            time.sleep(wait)
            pause *= 2


def _attempt(address: str, target: Path, sha256: str | None) -> None:
    try:
        with requests.get(address, stream=True, timeout=SILENCE_SECONDS) as answer:
            status = answer.status_code
            if status != 200:
                raise Failed(
                    f"answers {status}",
                    again=status in PASSING,
                    wait=_retry_after(answer),
                )
            actual = _save(answer, target)
    except requests.exceptions.ChunkedEncodingError as error:
        raise Failed("sends only a part of the file") from error
    except requests.ConnectionError as error:
        raise _unreachable(error) from error
    except requests.Timeout as error:
        raise Failed(f"is silent for {SILENCE_SECONDS} s") from error
    except requests.RequestException as error:
        kind = type(error).__name__
        raise Failed(f"cannot be requested ({kind})", again=False) from error
    if sha256 and actual != sha256:
        raise Failed("sends a file with another hash")


def _unreachable(error: requests.ConnectionError) -> Failed:
    reason = error.args[0] if error.args else None
    # Silence after the first bytes comes as one of these, and not as a timeout.
    if isinstance(reason, ReadTimeoutError):
        return Failed(f"is silent for {SILENCE_SECONDS} s")
    # Without a network no name resolves: don't wait, try the other sources.
    cause = getattr(reason, "reason", None)
    is_unknown = isinstance(cause, NameResolutionError)
    return Failed("cannot be reached", again=not is_unknown)


def _save(answer: requests.Response, target: Path) -> str:
    """Write the body to a file and return its SHA-256."""
    sha256 = hashlib.sha256()
    end = time.monotonic() + TOTAL_SECONDS
    with target.open("wb") as file:
        for chunk in answer.iter_content(CHUNK_BYTES):
            file.write(chunk)
            sha256.update(chunk)
            if time.monotonic() > end:
                raise Failed(f"has not sent the file in {TOTAL_SECONDS} s", again=False)
    return sha256.hexdigest()


def _retry_after(answer: requests.Response) -> float | None:
    """Return the seconds of a `Retry-After`, which is a number or a date."""
    value = answer.headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    remaining = moment - datetime.now(UTC)
    return max(0.0, remaining.total_seconds())
