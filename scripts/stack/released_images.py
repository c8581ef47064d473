"""The images of a release on this machine: pulled by digest, checked, and tagged."""

import os
import subprocess

from scripts.stack import attestation
from scripts.stack.settings import StackError

# Docker's own variable for images of another architecture, which it then emulates.
PLATFORM = "DOCKER_DEFAULT_PLATFORM"


def provide(addresses: tuple[str, ...], tag: str) -> list[str]:
    """Pull the images that are not here, and let a tag lead to each.

    Args:
        addresses: the names of the images with their digests.
        tag: the tag under which Compose finds them.

    Returns:
        The names with the tag that did not lead to their image.

    Raises:
        StackError: an image is neither here nor in its registry, it is not signed as
            it should be, it is for another architecture, or Docker does not answer.
    """
    engine = _engine()
    wrong = []
    for address in addresses:
        if not identity(address):
            attestation.require(address)
            _pull(address, engine)
        _require_platform(address, engine)
        name, _, _ = address.partition("@")
        tagged = f"{name}:{tag}"
        if identity(tagged) == identity(address):
            continue
        if docker("tag", address, tagged).returncode:
            raise StackError(f"{address} could not be tagged: is Docker still running?")
        wrong.append(tagged)
    return wrong


def identity(name: str) -> str:
    """Return the ID of an image on this machine; empty if it is not here."""
    done = docker("image", "inspect", "--format", "{{.Id}}", name)
    return done.stdout.strip()


def docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Docker, and return its output."""
    return subprocess.run(
        ["docker", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _pull(address: str, engine: str) -> None:
    done = docker("pull", "--quiet", address)
    if not done.returncode:
        return
    reason = " ".join(done.stderr.split())
    if "no matching manifest" in reason:
        raise StackError(_other_platform(address, "other platforms", engine))
    raise StackError(
        f"{address} is neither here nor in its registry ({reason}): log in with"
        " `docker login` if the package is private."
    )


def _require_platform(address: str, engine: str) -> None:
    """Check that the engine can run an image.

    Raises:
        StackError: it is for another architecture.
    """
    form = "{{.Os}}/{{.Architecture}}"
    done = docker("image", "inspect", "--format", form, address)
    platform = done.stdout.strip()
    if platform and not runs(engine, platform):
        raise StackError(_other_platform(address, platform, engine))


def runs(engine: str, platform: str) -> bool:
    """Return whether an engine runs images of a platform, such as linux/amd64.

    Args:
        engine: the engine's platform, which may name a variant, as in linux/arm64/v8.
    """
    return f"{engine}/".startswith(f"{platform}/")


def _engine() -> str:
    """Return the platform whose images the engine runs, such as linux/amd64.

    Raises:
        StackError: Docker does not answer.
    """
    done = docker("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")
    if done.returncode:
        raise StackError("Docker does not answer: start it.")
    return os.environ.get(PLATFORM) or done.stdout.strip()


def _other_platform(address: str, platform: str, engine: str) -> str:
    return (
        f"{address} is for {platform}, and this engine runs {engine}: start without"
        f" --released to build images here, or set {PLATFORM}={platform} if the engine"
        " emulates it."
    )
