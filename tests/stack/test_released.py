"""The images of a release, pulled from a real registry by their digests."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pytest

from core.file_names import RELEASE
from core.files import write_atomic
from core.git import git
from pipeline.release import content
from tests.stack.engine import docker
from tests.stack.latest import small_checkout
from tests.stack.release import Checkout, Registry, started_registry

PROVIDE = """\
from scripts.stack import released
from scripts.stack.settings import Settings
print(released.applied(Settings.read()).variables["IMAGE_TAG"])
"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    with started_registry(tmp_path) as running:
        yield running


@pytest.fixture
def images(there: Registry, tmp_path: Path) -> Iterator[tuple[Checkout, list[str]]]:
    """A checkout that declares a release, and its images, which the engine lacks."""
    checkout = small_checkout(tmp_path)
    addresses = checkout.push_images(REGISTRY=there.address)
    models = content.models_at(checkout.folder, checkout.commit)
    text = content.render(checkout.commit, addresses, models)
    write_atomic(checkout.folder / RELEASE, text)
    names = [address.partition("@")[0] for address in addresses.values()]
    remove(names)
    yield checkout, list(addresses.values())
    remove(names)


def remove(names: list[str]) -> None:
    """Remove every image of these names from the engine."""
    for name in names:
        listed = docker("images", "--quiet", name)
        for image in set(listed.split()):
            docker("rmi", "--force", image)


def provide(checkout: Checkout) -> str:
    """Provide the images as `--released` does; return the output."""
    done = run(
        [sys.executable, "-c", PROVIDE],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_engine_has_the_images_by_digest_and_a_moved_tag_is_put_back(
    images: tuple[Checkout, list[str]],
) -> None:
    checkout, addresses = images
    tag = f"sha-{checkout.commit}"
    assert provide(checkout).endswith(f"{tag}\n")
    for address in addresses:
        name, _, _ = address.partition("@")
        (image,) = json.loads(docker("image", "inspect", f"{name}:{tag}"))
        assert address in image["RepoDigests"]

    first, second, _ = (address.partition("@")[0] for address in addresses)
    docker("tag", f"{first}:{tag}", f"{second}:{tag}")
    provide(checkout)
    (image,) = json.loads(docker("image", "inspect", f"{second}:{tag}"))
    assert addresses[1] in image["RepoDigests"]


def test_an_image_that_is_not_there_is_named(
    images: tuple[Checkout, list[str]],
) -> None:
    checkout, addresses = images
    path = checkout.folder / RELEASE
    digest = addresses[0].rpartition(":")[2]
    missing = "e" * 64
    write_atomic(path, path.read_text("utf-8").replace(digest, missing))
    output = provide(checkout)
    assert f"@sha256:{missing} is neither here nor in its registry" in output
    assert git(checkout.folder, "status", "--porcelain", "deployment/models") == ""


def test_an_image_for_another_architecture_is_refused(
    images: tuple[Checkout, list[str]],
) -> None:
    checkout, addresses = images
    name = addresses[0].partition("@")[0]
    foreign = ("--platform", "linux/s390x", "--tag", f"{name}:foreign")
    dockerfile = "FROM scratch\nCOPY params.yaml /\n"
    docker(
        "build", "--quiet", *foreign, "-f", "-", str(checkout.folder), input=dockerfile
    )
    docker("push", "--quiet", f"{name}:foreign")
    (image,) = json.loads(docker("image", "inspect", f"{name}:foreign"))
    (address,) = image["RepoDigests"]
    path = checkout.folder / RELEASE
    write_atomic(path, path.read_text("utf-8").replace(addresses[0], address))
    output = provide(checkout)
    assert f"{address} is for linux/s390x, and this engine runs linux/" in output
    assert "or set DOCKER_DEFAULT_PLATFORM=linux/s390x" in output
