"""`docker buildx bake` with docker-compose.yml, and other Docker commands."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.settings import ROOT, StackError, Variables

FILE = "docker-compose.yml"


class DockerFailed(StackError):
    """A Docker command failed; `output` is what it wrote to standard error."""

    def __init__(self, sentence: str, output: str) -> None:
        super().__init__(sentence)
        self.output = output


def arguments(
    verb: str, names: dict[str, str], driver: str, metadata: Path, platform: str = ""
) -> list[str]:
    """Return Docker's arguments to build images.

    Args:
        verb: `build` or `push`.
        names: the images without their tags, by service.
        platform: such as `linux/arm64`; without one it is this machine's.
    """
    pushes = verb == "push"
    command = ["buildx", "bake", "--file", FILE, "--metadata-file", str(metadata)]
    command.append("--push" if pushes else "--load")
    if platform:
        command += ["--set", f"*.platform={platform}"]
    if driver == "docker":
        # It has no other cache than its own, and attests nothing.
        return [*command, *names]
    # A cache in the registry, which only those who may push can write.
    for service, image in names.items():
        cache = f"type=registry,ref={image}:cache{suffix(platform)}"
        command += ["--set", f"{service}.cache-from={cache}"]
        if pushes:
            command += ["--set", f"{service}.cache-to={cache},mode=max"]
    if pushes:
        command += ["--provenance", "mode=max", "--sbom", "true"]
    return [*command, *names]


def suffix(platform: str) -> str:
    """Return the end of the tags of images for another platform, such as `-arm64`."""
    if not platform:
        return ""
    architecture = platform.partition("/")[2]
    return f"-{architecture.replace('/', '-')}"


def images(services: list[str], variables: Variables) -> dict[str, str]:
    """Return the images of services, without their tags, as the compose file has them."""
    command = ["buildx", "bake", "--file", FILE, "--print", *services]
    failure = f"docker buildx cannot read {FILE}"
    plan = docker(*command, variables=variables, otherwise=failure)
    targets = json.loads(plan)["target"]
    images = {}
    for service in services:
        tag: str = targets[service]["tags"][0]
        images[service] = tag.rpartition(":")[0]
    return images


def driver(variables: Variables) -> str:
    """Return the driver of the builder in use: `docker`, `docker-container` …"""
    failure = "docker buildx has no builder in use, `docker buildx ls` lists them"
    described = docker("buildx", "inspect", variables=variables, otherwise=failure)
    match = re.search(r"^Driver:\s*(\S+)", described, re.MULTILINE)
    return match[1] if match else "unknown"


def docker(
    *command: str, variables: Variables, otherwise: str, show_errors: bool = True
) -> str:
    """Run Docker in the checkout and return what it prints.

    Args:
        otherwise: what a failure means.
        show_errors: print what it writes to standard error, as it comes.

    Raises:
        StackError: there is no Docker.
        DockerFailed: it failed.
    """
    lines = []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        try:
            child = subprocess.Popen(
                ["docker", *command],
                cwd=ROOT,
                env=variables,
                stdout=printed,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise StackError(
                "the program `docker` is not here: install Docker with buildx."
            ) from error
        with child:
            assert child.stderr
            for line in child.stderr:
                if show_errors:
                    print(line, end="", file=sys.stderr, flush=True)
                lines.append(line)
        if child.returncode:
            raise DockerFailed(f"{otherwise}: see above.", "".join(lines))
        printed.seek(0)
        return printed.read()
