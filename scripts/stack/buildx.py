"""Docker's builder, told by docker-compose.yml what to build."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stack.settings import ROOT, StackError

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
    command = ["buildx", "bake", "--file", FILE, "--metadata-file", str(metadata)]
    command.append("--push" if verb == "push" else "--load")
    if platform:
        command += ["--set", f"*.platform={platform}"]
    if driver == "docker":  # it can have no cache but its own, and attest nothing
        return [*command, *names]
    # A cache of the registry's, which none but those who may push can write.
    for service, image in names.items():
        cache = f"type=registry,ref={image}:cache{suffix(platform)}"
        command += ["--set", f"{service}.cache-from={cache}"]
        if verb == "push":
            command += ["--set", f"{service}.cache-to={cache},mode=max"]
    if verb == "push":
        command += ["--provenance", "mode=max", "--sbom", "true"]
    return [*command, *names]


def suffix(platform: str) -> str:
    """Return what is added to the tags of images that are built for a platform:
    `-arm64`.
    """
    return f"-{platform.partition('/')[2].replace('/', '-')}" if platform else ""


def images(services: list[str], variables: dict[str, str]) -> dict[str, str]:
    """Return the images of services, without their tags, as the compose file has them."""
    plan = docker(
        *("buildx", "bake", "--file", FILE, "--print", *services),
        variables=variables,
        otherwise=f"docker buildx cannot read {FILE}",
    )
    targets = json.loads(plan)["target"]
    return {name: targets[name]["tags"][0].rpartition(":")[0] for name in services}


def driver(variables: dict[str, str]) -> str:
    """Return what kind of builder is in use: `docker`, `docker-container` …"""
    told = docker(
        *("buildx", "inspect"),
        variables=variables,
        otherwise=(
            "docker buildx has no builder in use, `docker buildx ls` shows which"
            " there are"
        ),
    )
    found = re.search(r"^Driver:\s*(\S+)", told, re.MULTILINE)
    return found[1] if found else "unknown"


def docker(
    *command: str, variables: dict[str, str], otherwise: str, show_errors: bool = True
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
