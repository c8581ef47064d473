"""Images that are built and pushed for real: small ones, with the labels of the real
ones.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.images import buildx
from scripts.loopback import free_port
from tests.stack.engine import PROJECT, docker, require_engine
from tests.stack.release import REPOSITORY, Checkout, Registry
from tools.rehearse.docker import registry

IMAGES = ("mlops-api", "mlops-mlflow", "mlops-pipeline")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    require_engine()
    found = Checkout(tmp_path_factory.mktemp("push"))
    found.shrink()
    return found


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    if not shutil.which("docker-registry"):
        pytest.skip(
            "there is no registry to push to: `apt-get install docker-registry`"
        )
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield Registry(address)


def push(
    checkout: Checkout, there: Registry, *more: str, **variables: str
) -> dict[str, str]:
    """Push images as the workflow does; return the outputs of the step."""
    checkout.told()
    code, _, wrong = checkout.run(
        "images", "push", *more, REGISTRY=there.address, **variables
    )
    assert code == 0, wrong
    return checkout.told()


def test_a_push_names_what_lies_in_the_registry(
    checkout: Checkout, there: Registry
) -> None:
    code, said, wrong = checkout.run(
        "images", "push", "mlops-api", REGISTRY=there.address
    )
    assert code == 0, wrong
    told = checkout.told()
    digest, name = there.digest("mlops-api", f"sha-{checkout.commit}"), there.name(
        "mlops-api"
    )
    assert told == {"api": f"{name}@{digest}"}
    assert f"api={name}@{digest}\n" in wrong and "without attestations" in said
    (image,) = json.loads(docker("inspect", f"{name}:sha-{checkout.commit}"))
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == checkout.commit
    assert labels["org.opencontainers.image.source"] == str(checkout.origin)
    assert "iris v" in labels["mlops.models"]


def test_a_second_repository_of_an_owner_has_packages_of_its_own(
    checkout: Checkout, there: Registry
) -> None:
    first = push(checkout, there)
    owner = REPOSITORY.partition("/")[0]
    for name in ("Her-Copy", ".github", "a__b..c"):
        second = push(checkout, there, GITHUB_REPOSITORY=f"{owner}/{name}")
        assert set(second) == set(first) == {"api", "mlflow", "pipeline"}
        for short, address in second.items():
            assert address.rpartition("@")[0] != first[short].rpartition("@")[0]
    tag = f"sha-{checkout.commit}"
    for image in IMAGES:
        assert there.digest(image, tag)
        assert Registry(there.address, f"{owner.lower()}/her-copy").digest(image, tag)


def test_images_of_two_platforms_have_one_name(
    checkout: Checkout, there: Registry
) -> None:
    usual = push(checkout, there)
    push(checkout, there, "mlops-api trainer", "--platform", "linux/arm64")
    tag = f"sha-{checkout.commit}"
    assert there.digest("mlops-api", f"{tag}-arm64") != there.digest("mlops-api", tag)
    for _ in range(2):  # a job that runs again changes nothing
        code, _, wrong = checkout.run("images", "combine", REGISTRY=there.address)
        assert code == 0 and "not found" not in wrong, wrong
        told = checkout.told()
        assert told["api"].endswith(f"@{there.digest('mlops-api', tag)}")
        assert (
            told["mlflow"] == usual["mlflow"]
        )  # of which nothing was pushed for arm64
        index = json.loads(
            docker("buildx", "imagetools", "inspect", "--raw", told["api"])
        )
        platforms = [found["platform"]["architecture"] for found in index["manifests"]]
        assert sorted(platforms) == ["amd64", "arm64"]


def test_what_is_not_committed_is_not_pushed(checkout: Checkout) -> None:
    file = checkout.folder / "params.yaml"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    try:
        code, _, wrong = checkout.run("images", "push", "mlops-api")
    finally:
        file.write_bytes(content)
    assert code == 1
    assert (
        wrong
        == "error: params.yaml is not as in HEAD: commit it, then push the images.\n"
    )


@contextmanager
def refusing(message: str) -> Iterator[str]:
    """Run a registry that takes nothing, with GHCR's reason; yield its address."""

    class Refusal(BaseHTTPRequestHandler):
        def answer(self) -> None:
            status = (
                200 if self.path == "/v2/" else 404 if self.command == "HEAD" else 403
            )
            refused = {"errors": [{"code": "DENIED", "message": message}]}
            body = b"{}" if status == 200 else json.dumps(refused).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


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
        code, _, wrong = checkout.run("images", "push", "mlops-api", REGISTRY=address)
    name = f"{address}/{REPOSITORY.lower()}/mlops-api:sha-{checkout.commit}"
    docker("rmi", name)
    assert code == 1
    (sentence,) = [line for line in wrong.splitlines() if line.startswith("error: ")]
    assert answer in sentence and advice in sentence


def test_a_registry_that_is_not_there_and_a_build_that_fails_give_one_sentence(
    checkout: Checkout,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    try:
        code, _, wrong = checkout.run("images", "push", "mlops-api", REGISTRY=address)
    finally:
        docker("rmi", f"{address}/{REPOSITORY.lower()}/mlops-api:sha-{checkout.commit}")
    assert code == 1 and "connection refused" in wrong
    assert wrong.endswith(
        "error: docker buildx bake did not push mlops-api: see above.\n"
    )

    dockerfile = checkout.folder / "deployment" / "docker" / "api.Dockerfile"
    content = dockerfile.read_text("utf-8")
    dockerfile.write_text(
        content.replace("COPY params.yaml", "COPY no-such-file"), "utf-8"
    )
    try:
        code, _, wrong = checkout.run("images", "build", "mlops-api")
    finally:
        dockerfile.write_text(content, "utf-8")
    assert code == 1 and "no-such-file" in wrong
    assert wrong.endswith(
        "error: docker buildx bake did not build mlops-api: see above.\n"
    )


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
    names, file = {
        "trainer": "ghcr.io/me/copy/mlops-pipeline"
    }, tmp_path / "metadata.json"
    command = buildx.arguments("push", names, driver, file, "linux/arm64")
    monkeypatch.delenv("BUILDX_BUILDER")
    plan = json.loads(docker(*command, "--print", cwd=checkout.folder))["target"][
        "trainer"
    ]
    # Older and newer ones print what they have understood as text or as objects.
    for key in ("cache-from", "cache-to"):
        assert "ghcr.io/me/copy/mlops-pipeline:cache-arm64" in json.dumps(plan[key])
    assert plan["platforms"] == ["linux/arm64"]
    attested = json.dumps(plan["attest"])
    assert "sbom" in attested and "provenance" in attested and "max" in attested
    assert "push" in json.dumps(plan["output"])
