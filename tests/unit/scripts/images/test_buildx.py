"""The arguments with which Docker builds and pushes images."""

from pathlib import Path

import pytest

from scripts.images import buildx

NAMES = {"mlops-api": "ghcr.io/me/mlops-api", "trainer": "ghcr.io/me/mlops-pipeline"}
FILE = Path("metadata.json")


@pytest.mark.parametrize(
    ("verb", "output"),
    [
        ("build", "--load"),
        ("push", "--push"),
    ],
)
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
    arguments = buildx.arguments(verb, NAMES, "docker", FILE)
    assert arguments == [*command, output, "mlops-api", "trainer"]


def test_a_builder_of_its_own_reads_the_cache_of_the_registry() -> None:
    arguments = buildx.arguments("build", NAMES, "docker-container", FILE)
    cache = "type=registry,ref=ghcr.io/me/mlops-pipeline:cache"
    assert f"trainer.cache-from={cache}" in arguments
    assert arguments[-2:] == ["mlops-api", "trainer"]
    assert "--sbom" not in arguments
    assert "--push" not in arguments
    assert "cache-to" not in " ".join(arguments)


def test_only_a_push_writes_the_cache_and_attests() -> None:
    arguments = buildx.arguments("push", NAMES, "docker-container", FILE)
    cache = "type=registry,ref=ghcr.io/me/mlops-api:cache"
    assert f"mlops-api.cache-from={cache}" in arguments
    assert f"mlops-api.cache-to={cache},mode=max" in arguments
    assert arguments[arguments.index("--provenance") + 1] == "mode=max"
    assert arguments[arguments.index("--sbom") + 1] == "true"
    assert "--load" not in arguments


def test_a_platform_has_a_tag_and_a_cache_to_itself() -> None:
    arguments = buildx.arguments("push", NAMES, "docker-container", FILE, "linux/arm64")
    assert arguments[arguments.index("*.platform=linux/arm64") - 1] == "--set"
    cache = "type=registry,ref=ghcr.io/me/mlops-api:cache-arm64"
    assert f"mlops-api.cache-from={cache}" in arguments
    assert buildx.suffix("linux/arm64") == "-arm64"
    assert buildx.suffix("linux/arm/v7") == "-arm-v7"
