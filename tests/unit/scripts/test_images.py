"""What the images are called, and what Docker is told; a real push is in `tests/stack`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts import images
from scripts.ci.outputs import put
from scripts.stack import builds, buildx
from scripts.stack.settings import Settings
from tests.paths import ROOT

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


def test_the_names_come_from_the_repository_and_the_tag_from_the_commit() -> None:
    head = subprocess.check_output(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, text=True
    ).strip()
    # A copy has its own name here.
    (own,) = set(
        re.findall(
            r"REPOSITORY:-([^}]*)", (ROOT / "docker-compose.yml").read_text("utf-8")
        )
    )
    usual = {"REGISTRY": "ghcr.io", "OWNER": "local", "REPOSITORY": own}
    usual["IMAGE_TAG"] = f"sha-{head}"
    assert names() == names(REGISTRY="", OWNER="", REPOSITORY="", IMAGE_TAG="") == usual
    copy = names(GITHUB_REPOSITORY="Octo-Cat/My.Copy")
    assert (copy["OWNER"], copy["REPOSITORY"]) == ("octo-cat", "my.copy")
    other = names(GITHUB_REPOSITORY="Octo-Cat/My.Copy", OWNER="Me", REPOSITORY="Theirs")
    assert (other["OWNER"], other["REPOSITORY"]) == ("me", "theirs")
    chosen = {
        "REGISTRY": "127.0.0.1:5001",
        "OWNER": "me",
        "REPOSITORY": "it",
        "IMAGE_TAG": "try",
    }
    assert names(**chosen) == chosen


@given(st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True))
def test_every_name_of_github_becomes_one_that_registries_take(name: str) -> None:
    found = builds.component(name)
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    assert re.fullmatch(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", found)
    assert builds.component(found) == found


def test_names_that_have_to_change_stay_apart() -> None:
    given = [
        ".github",
        "github",
        "a..b",
        "a-b",
        "a.-b",
        "_a_b",
        "a___b",
        "-",
        "_",
        "--",
    ]
    assert len({builds.component(name) for name in given}) == len(given)
    assert builds.component("a--b") == "a--b" and builds.component("A__b") == "a__b"


def test_every_image_that_the_compose_file_builds_is_built_once() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))[
        "services"
    ]
    built = {
        name: found["image"] for name, found in services.items() if "build" in found
    }
    chosen = [built[name] for name in images.SERVICES]
    assert len(set(chosen)) == len(chosen) and set(chosen) == set(built.values())


@pytest.mark.parametrize(("verb", "output"), [("build", "--load"), ("push", "--push")])
def test_the_builtin_builder_is_asked_for_nothing_that_it_cannot_do(
    verb: str, output: str
) -> None:
    command = [
        "buildx",
        "bake",
        "--file",
        "docker-compose.yml",
        "--metadata-file",
        str(FILE),
    ]
    told = buildx.arguments(verb, NAMES, "docker", FILE)
    assert told == [*command, output, "mlops-api", "trainer"]


def test_a_builder_of_its_own_reads_the_cache_of_the_registry() -> None:
    told = buildx.arguments("build", NAMES, "docker-container", FILE)
    assert (
        "trainer.cache-from=type=registry,ref=ghcr.io/me/mlops-pipeline:cache" in told
    )
    assert told[-2:] == ["mlops-api", "trainer"]
    assert not [
        word for word in told if "cache-to" in word or word in ("--sbom", "--push")
    ]


def test_only_a_push_writes_the_cache_and_attests() -> None:
    told = buildx.arguments("push", NAMES, "docker-container", FILE)
    cache = "type=registry,ref=ghcr.io/me/mlops-api:cache"
    assert {
        f"mlops-api.cache-from={cache}",
        f"mlops-api.cache-to={cache},mode=max",
    } <= set(told)
    assert told[told.index("--provenance") + 1] == "mode=max"
    assert told[told.index("--sbom") + 1] == "true"
    assert "--load" not in told


def test_a_platform_has_a_tag_and_a_cache_to_itself() -> None:
    told = buildx.arguments("push", NAMES, "docker-container", FILE, "linux/arm64")
    assert told[told.index("*.platform=linux/arm64") - 1] == "--set"
    assert (
        "mlops-api.cache-from=type=registry,ref=ghcr.io/me/mlops-api:cache-arm64"
        in told
    )
    assert (
        buildx.suffix("linux/arm64") == "-arm64"
        and buildx.suffix("linux/arm/v7") == "-arm-v7"
    )


def test_the_workflow_knows_each_image_by_a_short_name() -> None:
    for image, known in (("mlops-api", "api"), ("mlops-pipeline", "pipeline")):
        assert images.short(f"ghcr.io/me/copy/{image}") == known


def test_outputs_are_added_to_those_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    put(api="a@sha256:1")
    assert file.read_text("utf-8") == "before=1\napi=a@sha256:1\n"
    assert capsys.readouterr().err == "api=a@sha256:1\n"


@pytest.mark.skipif(os.name == "nt", reason="links to programs are a POSIX matter")
def test_without_docker_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    done = run("build", PATH=str(tmp_path))
    assert done.returncode == 1 and done.stdout == ""
    assert (
        done.stderr
        == "error: the program `docker` is not here: install Docker with buildx.\n"
    )


def test_a_service_without_an_image_is_a_wrong_use() -> None:
    done = run("build", "prometheus")
    assert done.returncode == 2
    assert (
        "prometheus: no image is built for it; there are mlops-api, mlflow-"
        in done.stderr
    )
    # A workflow's matrix passes several as one argument.
    assert (
        "nginx: no image is built for it"
        in run("build", "trainer nginx mlops-api").stderr
    )
