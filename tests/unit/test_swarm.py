"""The stack for Docker Swarm beside the compose file, read without an engine."""

import pytest

from tests.paths import ROOT
from tests.support import compose

FOLDER = ROOT / "deployment" / "swarm"
STACK = compose.read_yaml(FOLDER / "stack.yml")
SERVICES: dict[str, compose.Service] = STACK["services"]
# What has the same meaning, and so the same value, in both files.
SAME = (
    "image",
    "user",
    "read_only",
    "cap_drop",
    "logging",
    "stop_grace_period",
    "init",
)
# `docker stack deploy` ignores or refuses these.
IGNORED = {
    "build",
    "container_name",
    "cpu_shares",
    "depends_on",
    "network_mode",
    "pid",
    "profiles",
    "restart",
    "security_opt",
    "tmpfs",
}
each = pytest.mark.parametrize("name", SERVICES)


@each
def test_a_service_is_that_of_the_compose_file(name: str) -> None:
    service = SERVICES[name]
    original = compose.SERVICES[name]
    for key in SAME:
        assert service.get(key) == original.get(key), key
    assert service["deploy"]["resources"] == original["deploy"]["resources"]
    assert not IGNORED.intersection(service)
    command = original.get("healthcheck", {}).get("test")
    assert service["healthcheck"].get("test") == command


@each
def test_variables_are_those_of_the_compose_file(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    original = compose.SERVICES[name]["environment"]
    assert environment.keys() <= original.keys()
    for variable, value in environment.items():
        # Older versions of `docker stack` do not know what follows another variable.
        expected = original[variable]
        if expected and ":+" in expected:
            expected = None
        assert value == expected


@each
def test_files_of_the_checkout_are_on_the_node_of_the_service(name: str) -> None:
    service = SERVICES[name]
    reads_checkout = False
    for volume in service["volumes"]:
        if isinstance(volume, str) and volume.startswith("."):
            source, _, mode = volume.split(":")
            assert (FOLDER / source).is_dir()
            assert mode == "ro"
            reads_checkout = True
    placement = service["deploy"].get("placement")
    assert (placement is not None) == reads_checkout


def test_every_volume_is_declared_and_used() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service["volumes"]:
            if isinstance(volume, str) and volume[0] not in ".$":
                used.add(volume.partition(":")[0])
    assert used == set(STACK["volumes"])
