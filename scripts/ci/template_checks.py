"""The checks of the course that the workflow *course* uses: the template's, if it can.

`course/class.yaml` names the template and the commit whose checks count. It is read with
the standard library alone, as nothing is installed yet.
"""

import re
import sys
import tempfile
from pathlib import Path

from core.git import GitError, git
from scripts import console
from scripts.ci import outputs

CLASS = Path("course", "class.yaml")
ADDRESS = re.compile(r"https://github\.com/(?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")
COMMIT = re.compile(r"[0-9a-f]{40}")
OWN = "The lessons are checked with the copy's own checks"


class Unknown(Exception):
    """The template's checks cannot be used; the text is a phrase that says why."""


def main() -> None:
    """Put the repository and the commit of the checks out, and say which are used.

    Both are empty where the copy's own checks are used.
    """
    try:
        repository, commit = pinned(CLASS.read_text("utf-8"))
        require_reachable(repository, commit)
    except Unknown as reason:
        outputs.put(repository="", commit="")
        outputs.summarize(f"{OWN}: {reason}.")
        return
    outputs.put(repository=repository, commit=commit)
    page = f"{address(repository)}/tree/{commit}"
    checks = f"the checks of [{repository} at {commit[:7]}]({page})"
    outputs.summarize(f"The lessons are checked with {checks}.")


def pinned(text: str) -> tuple[str, str]:
    """Return the template's OWNER/NAME and the commit of its checks.

    Args:
        text: `course/class.yaml`.

    Raises:
        Unknown: it names none.
    """
    template = ADDRESS.fullmatch(_value(text, "template"))
    commit = _value(text, "grader")
    if not template:
        raise Unknown(f"{CLASS.as_posix()} names no template on GitHub")
    if not COMMIT.fullmatch(commit):
        raise Unknown(f"{CLASS.as_posix()} names no commit as `grader`")
    return template["name"], commit


def _value(text: str, key: str) -> str:
    """Return the value of a key in a line of its own, without quotes; "" if none."""
    line = re.search(rf"^{key}:[ \t]*([^\s#]*)", text, re.MULTILINE)
    return line[1].strip("\"'") if line else ""


def address(repository: str) -> str:
    """Return the address of a repository on GitHub."""
    return f"https://github.com/{repository}"


def require_reachable(repository: str, commit: str) -> None:
    """Check that anybody can fetch a commit.

    Raises:
        Unknown: the repository is private or gone, or has no such commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        git(place, "init", "--quiet", "--bare")
        fetch = ("fetch", "--quiet", "--depth=1", "--filter=tree:0")
        try:
            git(place, *fetch, address(repository), commit)
        except GitError as error:
            raise Unknown(
                f"commit {commit[:7]} of {repository} cannot be read, the template may"
                " be private"
            ) from error


if __name__ == "__main__":
    sys.exit(console.run(main))
