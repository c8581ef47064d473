"""What the images hold, and how their containers run."""

import subprocess
import tarfile
from collections import Counter
from pathlib import PurePosixPath

import pytest

from tests.stack.engine import PROJECT, Stack, docker

MOST_BYTES = 300 * 10**6
FORBIDDEN = {"mlflow", "sklearn", "pandas", "scipy", "pip", "setuptools", "ensurepip"}
PROGRAMS = {
    "sh",
    "bash",
    "gcc",
    "cc",
    "ld",
    "apt-get",
    "dpkg",
    "pip",
    "pip3",
    "git",
    "curl",
}
OURS = {"mlops-api", "mlflow-server", "trainer"}


def image(stack: Stack, service: str) -> str:
    """Return the image that a service's containers are of."""
    return str(stack.containers(service)[0]["Image"])


def test_the_api_image_is_small_and_holds_nothing_but_the_api(stack: Stack) -> None:
    container = docker("create", image(stack, "mlops-api")).strip()
    sizes: Counter[str] = Counter()
    names: set[PurePosixPath] = set()
    try:
        exported = subprocess.Popen(
            ["docker", "export", container], stdout=subprocess.PIPE
        )
        with exported, tarfile.open(fileobj=exported.stdout, mode="r|") as files:
            for file in files:
                path = PurePosixPath(file.name)
                names.add(path)
                depth = 3 if path.parts[:2] == ("mlops", "packages") else 2
                sizes["/".join(path.parts[:depth])] += file.size
    finally:
        docker("rm", container)
    print(
        f"\nthe API's image: {sum(sizes.values()) / 1e6:.1f} MB unpacked, of these"
        " in MB:"
    )
    for name, size in sizes.most_common(15):
        print(f"{size / 1e6:8.1f}  {name}")
    assert sum(sizes.values()) <= MOST_BYTES
    assert not {path.name for path in names} & FORBIDDEN
    assert not {path.name for path in names if "bin" in path.parts} & PROGRAMS
    ours = {
        path.parts[1]
        for path in names
        if path.parts[0] == "mlops" and len(path.parts) > 1
    }
    assert ours <= {
        "app",
        "build",
        "core",
        "deployment",
        "packages",
        "health.py",
        "prepare.py",
        "VERSION",
        "__pycache__",
    }


@pytest.mark.parametrize("service", ["mlflow-server", "trainer"])
def test_no_compiler_and_no_pip_is_left(stack: Stack, service: str) -> None:
    script = (
        "import shutil, importlib.util as u; print(shutil.which('cc'),"
        " u.find_spec('pip'))"
    )
    said = stack.compose("exec", "-T", service, "python", "-c", script)
    assert said.split() == ["None", "None"]


def test_labels_say_what_is_in_an_image(stack: Stack) -> None:
    for service in sorted(OURS):
        (found,) = {
            frozenset(c["Config"]["Labels"].items()) for c in stack.containers(service)
        }
        labels = dict(found)
        assert (
            labels["org.opencontainers.image.revision"] == stack.environment["REVISION"]
        )
        assert "org.opencontainers.image.source" in labels


def test_containers_run_with_no_rights_and_change_nothing_but_their_volumes(
    stack: Stack,
) -> None:
    for container in stack.containers():
        name, host = container["Name"], container["HostConfig"]
        lines = docker("top", container["Id"], "-o", "pid,uid").splitlines()[1:]
        if container["Config"]["Labels"]["com.docker.compose.service"] == "cadvisor":
            # It reads the folders of all containers, and that is all that it may do.
            assert host["CapAdd"] == ["DAC_READ_SEARCH"]
        else:
            assert container["Config"]["User"] not in ("", "root", "0", "0:0"), name
            assert lines and not [line for line in lines if line.split()[1] == "0"], (
                name,
                lines,
            )
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] and host["NanoCpus"], name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert container["State"]["Health"]["Status"] == "healthy", name
        for bound in filter(
            None, (container["NetworkSettings"]["Ports"] or {}).values()
        ):
            assert {port["HostIp"] for port in bound} == {"127.0.0.1"}, name


def test_equal_inputs_give_equal_images(stack: Stack) -> None:
    again = f"{PROJECT}:again"
    build = [
        "build",
        "--quiet",
        "--no-cache",
        "--tag",
        again,
        "--build-arg",
        "SOURCE_DATE_EPOCH=0",
    ]
    docker(
        *build, "--file", "deployment/docker/api.Dockerfile", ".", cwd=stack.checkout
    )
    layers = ["image", "inspect", "--format", "{{json .RootFS.Layers}}"]
    try:
        assert docker(*layers, again) == docker(*layers, image(stack, "mlops-api"))
    finally:
        docker("rmi", again)
