"""Write the page of a run into a comment of its pull request.

    python3 -m scripts.ci.comment FILE

There is one comment a request: the next run replaces its text. From the environment:
PULL_REQUEST (its number), and what `scripts/ci/api.py` needs; the token may write pull
requests.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci import api

# Invisible in the comment: the next run finds the comment by it.
MARK = "<!-- mlops -->"
# Characters, GitHub's limit for a comment.
LONGEST = 65_536
CUT = "\n\n… The rest is on the page of the workflow run.\n"
PER_PAGE = 100


def body(text: str) -> str:
    """Return the comment with its mark, cut to the length that GitHub accepts."""
    whole = f"{MARK}\n{text}"
    if len(whole) <= LONGEST:
        return whole
    return whole[: LONGEST - len(CUT)] + CUT


def write(number: int, text: str) -> None:
    """Create or replace the comment of a pull request.

    Raises:
        ApiError: GitHub refuses or does not answer.
    """
    comments = f"/issues/{number}/comments"
    content = {"body": body(text)}
    for comment in _read_all(comments):
        if _is_ours(comment):
            api.call(f"/issues/comments/{comment['id']}", content, "PATCH")
            return
    api.call(comments, content)


def _is_ours(comment: dict[str, Any]) -> bool:
    """Return whether a comment is an earlier run's.

    A person may quote the mark in a comment, which this token cannot change.
    """
    is_bot = comment["user"]["type"] == "Bot"
    return is_bot and str(comment["body"]).startswith(MARK)


def _read_all(path: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list that GitHub returns in pages."""
    page = 1
    while True:
        entries = api.call(f"{path}?per_page={PER_PAGE}&page={page}")
        yield from entries
        if len(entries) < PER_PAGE:
            return
        page += 1


def main() -> int:
    """Write the comment; return 0, 1 if GitHub refuses, 2 for a wrong use."""
    parser = argparse.ArgumentParser(
        prog="comment",
        description=console.first_line(__doc__),
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", type=Path)
    file: Path = parser.parse_args().file
    try:
        number = int(api.needed("PULL_REQUEST"))
        write(number, file.read_text("utf-8"))
    except (api.MissingVariable, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (api.ApiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
