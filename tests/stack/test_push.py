"""Images that are built and pushed: small ones, with the labels of the real ones."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from scripts.images import buildx
from scripts.loopback import free_port
from tests.stack.engine import PROJECT, docker
from tests.stack.refusing_registry import refusing
from tests.stack.release import (
    IMAGES,
    REPOSITORY,
    Checkout,
    Registry,
    started_registry,
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    small = Checkout(tmp_path_factory.mktemp("push"))
    small.shrink()
    return small


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with started_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def test_the_output_of_a_push_names_the_image_in_the_registry(
    checkout: Checkout, there: Registry
) -> None:
    push = ("images", "push", "mlops-api")
    done = checkout.run(*push, REGISTRY=there.address)
    assert done.returncode == 0, done.stderr
    tag = f"sha-{checkout.commit}"
    address = there.address_of("mlops-api", tag)
    assert checkout.outputs() == {"api": address}
    assert f"api={address}\n" in done.stderr
    assert "without attestations" in done.stdout
    name = there.name("mlops-api")
    (image,) = json.loads(docker("inspect", f"{name}:{tag}"))
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == checkout.commit
    assert labels["org.opencontainers.image.source"] == str(checkout.origin)
    assert "iris v" in labels["mlops.models"]


def test_a_second_repository_of_an_owner_has_packages_of_its_own(
    checkout: Checkout, there: Registry
) -> None:
    first = checkout.push_images(REGISTRY=there.address)
    assert set(first) == {"api", "mlflow", "pipeline"}
    owner, _, _ = REPOSITORY.partition("/")
    for name in ("Her-Copy", ".github", "a__b..c"):
        repository = f"{owner}/{name}"
        second = checkout.push_images(
            REGISTRY=there.address,
            GITHUB_REPOSITORY=repository,
        )
        assert second.keys() == first.keys()
        for short, address in second.items():
            assert package(address) != package(first[short])
    tag = f"sha-{checkout.commit}"
    hers = Registry(there.address, f"{owner.lower()}/her-copy")
    for image in IMAGES:
        assert there.digest(image, tag)
        assert hers.digest(image, tag)


def package(address: str) -> str:
    """Return the package of an image, which is its address without the digest."""
    name, _, _ = address.rpartition("@")
    return name


@pytest.mark.slow
def test_images_of_two_platforms_have_one_name(
    checkout: Checkout, there: Registry
) -> None:
    usual = checkout.push_images(REGISTRY=there.address)
    checkout.push_images(
        "mlops-api trainer",
        "--platform",
        "linux/arm64",
        REGISTRY=there.address,
    )
    tag = f"sha-{checkout.commit}"
    digest = there.digest("mlops-api", tag)
    assert there.digest("mlops-api", f"{tag}-arm64") != digest
    for _ in range(2):  # a job that runs again changes nothing
        done = checkout.run("images", "combine", REGISTRY=there.address)
        assert done.returncode == 0, done.stderr
        assert "not found" not in done.stderr
        outputs = checkout.outputs()
        combined = there.digest("mlops-api", tag)
        assert outputs["api"].endswith(f"@{combined}")
        assert platforms(outputs["api"]) == ["amd64", "arm64"]
        # Nothing of it was pushed for arm64.
        assert outputs["mlflow"] == usual["mlflow"]


def platforms(address: str) -> list[str]:
    """Return the architectures that an image in a registry is built for."""
    inspect = ("buildx", "imagetools", "inspect", "--raw")
    index = json.loads(docker(*inspect, address))
    names = []
    for manifest in index["manifests"]:
        names.append(manifest["platform"]["architecture"])
    return sorted(names)


def test_what_is_not_committed_is_not_pushed(checkout: Checkout) -> None:
    file = checkout.folder / "params.yaml"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    try:
        done = checkout.run("images", "push", "mlops-api")
    finally:
        file.write_bytes(content)
    problem = "params.yaml is not as in HEAD: commit it, then push the images."
    assert done.returncode == 1
    assert done.stderr == f"error: {problem}\n"


def push_to(checkout: Checkout, address: str) -> "CompletedProcess[str]":
    """Push an image to a registry that does not get it, and remove it here."""
    done = checkout.run("images", "push", "mlops-api", REGISTRY=address)
    repository = f"{address}/{REPOSITORY.lower()}"
    docker("rmi", f"{repository}/mlops-api:sha-{checkout.commit}")
    return done


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (
            "permission_denied: write_package",
            "this package belongs to another repository",
        ),
        (
            "installation not allowed to Create organization package",
            "the organisation does not let workflows create packages",
        ),
    ],
)
def test_a_package_that_may_not_be_written_is_explained(
    checkout: Checkout, answer: str, advice: str
) -> None:
    with refusing(answer) as address:
        done = push_to(checkout, address)
    lines = done.stderr.splitlines()
    (sentence,) = [line for line in lines if line.startswith("error: ")]
    assert done.returncode == 1
    assert answer in sentence
    assert advice in sentence


def test_a_registry_that_is_not_there_gives_one_sentence(checkout: Checkout) -> None:
    done = push_to(checkout, f"127.0.0.1:{free_port()}")
    problem = "docker buildx bake did not push mlops-api: see above."
    assert done.returncode == 1
    assert "connection refused" in done.stderr
    assert done.stderr.endswith(f"error: {problem}\n")


def test_a_build_that_fails_gives_one_sentence(checkout: Checkout) -> None:
    dockerfile = checkout.folder / "deployment" / "docker" / "api.Dockerfile"
    content = dockerfile.read_text("utf-8")
    broken = content.replace("COPY params.yaml", "COPY no-such-file")
    dockerfile.write_text(broken, "utf-8")
    try:
        done = checkout.run("images", "build", "mlops-api")
    finally:
        dockerfile.write_text(content, "utf-8")
    problem = "docker buildx bake did not build mlops-api: see above."
    assert done.returncode == 1
    assert "no-such-file" in done.stderr
    assert done.stderr.endswith(f"error: {problem}\n")


def driver_of_a_builder(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the driver of a builder that is there for this call."""
    docker("buildx", "create", "--name", PROJECT, "--driver", "docker-container")
    try:
        with monkeypatch.context() as patch:
            patch.setenv("BUILDX_BUILDER", PROJECT)
            return buildx.driver(dict(os.environ))
    finally:
        docker("buildx", "rm", PROJECT)


def test_a_builder_of_its_own_gets_what_docker_understands(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = driver_of_a_builder(monkeypatch)
    assert driver == "docker-container"
    command = buildx.arguments(
        "push",
        {"trainer": "ghcr.io/me/copy/mlops-pipeline"},
        driver,
        tmp_path / "metadata.json",
        "linux/arm64",
    )
    output = docker(*command, "--print", cwd=checkout.folder)
    plan = json.loads(output)["target"]["trainer"]
    assert plan["platforms"] == ["linux/arm64"]
    # Some versions print what they have understood as text, and others as objects.
    for key in ("cache-from", "cache-to"):
        cache = json.dumps(plan[key])
        assert "ghcr.io/me/copy/mlops-pipeline:cache-arm64" in cache
    attestations = json.dumps(plan["attest"])
    for word in ("sbom", "provenance", "max"):
        assert word in attestations
    assert "push" in json.dumps(plan["output"])
