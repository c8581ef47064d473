"""Run a command in a workflow's step and report in one sentence why it failed.

    python -m scripts.ci.report_failure COMMAND...

The command's output passes through unchanged. GitHub annotates the lines that the
problem matchers in `.github/problem-matchers` describe; pytest and zizmor print their
own annotations. If the command fails, the sentence is the step's output `failure`,
which the verdict repeats.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci.outputs import put

ROOT = Path(__file__).resolve().parents[2]
MATCHERS = ROOT / ".github" / "problem-matchers"
SHOWN = 3
COLOUR = re.compile(r"\x1b(?:\[[0-9;]*m|\(B)")

# How well a finding explains a failure.
SENTENCE = 2
PLACE = 1
COMMAND = 0

# The annotations that a tool prints itself, as zizmor does.
ANNOTATION = re.compile(
    r"::(?:error|warning) file=(?P<file>[^,:]+).*?,line=(?P<line>\d+).*?::(?P<text>.+)"
)
# The last lines of pytest.
TEST = re.compile(r"(?:FAILED|ERROR) (?P<text>tests/.+)")
NOX_COMMAND = re.compile(r"nox > (?P<text>Command .+ failed with exit code \d+)")
# GitHub's registry, where another repository of the same owner created the package.
FOREIGN_PACKAGE = re.compile(r".*denied: permission_denied: write_package.*")
FOREIGN_PACKAGE_HELP = (
    "the registry refuses the image (denied: permission_denied: write_package): its"
    " package belongs to another repository; on its page, Package settings > Manage"
    " Actions access, let this repository in"
)


@dataclass(frozen=True)
class Finding:
    """A reason why a command failed, and how well it explains the failure."""

    text: str
    rank: int


@dataclass(frozen=True)
class Matcher:
    """A problem matcher: a regular expression, and the fields that its groups match."""

    expression: re.Pattern[str]
    groups: dict[str, int]

    def find(self, text: str) -> Finding | None:
        """Return the finding in a line of output, with the place if there is one."""
        match = self.expression.search(text)
        if match is None:
            return None
        fields = dict.fromkeys(("file", "line", "code"), "")
        for name, group in self.groups.items():
            fields[name] = match[group] or ""
        message = f"{fields['code']} {fields['message']}".strip()
        if not fields["file"]:
            return Finding(message, SENTENCE)
        where = place(fields["file"], fields["line"])
        return Finding(where + message, PLACE)


def read_matchers(folder: Path = MATCHERS) -> list[Matcher]:
    """Read the problem matchers; each of ours has one pattern, for one line."""
    matchers = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        for described in content["problemMatcher"]:
            pattern: dict[str, Any] = dict(described["pattern"][0])
            expression = re.compile(pattern.pop("regexp"))
            matchers.append(Matcher(expression, pattern))
    return matchers


def place(file: str, line: str = "") -> str:
    """Return a place as a prefix; some tools print absolute paths."""
    path = Path(file)
    if path.is_relative_to(ROOT):
        path = path.relative_to(ROOT)
    shown = path.as_posix()
    if line:
        return f"{shown}:{line}: "
    return f"{shown}: "


def find(text: str, matchers: list[Matcher]) -> Finding | None:
    """Return why the command failed, if a line of its output contains the reason."""
    text = COLOUR.sub("", text).rstrip()
    if FOREIGN_PACKAGE.fullmatch(text):
        return Finding(FOREIGN_PACKAGE_HELP, SENTENCE + 1)
    test = TEST.fullmatch(text)
    if test:
        return Finding(test["text"], SENTENCE)
    annotation = ANNOTATION.fullmatch(text)
    if annotation:
        where = place(annotation["file"], annotation["line"])
        return Finding(where + annotation["text"], PLACE)
    for matcher in matchers:
        finding = matcher.find(text)
        if finding:
            return finding
    command = NOX_COMMAND.fullmatch(text)
    if command:
        return Finding(command["text"], COMMAND)
    return None


def sentence(findings: list[Finding]) -> str:
    """Return one sentence made from the first of the best findings."""
    if not findings:
        return "it failed without a message: see its log"
    best = max(finding.rank for finding in findings)
    texts: list[str] = []
    for finding in findings:
        text = finding.text.rstrip(".")
        if finding.rank == best and text not in texts:
            texts.append(text)
    shown = "; ".join(texts[:SHOWN])
    left = len(texts) - SHOWN
    if left > 0:
        return f"{shown} (and {left} more)"
    return shown


def main(command: list[str]) -> int:
    """Run the command and return its exit status."""
    for path in sorted(MATCHERS.glob("*.json")):
        print(f"::add-matcher::{path.relative_to(ROOT).as_posix()}", flush=True)
    matchers = read_matchers()
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
            finding = find(text, matchers)
            if finding:
                findings.append(finding)
    if child.returncode:
        put(failure=sentence(findings))
    return child.returncode


if __name__ == "__main__":
    sys.exit(console.run(lambda: main(sys.argv[1:])))
