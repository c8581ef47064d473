"""Run a command and tell GitHub what went wrong: annotations at the line, and one
sentence.

    python -m scripts.ci.tell COMMAND...

The command's output passes through unchanged. If it fails, the sentence becomes the
step's output `failure`, which the verdict repeats.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts import console
from scripts.ci.outputs import put

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 3
_COLOUR = re.compile(r"\x1b(?:\[[0-9;]*m|\(B)")
# flake8, mypy, shellcheck, hadolint and actionlint name the place first.
_AT_LINE = re.compile(
    r"(?:hadolint:)?(?P<file>[\w./\\-]+):(?P<line>\d+)(?::\d+)?: "
    r"(?P<text>(?:error|warning|note|info|style): .+|[A-Z]+\d+ .+|.+ \[[a-z-]+\])"
)
_WHOLE_FILE = re.compile(
    r"(?:would reformat (?P<black>.+)|ERROR: (?P<isort>.+) Imports are incorrectly.*"
    r"|(?P<schema>[\w./-]+)::(?P<text>\$.+))"
)
# One who annotates by himself, as zizmor does.
_ANNOTATED = re.compile(
    r"::(?:error|warning) file=(?P<file>[^,:]+).*?,line=(?P<line>\d+).*?::(?P<text>.+)"
)
# The pipeline's errors, and the last lines of pytest, whose plugin has annotated the
# place.
_SENTENCE = re.compile(
    r"(?P<kind>FAILED|ERROR|error:) (?P<text>(?:(?<=error: )|tests/).+)"
)
# What GitHub's registry says when another repository of the same owner has made the
# package.
_FOREIGN_PACKAGE = re.compile(r".*denied: permission_denied: write_package.*")
FOREIGN_PACKAGE = (
    "the registry refuses the image (denied: permission_denied: write_package): its"
    " package belongs to another repository; on its page, Package settings > Manage"
    " Actions access, let this repository in"
)
_NOX = re.compile(r"nox > (?P<text>Command .+ failed with exit code \d+)")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong; without a file it is a sentence alone.

    `weight` tells which to repeat: a sentence rather than a place, a place rather than
    a command.
    """

    text: str
    weight: int
    file: str = ""
    line: int = 0
    annotated: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}" if place else self.text

    @property
    def annotation(self) -> str:
        """The finding in the words that GitHub turns into a mark at the line."""
        place = f" file={self.file}" + (f",line={self.line}" if self.line else "")
        return f"::error{place if self.file else ''}::" + self.text.replace("%", "%25")


def find(text: str) -> Finding | None:
    """Return what a line of output says is wrong, if it does."""
    text = _COLOUR.sub("", text).strip()
    if _FOREIGN_PACKAGE.fullmatch(text):
        return Finding(FOREIGN_PACKAGE, 3)
    if found := _SENTENCE.fullmatch(text):
        return Finding(found["text"], 2, annotated=found["kind"] != "error:")
    if found := _ANNOTATED.fullmatch(text):
        return Finding(
            found["text"], 1, found["file"], int(found["line"]), annotated=True
        )
    if found := _WHOLE_FILE.fullmatch(text):
        file = found["black"] or found["isort"] or found["schema"]
        return Finding(
            found["text"] or "`black` or `isort` writes it otherwise", 1, _here(file)
        )
    if found := _AT_LINE.fullmatch(text):
        return Finding(found["text"], 1, _here(found["file"]), int(found["line"]))
    if found := _NOX.fullmatch(text):
        return Finding(found["text"], 0, annotated=True)
    return None


def _here(file: str) -> str:
    """Return a path as it is in the repository; some tools name the whole path."""
    path = Path(file)
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def sentence(findings: list[Finding]) -> str:
    """Return what failed, in one sentence that names the first findings."""
    most = max((found.weight for found in findings), default=0)
    texts = list(
        dict.fromkeys(str(found) for found in findings if found.weight == most)
    )
    if not texts:
        return "it failed without a word: see its log"
    more = f" (and {len(texts) - SHOWN} more)" if len(texts) > SHOWN else ""
    return "; ".join(text.rstrip(".") for text in texts[:SHOWN]) + more


def main(command: list[str]) -> int:
    """Run the command; return its status."""
    findings = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        assert child.stdout
        for text in child.stdout:
            print(text, end="", flush=True)
            if found := find(text):
                findings.append(found)
    if child.returncode:
        for found in dict.fromkeys(findings):
            if not found.annotated:
                print(found.annotation)
        put(failure=sentence(findings))
    return child.returncode


if __name__ == "__main__":
    sys.exit(console.run(lambda: main(sys.argv[1:])))
