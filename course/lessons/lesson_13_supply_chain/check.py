"""Checks of lesson 13: the workflow under the auditors, the package with its hashes."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from core.counts import counted
from course.check import Check
from course.copy import Copy
from course.grading import process, template_tests, worktree
from course.grading.process import Outcome
from course.grading.result import Red, Ungradable, Verdict, failed, passed
from course.lessons.lesson_13_supply_chain.wanted import WORKFLOW, Wanted

LOCK = "requirements/dev.txt"
RULES = "tests/unit/test_workflow_rules.py"
# `on` is a truth value in YAML 1.1, which GitHub does not follow.
ON = "True"
SECONDS = 120
# How this computer reaches the package index: a mirror, a proxy, its certificates.
NETWORK = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
ENTRY = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.!+-]+)", re.ASCII)
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})(?:\s|$)", re.ASCII)


class WorkflowIsAsAsked(Check):
    """Write the workflow that `python -m course start 13` asks for, and commit it."""

    name = "the workflow runs what it should, when it should"

    def run(self, copy: Copy) -> Verdict:
        """Compare schedule and command with what is asked for."""
        wanted = Wanted(copy.personal)
        if not copy.has(WORKFLOW):
            return failed(f"the last commit has no file {WORKFLOW}")
        content = copy.yaml(WORKFLOW, "HEAD")
        starts = content.get(ON) or content.get("on") or {}
        crons = [each.get("cron") for each in starts.get("schedule") or []]
        if crons != [wanted.cron] or "workflow_dispatch" not in starts:
            return failed(
                f"it starts by {starts}", "the asked day and time, or by hand"
            )
        words = [word for command in _commands(content) for word in command.split()]
        if wanted.session not in words:
            return failed(f"no step runs the session {wanted.session}")
        if content.get("permissions") != {}:
            return failed("it has rights by default", "permissions: {} at the top")
        return passed(f"{wanted.session} at {wanted.cron}")


def _commands(content: dict[str, Any]) -> list[str]:
    commands = []
    for job in (content.get("jobs") or {}).values():
        for step in job.get("steps") or []:
            commands.append(str(step.get("run", "")))
    return commands


class AuditorsAgree(Check):
    """Run `./scripts/nox.sh -s lint`, and mend what it finds in your workflow."""

    name = "three auditors find nothing in it"
    requires = (WorkflowIsAsAsked,)

    def run(self, copy: Copy) -> Verdict:
        """Check it with its schema, with actionlint, and with zizmor at its strictest."""
        with worktree.folder() as tree:
            worktree.write(copy, copy.head, WORKFLOW, tree)
            schema = ("--builtin-schema", "vendor.github-workflows")
            strict = ("--offline", "--no-config", "--no-ignores", "--no-progress")
            commands = (
                ("check-jsonschema", *schema, WORKFLOW),
                ("actionlint", "-oneline", "-no-color", WORKFLOW),
                ("zizmor", *strict, "--persona", "pedantic", WORKFLOW),
            )
            for command in commands:
                outcome = _run(command, tree)
                if not outcome.succeeded:
                    return failed(f"{command[0]}: {_finding(outcome)}")
        return passed("check-jsonschema, actionlint, zizmor")


def _run(command: tuple[str, ...], folder: Path) -> Outcome:
    if not shutil.which(command[0]):
        raise Ungradable(
            f"{command[0]} is not on this computer",
            "Run the check with `./scripts/nox.sh -s course -- 13`.",
        )
    return process.run(command, folder, SECONDS)


def _finding(outcome: Outcome) -> str:
    """Return the first finding of an auditor in a line."""
    for line in outcome.output.splitlines():
        if line.startswith(("error", "warning", "help", "info")) or WORKFLOW in line:
            return line.strip()
    return outcome.reason


class RulesAreKept(Check):
    """Run `./scripts/nox.sh -s course -- pytest tests/unit/test_workflow_rules.py`."""

    name = "it keeps the project's rules for workflows"
    requires = (WorkflowIsAsAsked,)

    def run(self, copy: Copy) -> Verdict:
        """Run the template's tests over the student's workflows."""
        outcome = template_tests.run(copy, [".github/workflows"], [RULES])
        if not outcome.succeeded:
            return failed(template_tests.reason(outcome))
        return passed("pinned actions, no shell code, no rights by default")


class PackageIsLocked(Check):
    """Add the package to the group `dev`, run `./scripts/nox.sh -s lock`, commit both."""

    name = "the package is locked with its hashes"

    def run(self, copy: Copy) -> Verdict:
        """Read the lock file."""
        version, hashes = locked(copy)
        files = counted(len(hashes), "file")
        return passed(f"{Wanted(copy.personal).package} {version}, {files}")


def locked(copy: Copy) -> tuple[str, list[str]]:
    """Return the version and the hashes of the student's package in the lock file.

    Raises:
        Red: it is not there, or an entry of the file has no hash.
    """
    wanted = Wanted(copy.personal).package
    version = ""
    hashes: list[str] = []
    text = copy.text(LOCK, "HEAD").replace("\\\n", " ")
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if not entry:
            continue
        if not HASH.search(line):
            raise Red(f"{entry['name']} has no hash in {LOCK}")
        if entry["name"] == wanted:
            version, hashes = entry["version"], HASH.findall(line)
    if not version:
        raise Red(f"{wanted} is not in {LOCK}")
    if wanted not in _group(copy):
        raise Red(
            f"{wanted} is in the lock, and not in the group dev of pyproject.toml",
            "the lock is made from the groups",
        )
    return version, hashes


def _group(copy: Copy) -> str:
    """Return the text of the group `dev` of pyproject.toml."""
    _, _, rest = copy.text("pyproject.toml", "HEAD").partition("\ndev = [")
    return rest.partition("\n]")[0]


class HashesAreTrue(Check):
    """Run `./scripts/nox.sh -s lock`: it takes the hashes from the package index."""

    name = "the package's files have these hashes"
    requires = (PackageIsLocked,)

    def run(self, copy: Copy) -> Verdict:
        """Install the package into an empty folder; uv refuses what has another hash."""
        version, hashes = locked(copy)
        name = Wanted(copy.personal).package
        if not shutil.which("uv"):
            raise Ungradable(
                "uv is not on this computer",
                "Check with `./scripts/nox.sh -s course -- 13`, which brings it along.",
            )
        with worktree.folder() as folder:
            words = [f"{name}=={version}", *(f"--hash={each}" for each in hashes)]
            (folder / "one.txt").write_text(" ".join(words) + "\n", "utf-8")
            command = ["uv", "pip", "install", "--no-deps", "--require-hashes"]
            command += ["--no-cache", "--python", sys.executable]
            command += ["--target", "installed", "-r", "one.txt"]
            outcome = process.run(command, folder, SECONDS, _network())
        if outcome.succeeded:
            return passed(f"{name} {version} was installed")
        if "hash mismatch" in outcome.output.lower():
            return failed(f"uv refuses {name} {version}: its hash is another one")
        raise Ungradable(
            f"{name} cannot be fetched: {outcome.reason}",
            "Check again where there is a network.",
        )


def _network() -> dict[str, str]:
    """Return the settings of the user by which packages are reached."""
    settings = {"HOME": str(Path.home()), "UV_SYSTEM_CERTS": "1"}
    for name in NETWORK:
        if name in os.environ:
            settings[name] = os.environ[name]
    return settings


CHECKS = (
    WorkflowIsAsAsked,
    AuditorsAgree,
    RulesAreKept,
    PackageIsLocked,
    HashesAreTrue,
)
