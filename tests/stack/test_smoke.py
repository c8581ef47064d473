"""The smoke test of the workflow: the stack on the images just built, compared with the
files.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts.loopback import free_port, free_ports
from tests.stack.engine import (
    MISSING,
    PORTS,
    PROJECT,
    Stack,
    docker,
)
from tests.stack.faster import shorten_waits
from tests.stack.release import IMAGES, REPOSITORY, Checkout

NAME = f"{PROJECT}-smoke"
ABSENT = {"profiles": ["absent"]}
Override = dict[str, object]  # services of a compose file, by name


@pytest.fixture(scope="module")
def checkout(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    """Return a checkout whose images are built."""
    built = Checkout(tmp_path_factory.mktemp("smoke"))
    shorten_waits(built.folder)
    built.commit_all("test: shorter waits")
    done = built.run("images", "build")
    assert done.returncode == 0, done.stderr
    yield built
    repository = f"ghcr.io/{REPOSITORY.lower()}"
    tag = f"sha-{built.commit}"
    docker("rmi", *(f"{repository}/{image}:{tag}" for image in IMAGES))


def without(*services: str) -> Override:
    """Return what leaves services out."""
    return dict.fromkeys(services, ABSENT)


def compose_files(folder: Path, override: Override) -> str:
    """Write a second compose file and return the value of COMPOSE_FILE."""
    file = folder / "override.yml"
    file.write_text(yaml.safe_dump({"services": override}), "utf-8")
    return f"docker-compose.yml:{file}"


def smoke(
    checkout: Checkout, folder: Path, override: Override
) -> "subprocess.CompletedProcess[str]":
    """Run it with a second compose file, on ports that nobody uses."""
    variables = {
        "COMPOSE_FILE": compose_files(folder, override),
        "GITHUB_ACTIONS": "true",
    }
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        variables[f"{name}_PORT"] = str(port)
    try:
        return checkout.run("smoke", **variables)
    finally:
        ours = ("--quiet", "--filter", f"label=com.docker.compose.project={NAME}")
        assert docker("ps", "--all", *ours) == "", "containers are left"
        assert docker("volume", "ls", *ours) == "", "volumes are left"


@pytest.mark.slow
def test_the_images_just_built_show_what_the_files_say(
    stack: Stack, checkout: Checkout, tmp_path: Path
) -> None:
    done = smoke(checkout, tmp_path, without(*MISSING))
    output = done.stdout
    assert done.returncode == 0, output + done.stderr
    tasks = len(list(checkout.folder.glob("deployment/models/*/manifest.json")))
    runs = len(list(checkout.folder.glob("mlruns/*/*/*/run.json")))
    assert f"{tasks} of {tasks} golden requests answered and counted" in output
    assert f"{runs} of {runs} runs as in their files" in output
    assert "6 of 6 targets up" in output
    assert "Grafana" not in output
    assert "::group::" not in output
    # The stack that was started before still runs.
    states = {container["State"]["Status"] for container in stack.containers()}
    assert states == {"running"}


@pytest.mark.slow
def test_a_model_that_is_not_the_manifests_fails_with_the_logs(
    checkout: Checkout, tmp_path: Path
) -> None:
    models = checkout.folder / "deployment" / "models"
    other = tmp_path / "other.onnx"
    shutil.copyfile(models / "credit" / "model.onnx", other)
    broken = {
        "healthcheck": {
            "interval": "1s",
            "start_period": "1s",
            "retries": 8,
        },
        "volumes": [f"{other}:/mlops/deployment/models/iris/model.onnx:ro"],
    }
    others = without(
        *MISSING,
        "trainer",
        "mlflow-server",
        "prometheus",
        "node-exporter",
        "cadvisor",
    )
    done = smoke(checkout, tmp_path, {"mlops-api": broken} | others)
    output = done.stdout
    assert done.returncode == 1
    assert "::group::log of mlops-api\n" in output
    assert "its SHA-256 differs" in output
    # Of prepare, mlops-api and proxy.
    assert output.count("::group::") == 3
    assert output.count("::endgroup::") == 3
    problem = "not every container started and became healthy; see above and the logs."
    assert done.stderr.endswith(f"error: {problem}\n")


def test_images_that_are_nowhere_give_one_sentence(
    checkout: Checkout, tmp_path: Path
) -> None:
    done = checkout.run(
        "smoke",
        REGISTRY=f"127.0.0.1:{free_port()}",
        COMPOSE_FILE=compose_files(tmp_path, without(*MISSING)),
    )
    remedy = "`./scripts/nox.sh -s images -- build` builds those with the tag sha-"
    assert done.returncode == 1
    assert remedy in done.stderr
