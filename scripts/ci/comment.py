"""Writes the page of a run into one comment of its pull request, in place of the one
before.

    python3 -m scripts.ci.comment FILE

From the environment: PULL_REQUEST (its number), and what `scripts/ci/api.py` needs; the
token may write pull requests.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci import api

# Invisible in the comment: by it the next run finds the comment again.
MARK = "<!-- mlops -->"
LONGEST = 65_536  # characters, GitHub's limit for a comment
CUT = "\n\n… The rest is on the page of the workflow run.\n"
A_PAGE = 100


def body(text: str) -> str:
    """Return the comment with its mark, cut to what GitHub takes."""
    whole = f"{MARK}\n{text}"
    return whole if len(whole) <= LONGEST else whole[: LONGEST - len(CUT)] + CUT


def write(number: int, text: str) -> None:
    """Write the comment.

    Raises:
        ApiError: GitHub refuses or does not answer.
    """
    comments = f"/issues/{number}/comments"
    for comment in _all(comments):
        # Somebody may quote the mark in a comment of his own, which this token cannot
        # change.
        if comment["body"].startswith(MARK) and comment["user"]["type"] == "Bot":
            api.call(f"/issues/comments/{comment['id']}", {"body": body(text)}, "PATCH")
            return
    api.call(comments, {"body": body(text)})


def _all(path: str) -> Iterator[dict[str, Any]]:
    """Go through a list that GitHub gives in pages."""
    number = 1
    while found := api.call(f"{path}?per_page={A_PAGE}&page={number}"):
        yield from found
        if len(found) < A_PAGE:
            return
        number += 1


def main(arguments: list[str]) -> int:
    """Write the comment; return 0, 1 if GitHub refuses, 2 for a wrong use."""
    if len(arguments) != 1:
        print("usage: python3 -m scripts.ci.comment FILE", file=sys.stderr)
        return 2
    try:
        number = int(api.needed("PULL_REQUEST"))
        write(number, Path(arguments[0]).read_text("utf-8"))
    except (api.MissingVariable, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (api.ApiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(console.run(lambda: main(sys.argv[1:])))
