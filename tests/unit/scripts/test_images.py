"""What the images are called, and what Docker is told; a real push is in `tests/stack`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.git import git
from scripts import images
from scripts.ci.outputs import put
from scripts.stack import builds, buildx
from scripts.stack.settings import Settings

ROOT = Path(__file__).parents[3]
NAMES = {"mlops-api": "ghcr.io/me/mlops-api", "trainer": "ghcr.io/me/mlops-pipeline"}
FILE = Path("metadata.json")


def names(**variables: str) -> dict[str, str]:
    return builds.names(Settings(0, (), (), variables))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.images", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_are_lower_case_and_of_the_commit() -> None:
    head = git(ROOT, "rev-parse", "HEAD")
    usual = {"REGISTRY": "ghcr.io", "OWNER": "local", "IMAGE_TAG": f"sha-{head}"}
    assert names() == names(REGISTRY="", OWNER="", IMAGE_TAG="") == usual
    assert names(GITHUB_REPOSITORY_OWNER="My-Org")["OWNER"] == "my-org"
    assert names(GITHUB_REPOSITORY_OWNER="My-Org", OWNER="Me")["OWNER"] == "me"
    given = {"REGISTRY": "127.0.0.1:5001", "OWNER": "me", "IMAGE_TAG": "try"}
    assert names(**given) == given


def test_every_image_that_the_compose_file_builds_is_built_once() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    built = {name: found["image"] for name, found in services.items() if "build" in found}
    chosen = [built[name] for name in images.SERVICES]
    assert len(set(chosen)) == len(chosen) and set(chosen) == set(built.values())


@pytest.mark.parametrize(("verb", "output"), [("build", "--load"), ("push", "--push")])
def test_the_builtin_builder_is_asked_for_nothing_that_it_cannot_do(verb: str, output: str) -> None:
    command = ["buildx", "bake", "--file", "docker-compose.yml", "--metadata-file", str(FILE)]
    told = buildx.arguments(verb, NAMES, "docker", FILE)
    assert told == [*command, output, "mlops-api", "trainer"]


def test_a_builder_of_its_own_reads_the_cache_of_the_registry() -> None:
    told = buildx.arguments("build", NAMES, "docker-container", FILE)
    assert "trainer.cache-from=type=registry,ref=ghcr.io/me/mlops-pipeline:cache" in told
    assert told[-2:] == ["mlops-api", "trainer"]
    assert not [word for word in told if "cache-to" in word or word in ("--sbom", "--push")]


def test_only_a_push_writes_the_cache_and_attests() -> None:
    told = buildx.arguments("push", NAMES, "docker-container", FILE)
    cache = "type=registry,ref=ghcr.io/me/mlops-api:cache"
    assert {f"mlops-api.cache-from={cache}", f"mlops-api.cache-to={cache},mode=max"} <= set(told)
    assert told[told.index("--provenance") + 1] == "mode=max"
    assert told[told.index("--sbom") + 1] == "true"
    assert "--load" not in told


def test_a_single_image_is_named_as_an_attestation_wants_it() -> None:
    api, mlflow = "ghcr.io/me/mlops-api", "ghcr.io/me/mlops-mlflow"
    assert images.outputs({api: "sha256:1"}) == {
        **{"api": f"{api}@sha256:1", "name": api, "digest": "sha256:1"},
    }
    both = images.outputs({api: "sha256:1", mlflow: "sha256:2"})
    assert both == {"api": f"{api}@sha256:1", "mlflow": f"{mlflow}@sha256:2"}


def test_outputs_are_added_to_those_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    put(api="a@sha256:1")
    assert file.read_text() == "before=1\napi=a@sha256:1\n"
    assert capsys.readouterr().err == "api=a@sha256:1\n"


@pytest.mark.skipif(os.name == "nt", reason="links to programs are a POSIX matter")
def test_without_docker_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    done = run("build", PATH=str(tmp_path))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "error: the program `docker` is not here: install Docker with buildx.\n"


def test_a_service_without_an_image_is_a_wrong_use() -> None:
    done = run("build", "prometheus")
    assert done.returncode == 2
    assert "prometheus: no image is built for it; there are mlops-api, mlflow-" in done.stderr
