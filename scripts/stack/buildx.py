"""Docker's builder, told by docker-compose.yml what to build."""

import json
import re
import subprocess
from pathlib import Path

from scripts.stack.settings import ROOT, StackError

FILE = "docker-compose.yml"


def arguments(verb: str, names: dict[str, str], driver: str, metadata: Path) -> list[str]:
    """Return Docker's arguments to build images by service, given as their names without a tag."""
    command = ["buildx", "bake", "--file", FILE, "--metadata-file", str(metadata)]
    command.append("--push" if verb == "push" else "--load")
    if driver == "docker":  # it can have no cache but its own, and attest nothing
        return [*command, *names]
    # A cache of the registry's, which none but those who may push can write.
    for service, image in names.items():
        cache = f"type=registry,ref={image}:cache"
        command += ["--set", f"{service}.cache-from={cache}"]
        if verb == "push":
            command += ["--set", f"{service}.cache-to={cache},mode=max"]
    if verb == "push":
        command += ["--provenance", "mode=max", "--sbom", "true"]
    return [*command, *names]


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
        otherwise="docker buildx has no builder in use, `docker buildx ls` shows which there are",
    )
    found = re.search(r"^Driver:\s*(\S+)", told, re.MULTILINE)
    return found[1] if found else "unknown"


def docker(*command: str, variables: dict[str, str], otherwise: str) -> str:
    """Run Docker in the checkout and return what it prints.

    Raises:
        StackError: there is no Docker, or it failed: what it said has been shown, then `otherwise`.
    """
    try:
        done = subprocess.run(
            ["docker", *command],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise StackError("the program `docker` is not here: install Docker with buildx.") from error
    if done.returncode:
        raise StackError(f"{otherwise}: see above.")
    return done.stdout
