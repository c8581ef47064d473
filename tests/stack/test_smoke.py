"""What the workflow verifies: the stack on the images just built, compared with the
files.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.loopback import free_port
from tests.stack.engine import MISSING, PORTS, PROJECT, Stack, docker
from tests.stack.release import REPOSITORY, Checkout

NAME = f"{PROJECT}-smoke"


@pytest.fixture(scope="module")
def checkout(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    """Return a checkout whose images are built."""
    found = Checkout(tmp_path_factory.mktemp("smoke"))
    code, _, wrong = found.run("images", "build")
    assert code == 0, wrong
    yield found
    kinds = ("api", "mlflow", "pipeline")
    docker(
        "rmi",
        *(
            f"ghcr.io/{REPOSITORY.lower()}/mlops-{kind}:sha-{found.commit}"
            for kind in kinds
        ),
    )


def smoke(checkout: Checkout, folder: Path, override: str) -> tuple[int, str, str]:
    """Run it with a second compose file, on ports that nobody uses."""
    file = folder / "override.yml"
    file.write_text(f"services:\n{override}")
    ports = {f"{name}_PORT": str(free_port()) for name in PORTS}
    files = {"COMPOSE_FILE": f"docker-compose.yml:{file}", "GITHUB_ACTIONS": "true"}
    try:
        return checkout.run("smoke", **ports, **files)
    finally:
        mine = ("--quiet", "--filter", f"label=com.docker.compose.project={NAME}")
        left = [docker(*kind, *mine) for kind in (("ps", "--all"), ("volume", "ls"))]
        assert left == ["", ""], "containers or volumes are left"


def absent(*services: str) -> str:
    """Return lines of a compose file that leave services out."""
    return "".join(f"  {name}: {{ profiles: [absent] }}\n" for name in services)


def test_the_images_just_built_show_what_the_files_say(
    stack: Stack, checkout: Checkout, tmp_path: Path
) -> None:
    code, said, wrong = smoke(checkout, tmp_path, absent(*MISSING))
    assert code == 0, said + wrong
    tasks = len(list(checkout.folder.glob("deployment/models/*/manifest.json")))
    runs = len(list(checkout.folder.glob("mlruns/*/*/*/run.json")))
    assert f"{tasks} of {tasks} golden requests answered and counted" in said
    assert f"{runs} of {runs} runs as in their files" in said
    assert "5 of 5 targets up" in said
    assert "Grafana" not in said and "::group::" not in said
    # A stack that ran before runs still.
    assert {found["State"]["Status"] for found in stack.containers()} == {"running"}


def test_a_model_that_is_not_the_manifests_fails_with_the_logs(
    checkout: Checkout, tmp_path: Path
) -> None:
    models = checkout.folder / "deployment" / "models"
    shutil.copyfile(models / "credit" / "model.onnx", tmp_path / "other.onnx")
    broken = (
        "  mlops-api:\n    healthcheck: { interval: 1s, start_period: 1s, retries: 8"
        " }\n    volumes:\n      -"
        f" {tmp_path / 'other.onnx'}:/mlops/deployment/models/iris/model.onnx:ro\n"
    )
    others = ("trainer", "mlflow-server", "prometheus", "node-exporter", "cadvisor")
    code, said, wrong = smoke(checkout, tmp_path, broken + absent(*MISSING, *others))
    assert code == 1
    assert "::group::log of mlops-api\n" in said and "its SHA-256 differs" in said
    assert (
        said.count("::group::") == said.count("::endgroup::") == 3
    )  # prepare, mlops-api, proxy
    assert wrong.endswith(
        "error: not every container started and became healthy; see above and the"
        " logs.\n"
    )


def test_images_that_are_nowhere_give_one_sentence(
    checkout: Checkout, tmp_path: Path
) -> None:
    file = tmp_path / "override.yml"
    file.write_text(f"services:\n{absent(*MISSING)}")
    nowhere = {
        "REGISTRY": f"127.0.0.1:{free_port()}",
        "COMPOSE_FILE": f"docker-compose.yml:{file}",
    }
    code, _, wrong = checkout.run("smoke", **nowhere)
    assert code == 1
    assert (
        "`./scripts/nox.sh -s images -- build` builds those with the tag sha-" in wrong
    )
