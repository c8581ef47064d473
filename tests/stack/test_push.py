"""Images that are built and pushed for real, and `latest`, which follows main's newest commit."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.rehearse.docker import registry
from scripts.stack import buildx
from tests.stack.engine import PROJECT, Stack, docker, free_port
from tests.stack.release import Checkout, Registry


@pytest.fixture(scope="module")
def checkout(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout whose images have been built for the stack: the cache has them."""
    return Checkout(tmp_path_factory.mktemp("push"))


@pytest.fixture(scope="module")
def pushed(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Registry, dict[str, str], str]]:
    """Push the API's image; return the registry, the step's outputs and what was printed."""
    if not shutil.which("docker-registry"):
        pytest.skip("there is no registry to push to: `apt-get install docker-registry`")
    with registry(tmp_path_factory.mktemp("registry")) as address:
        found = Registry(address)
        try:
            code, said, wrong = checkout.run("images", "push", "mlops-api", REGISTRY=found.address)
            assert code == 0, wrong
            yield found, checkout.told(), said + wrong
        finally:
            docker("rmi", f"{found.name('mlops-api')}:sha-{checkout.commit}")


def test_a_push_names_what_lies_in_the_registry(
    checkout: Checkout, pushed: tuple[Registry, dict[str, str], str]
) -> None:
    there, told, said = pushed
    digest, name = there.digest("mlops-api", f"sha-{checkout.commit}"), there.name("mlops-api")
    assert told == {"api": f"{name}@{digest}", "name": name, "digest": digest}
    assert f"api={name}@{digest}\n" in said
    assert "without attestations" in said
    (image,) = json.loads(docker("inspect", f"{name}:sha-{checkout.commit}"))
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == checkout.commit
    assert labels["org.opencontainers.image.source"] == str(checkout.origin)
    assert "iris v" in labels["mlops.models"]


def test_latest_moves_only_for_the_tip_of_main(
    checkout: Checkout, pushed: tuple[Registry, dict[str, str], str]
) -> None:
    there, told, _ = pushed
    tag, images = f"sha-{checkout.commit}", ("mlops-api", "mlops-mlflow", "mlops-pipeline")
    code, _, wrong = checkout.run("images", "latest", REGISTRY=there.address)
    assert code == 1
    missing = f"{there.name('mlops-mlflow')}:{tag}"
    assert wrong.endswith(f"error: {missing} is not in the registry, push it first: see above.\n")

    # The other two are larger, and what is in them does not matter here.
    for image in images[1:]:
        tagged = f"{there.name(image)}:{tag}"
        docker("buildx", "imagetools", "create", "--tag", tagged, told["api"])
    digests = {image: there.digest(image, tag) for image in images}

    newer = checkout.git("commit-tree", "-p", "HEAD", "-m", "newer", "HEAD^{tree}")
    checkout.git("push", "--quiet", "origin", f"{newer}:refs/heads/main")
    code, said, wrong = checkout.run("images", "latest", REGISTRY=there.address)
    assert code == 0, wrong
    assert said.startswith(f"`latest` stays where it is: main has gone on to {newer[:9]}")
    assert checkout.told() == {} and not any(there.digest(image, "latest") for image in images)

    checkout.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    code, _, wrong = checkout.run("images", "latest", REGISTRY=there.address)
    assert code == 0, wrong
    expected = " ".join(f"{there.name(image)}@{digests[image]}" for image in images)
    assert checkout.told() == {"digests": expected}
    for image in images:
        source = json.loads(_manifest(f"{there.name(image)}@{digests[image]}"))
        moved = json.loads(_manifest(f"{there.name(image)}:latest"))
        # An image of one platform without attestations gets a list around it on the way.
        assert moved == source or digests[image] in {m["digest"] for m in moved["manifests"]}


def test_what_is_not_committed_is_not_pushed(checkout: Checkout) -> None:
    file = checkout.folder / "params.yaml"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    try:
        code, _, wrong = checkout.run("images", "push", "mlops-api")
    finally:
        file.write_bytes(content)
    assert code == 1
    assert wrong == "error: params.yaml is not as in HEAD: commit it, then push the images.\n"


def test_a_registry_that_refuses_and_a_build_that_fails_give_one_sentence(
    checkout: Checkout,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    try:
        code, _, wrong = checkout.run("images", "push", "mlops-api", REGISTRY=address)
    finally:
        docker("rmi", f"{address}/{PROJECT}/mlops-api:sha-{checkout.commit}")
    assert code == 1 and "connection refused" in wrong
    assert wrong.endswith("error: docker buildx bake did not push mlops-api: see above.\n")

    dockerfile = checkout.folder / "deployment" / "docker" / "api.Dockerfile"
    content = dockerfile.read_text()
    dockerfile.write_text(content.replace("COPY app ", "COPY no-such-folder "))
    try:
        code, _, wrong = checkout.run("images", "build", "mlops-api")
    finally:
        dockerfile.write_text(content)
    assert code == 1 and "no-such-folder" in wrong
    assert wrong.endswith("error: docker buildx bake did not build mlops-api: see above.\n")


def test_a_builder_of_its_own_gets_what_docker_understands(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker("buildx", "create", "--name", PROJECT, "--driver", "docker-container")
    try:
        monkeypatch.setenv("BUILDX_BUILDER", PROJECT)
        driver = buildx.driver(dict(os.environ))
    finally:
        docker("buildx", "rm", PROJECT)
    assert driver == "docker-container"
    names = {"trainer": "ghcr.io/me/mlops-pipeline"}
    command = buildx.arguments("push", names, driver, tmp_path / "metadata.json")
    monkeypatch.delenv("BUILDX_BUILDER")
    plan = json.loads(docker(*command, "--print", cwd=checkout.folder))["target"]["trainer"]
    # Older and newer ones print what they have understood as text or as objects.
    for key in ("cache-from", "cache-to"):
        assert "ghcr.io/me/mlops-pipeline:cache" in json.dumps(plan[key])
    attested = json.dumps(plan["attest"])
    assert "sbom" in attested and "provenance" in attested and "max" in attested
    assert "push" in json.dumps(plan["output"])


def _manifest(image: str) -> str:
    return docker("buildx", "imagetools", "inspect", "--raw", image)
