"""`--released --follow`: containers and images are kept what a release declares, and
those of the next release follow its models.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.file_names import RELEASE
from core.files import write_atomic
from core.git import git
from pipeline.release import content
from scripts.stack import healthy_release
from scripts.stack.released_images import identity
from tests.paths import ROOT
from tests.stack.engine import DOWN, PROJECT, docker, eventually
from tests.stack.faster import shorten_waits
from tests.stack.follower import HOST
from tests.stack.kept import IN_SYNC, LOCAL, Kept
from tests.stack.release import Registry, started_registry
from tests.support.following import Releases
from tests.support.git_server import serve
from tests.support.publishing_team import BETTER, GOOD
from tools.documents import checkout as checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MENDED_SECONDS = 120
# From the commit that declares a release until its containers are healthy.
TAKEN_SECONDS = 240
SCRAPED_SECONDS = 60
STOP_SECONDS = 60
REPOSITORY = f"{PROJECT}-release/copy"
UNHEALTHY = "HEALTHCHECK --interval=1s --retries=1 CMD false"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry for the images of a release."""
    with started_registry(tmp_path) as running:
        yield running


def push(registry: Registry, label: str, more: str = "") -> str:
    """Push the API's image with a label of its own; return its name with the digest.

    Afterwards the engine has it no longer.

    Args:
        more: a further line of its Dockerfile.
    """
    bare = f"{registry.address}/{REPOSITORY}/mlops-api"
    dockerfile = f"FROM {LOCAL.format(image='api')}\nLABEL test={label}\n{more}\n"
    name = f"{bare}:{label}"
    docker("build", "--quiet", "--tag", name, "-", input=dockerfile)
    docker("push", "--quiet", name)
    listed = docker("inspect", "--format", "{{json .RepoDigests}}", name)
    start = listed.index(f"{bare}@")
    address = listed[start:].partition('"')[0]
    docker("rmi", "--force", name, address)
    return address


def declare(checkout: Path, images: dict[str, str]) -> str:
    """Write the release of a checkout's commit into it; return the images' tag."""
    commit = git(checkout, "rev-parse", "HEAD")
    models = content.models_at(checkout, commit)
    write_atomic(checkout / RELEASE, content.render(commit, images, models))
    return f"sha-{commit}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    checkouts.copy_to(folder)
    shorten_waits(folder)
    return folder


def check_mends(kept: Kept, images: dict[str, str], tag: str) -> None:
    """A container that was stopped and a name of an image that was moved are put back."""
    kept.compose("stop", "mlops-api")
    kept.await_image(images["api"], MENDED_SECONDS)
    kept.await_line("mended: mlops-api differed from release", MENDED_SECONDS)

    name = images["api"].partition("@")[0] + f":{tag}"
    docker("tag", LOCAL.format(image="pipeline"), name)
    eventually(
        lambda: identity(name) == identity(images["api"]),
        MENDED_SECONDS,
        "the name leads to the declared image",
    )
    eventually(
        lambda: kept.metric("release_container_drifts_total") >= 2,
        SCRAPED_SECONDS,
        "the drifts are counted",
    )
    assert kept.metric("release_containers_in_sync") == 1


def check_replicas(kept: Kept, image: str) -> None:
    """A replica that was removed is put back, also one that was added by hand."""
    eventually(
        lambda: kept.log.read_text("utf-8").splitlines()[-1].startswith(IN_SYNC),
        MENDED_SECONDS,
        "nothing differs",
    )
    checks = kept.log.read_text("utf-8").count(IN_SYNC)
    drifts = kept.metric("release_container_drifts_total")
    one_more = ("--no-recreate", "--no-deps", "--scale", "mlops-api=2", "mlops-api")
    kept.compose("up", "--detach", *one_more)
    eventually(
        lambda: kept.log.read_text("utf-8").count(IN_SYNC) > checks,
        MENDED_SECONDS,
        "both replicas run the release",
    )
    assert len(kept.replicas()) == 2
    assert kept.image_of_the_api() == identity(image)
    docker("rm", "--force", kept.replicas()[0])
    eventually(
        lambda: len(kept.replicas()) == 2, MENDED_SECONDS, "the replica is put back"
    )
    kept.await_image(image, MENDED_SECONDS)
    eventually(
        lambda: kept.metric("release_container_drifts_total") >= drifts + 2,
        SCRAPED_SECONDS,
        "the drifts are counted",
    )


def check_goes_back(kept: Kept, releases: Releases, good: str, bad: str) -> None:
    """Containers that do not become healthy are replaced by those of the last release."""
    releases.images = {"api": bad}
    releases.declare(git(releases.origin, "rev-parse", "main"))
    kept.await_line("its containers did not become healthy, so", TAKEN_SECONDS)
    assert kept.image_of_the_api() == identity(good)
    eventually(lambda: kept.served_version() > 0, MENDED_SECONDS, "the API answers")
    eventually(
        lambda: kept.metric("release_containers_in_sync") == 0,
        SCRAPED_SECONDS,
        "the difference is shown",
    )
    # Whoever starts it again gets the same containers.
    healthy = healthy_release.PATH.relative_to(ROOT)
    assert good in (kept.checkout / healthy).read_text("utf-8")


def check_missing_image(kept: Kept, releases: Releases, present: str) -> None:
    """An image that is not there is named, and the containers stay as they are."""
    missing = present[:-64] + "e" * 64
    releases.images = {"api": missing}
    releases.publish(housing=BETTER)
    sentence = f"{missing} is neither here nor in its registry"
    kept.await_line(sentence, TAKEN_SECONDS)
    assert kept.image_of_the_api() == identity(present)
    eventually(
        lambda: kept.metric("release_containers_in_sync") == 0,
        SCRAPED_SECONDS,
        "the difference is shown",
    )


def test_containers_are_kept_and_follow_releases(
    checkout: Path, registry: Registry, releases: Releases, origin: Path
) -> None:
    with serve(origin.parent, host="0.0.0.0") as server:
        port = server.address.partition(":")[2]
        kept = Kept(checkout, f"http://{HOST}:{port}/{origin.name}")
        kept.compose(*DOWN)
        kept.compose("build", "mlops-api", "reconciler")
        first = {"api": push(registry, "first")}
        second = {"api": push(registry, "second")}
        bad = push(registry, "bad", UNHEALTHY)
        tag = declare(checkout, first)
        try:
            with kept.running() as process:
                check_mends(kept, first, tag)
                check_replicas(kept, first["api"])
                releases.images = second
                releases.publish(housing=GOOD, iris=BETTER)
                kept.await_image(second["api"], TAKEN_SECONDS)
                check_goes_back(kept, releases, second["api"], bad)
                check_missing_image(kept, releases, second["api"])
                releases.images = first
                releases.promote()
                kept.await_image(first["api"], TAKEN_SECONDS)
                process.send_signal(signal.SIGTERM)
                assert process.wait(STOP_SECONDS) == 0
            assert kept.image_of_the_api() == identity(first["api"])
            assert len(kept.replicas()) == 2
        finally:
            print(kept.log.read_text("utf-8"))
            kept.compose(*DOWN)
    assert not (checkout / "logs/containers.prom").exists()
    assert "Traceback" not in kept.log.read_text("utf-8")
