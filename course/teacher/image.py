"""The image for programs of students: built once for each lock file, and then tried."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.classroom import ROOT
from course.grading import container, worktree
from course.grading.container import Container, Place
from course.grading.result import Ungradable

NAME = "mlops-course"
DOCKERFILE = Path(__file__).with_name("course.Dockerfile")
LOCK = ROOT / "requirements" / "dev.txt"
# A user without rights, if the teacher is root.
NOBODY = 10001
MOST_CPUS = 2
SECONDS = 30
BUILD_SECONDS = 1800
TRIAL_SECONDS = 60
TRIAL = "import numpy; open('build/answer', 'w').write(open('question').read())"


@dataclass(frozen=True)
class Choice:
    """How programs of the copies run.

    Attributes:
        container: the containers; None for bounded processes.
        reason: why there are none; empty if there are.
    """

    container: Container | None
    reason: str

    @property
    def sentence(self) -> str:
        """A line for the teacher."""
        if self.container:
            return "Programs of the copies run in containers without network."
        return (
            "Programs of the copies run as processes of this computer, with limits but"
            f" without a container: {self.reason}."
        )


PROCESSES = Choice(None, "nobody asked for one")


# What a step of a build prints, behind the step's number and the seconds.
STEP = re.compile(r"^#\d+ [\d.]+ (.*\S)", re.MULTILINE)


class Unusable(Exception):
    """Docker cannot be used; the text is a phrase that says why."""


def choose(report: Callable[[str], None]) -> Choice:
    """Return the containers if Docker can run them, else the reason why not.

    Args:
        report: called with what is done next.
    """
    try:
        return Choice(_container(report), "")
    except Unusable as error:
        return Choice(None, str(error))


def _container(report: Callable[[str], None]) -> Container:
    if os.name == "nt":
        # A folder there has another path inside.
        raise Unusable("they are used on Linux and macOS alone")
    if not shutil.which("docker"):
        raise Unusable("Docker is not installed")
    engine = _engine()
    image = f"{NAME}:{_tag()}"
    if _docker(["image", "inspect", image], SECONDS).returncode:
        report("building the image for programs of students, once: this takes minutes")
        _build(image)
    user, group = _user(engine)
    cpus = min(MOST_CPUS, int(engine["NCPU"]))
    chosen = Container(image, user, group, cpus)
    report("trying a container")
    _try(chosen)
    return chosen


def _engine() -> dict[str, Any]:
    """Return what Docker says about its engine."""
    done = _docker(["info", "--format", "{{json .}}"], SECONDS)
    if done.returncode:
        raise Unusable("Docker does not answer")
    engine: dict[str, Any] = json.loads(done.stdout)
    if engine.get("OSType") != "linux":
        raise Unusable("Docker is set to containers of Windows")
    return engine


def _user(engine: dict[str, Any]) -> tuple[int, int]:
    """Return the user inside, who is this teacher wherever that is not root."""
    if "name=rootless" in engine.get("SecurityOptions", ()):
        return 0, 0  # who is this teacher outside
    if os.getuid():
        return os.getuid(), os.getgid()
    return NOBODY, NOBODY


def _tag() -> str:
    """Return a digest of all that the image is made from."""
    digest = hashlib.sha256()
    for path in (DOCKERFILE, LOCK):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build(image: str) -> None:
    with worktree.folder() as folder:
        shutil.copyfile(LOCK, folder / LOCK.name)
        command = ["build", "--progress", "plain", "--tag", image]
        command += ["--file", str(DOCKERFILE), str(folder)]
        done = _docker(command, BUILD_SECONDS)
    if done.returncode:
        raise Unusable(f"the image cannot be built, {_reason(done.stderr)}")


def _try(chosen: Container) -> None:
    """Let a container import a package, read a file and write one."""
    with worktree.folder() as folder:
        (folder / "question").write_text(chosen.image, "utf-8")
        answer = folder / "build" / "answer"
        program = [sys.executable, "-c", TRIAL]
        place = Place(folder, "build", {})
        try:
            with container.running(chosen, program, place) as running:
                outcome = running.wait(TRIAL_SECONDS)
        except Ungradable as error:
            raise Unusable(error.verdict.seen) from error
        if not outcome.succeeded or not answer.is_file():
            raise Unusable(f"one does not work, {outcome.reason}")


def _docker(
    arguments: Sequence[str], seconds: float
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable(
            f"Docker does not answer within {seconds:.0f} seconds"
        ) from error


def _reason(output: str) -> str:
    """Return the last error that a step of a build printed, else its last line."""
    printed = STEP.findall(output) or output.splitlines() or ["without a reason"]
    errors = [line for line in printed if "error" in line.lower()]
    lines = errors or printed
    return lines[-1].strip().rstrip(".")
