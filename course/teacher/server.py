"""When commits reached the server, by the server's own record where it keeps one.

GitHub keeps the pushes of a repository, and a bare repository in a folder its reflog.
Dates of commits, in contrast, are whatever their author's computer says.
"""

import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from course import begin
from course.teacher.mirror import MAIN

SECONDS = 20
MOST_PAGES = 10
MOST_BYTES = 5_000_000
_NEXT = re.compile(r'<([^>]+)>; rel="next"')
_ENTRY = re.compile(r"[0-9a-f]{40} ([0-9a-f]{40}) .*> (\d+) [+-]\d{4}(?:\t.*)?")
_NOTHING = "0" * 40


@dataclass(frozen=True)
class Push:
    """A commit that `main` was moved to."""

    time: datetime
    commit: str


def pushes(address: str) -> list[Push]:
    """Return the pushes that the server of a copy recorded, the oldest first.

    The list is empty where there is no record, or none that this computer can read.
    """
    match = begin.ADDRESS.search(address)
    if match:
        return sorted(_on_github(match["name"]), key=lambda push: push.time)
    reflog = Path(address) / "logs" / MAIN
    if "://" in address or not reflog.is_file() or reflog.stat().st_size > MOST_BYTES:
        return []
    recorded = []
    for line in reflog.read_text("utf-8", errors="replace").splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry and entry[1] != _NOTHING and len(entry[2]) < 12:
            recorded.append(Push(_time(int(entry[2])), entry[1]))
    return recorded


def _time(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _on_github(name: str) -> list[Push]:
    server = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    page = f"{server}/repos/{name}/activity?ref={MAIN}&per_page=100"
    recorded: list[Push] = []
    for _ in range(MOST_PAGES):
        try:
            entries, page = _page(page)
            recorded += [_push(entry) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # A record with a gap could count a commit as late that was not.
            return []
        if not page:
            return recorded
    return recorded


def _page(address: str) -> tuple[list[dict[str, Any]], str]:
    """Return the entries of a page, and the address of the next one or ""."""
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "course"}
    token = os.environ.get("GITHUB_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # nosec: https
        entries: list[dict[str, Any]] = json.loads(answer.read(MOST_BYTES))
        following = _NEXT.search(answer.headers.get("Link", ""))
    return entries, following[1] if following else ""


def _push(entry: dict[str, Any]) -> Push:
    time = datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00"))
    return Push(time.astimezone(UTC), str(entry["after"]))
