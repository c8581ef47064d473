"""Rules of Prometheus, checked by its own tool: installed, or in its image in Docker."""

import shutil
import subprocess
from pathlib import Path

from course.classroom import ROOT
from course.grading import container, process
from course.grading.process import Outcome
from course.grading.result import Ungradable

SECONDS = 60
_IMAGE = "PROMETHEUS_IMAGE="


def check(folder: Path, *arguments: str) -> Outcome:
    """Run `promtool` with arguments in a folder, such as `test rules cases.yml`.

    Args:
        folder: the folder with the rules and cases; it is only read.
        arguments: those of promtool, with paths from the folder.

    Raises:
        Ungradable: neither promtool nor Docker with Prometheus' image is there.
    """
    if shutil.which("promtool"):
        return process.run(["promtool", *arguments], folder, SECONDS)
    image = _image()
    if not _has_image(image):
        raise Ungradable(
            "neither promtool nor Docker with Prometheus' image is on this computer",
            f"Install promtool, or run `docker pull {image}`, or let GitHub check it.",
        )
    options = ["--rm", "--network", "none", "--read-only", "--user", "65534"]
    # A test of rules writes its series into a database in a temporary folder.
    options += ["--tmpfs", "/tmp"]
    mount = ["--volume", f"{folder}:/rules:ro", "--workdir", "/rules"]
    command = ["docker", "run", *options, *mount, "--entrypoint", "promtool", image]
    return process.run([*command, *arguments], folder, SECONDS, container.client())


def _image() -> str:
    """Return the image that the stack uses, from the grader's own checkout."""
    for line in (ROOT / ".env.example").read_text("utf-8").splitlines():
        if line.startswith(_IMAGE):
            return line.removeprefix(_IMAGE).strip()
    raise Ungradable("the image of Prometheus is not in .env.example")


def _has_image(image: str) -> bool:
    if not shutil.which("docker"):
        return False
    command = ["docker", "image", "inspect", image]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0
