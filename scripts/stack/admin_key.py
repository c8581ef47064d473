"""The API's admin key: the user's own, or one that the first start generates."""

import os
import secrets
import time
from dataclasses import replace

from core.api_key import HEADER
from scripts.stack.seen import Seen
from scripts.stack.settings import ROOT, Settings, StackError, Variables

NAME = "API_ADMIN_KEY"
FILE = ROOT / "build" / "admin-key"
SHORTEST = 8  # characters, as the API demands
BYTES = 32
# How the file is opened: only if it does not exist yet.
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
WRITE_SECONDS = 2


def find(settings: Settings) -> str:
    """Return the key of `.env` or the environment, else that of the file.

    The file is created if it is missing.

    Raises:
        StackError: the key is one that the API does not accept, or the file contains
            none.
        OSError: it cannot be read or written.
    """
    own = settings.variables.get(NAME)
    if own:
        _require_usable(own)
        return own
    if not FILE.exists():
        _create()
    elif os.name == "posix" and FILE.stat().st_mode & 0o077:
        FILE.chmod(0o600)
    return _read()


def added_to(settings: Settings) -> Settings:
    """Return the settings with the key among the variables."""
    key = find(settings)
    return replace(settings, variables=settings.variables | {NAME: key})


def headers(settings: Settings) -> Variables:
    """Return the headers of a request to the API, which may ask for a key."""
    key = settings.variables.get(NAME)
    return {HEADER: key} if key else {}


def seen(settings: Settings) -> list[Seen]:
    """Return the table's row, with the place of the key but not the key itself."""
    if "mlops-api" in settings.without:
        return []
    where = f"{NAME} in .env or the environment"
    if FILE.exists() and settings.variables.get(NAME) == _read():
        where = str(FILE.relative_to(ROOT))
    what = "for /train, /retrain, /model/load: header X-API-Key; see --key"
    return [Seen("Key", where, what)]


def _create() -> None:
    """Write a new key, unless another start does so at the same time."""
    FILE.parent.mkdir(exist_ok=True)
    try:
        number = os.open(FILE, NEW, 0o600)
    except FileExistsError:
        return
    with open(number, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(BYTES) + "\n")


def _read() -> str:
    deadline = time.monotonic() + WRITE_SECONDS
    content = FILE.read_bytes()
    while not content and time.monotonic() < deadline:
        time.sleep(0.05)  # Another start has created the file, but not written it yet.
        content = FILE.read_bytes()
    key = content.decode("utf-8-sig", "replace").strip()
    if not _is_usable(key):
        raise StackError(
            f"{FILE} holds no key of {SHORTEST} characters or more, in one line: delete"
            " it, and the next start makes one."
        )
    return key


def _require_usable(own: str) -> None:
    if not _is_usable(own):
        raise StackError(
            f"{NAME} in .env or the environment holds no key of {SHORTEST} ASCII"
            " characters or more: choose another one, or remove it, and the start"
            " command generates one."
        )


def _is_usable(key: str) -> bool:
    """Return whether the API accepts a key, and a header of HTTP can hold it."""
    return len(key) >= SHORTEST and key.isascii() and key.isprintable()
