"""What the images hold, and how their containers run."""

import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.stack.engine import PROJECT, Stack, docker

MOST_BYTES = 300 * 10**6
# What the API adds to Python's image: its packages, its code and the models.
MOST_ADDED_BYTES = 250 * 10**6
FORBIDDEN = {"mlflow", "sklearn", "pandas", "scipy", "pip", "setuptools", "ensurepip"}
PROGRAMS = {
    "apt-get",
    "bash",
    "cc",
    "curl",
    "dpkg",
    "gcc",
    "git",
    "ld",
    "pip",
    "pip3",
    "sh",
}
OURS = {"mlops-api", "mlflow-server", "trainer"}
API_FILES = {
    "VERSION",
    "__pycache__",
    "app",
    "build",
    "core",
    "deployment",
    "health.py",
    "packages",
    "prepare.py",
}
BUILD = (
    "build",
    "--quiet",
    "--file",
    "deployment/docker/api.Dockerfile",
    "--build-arg",
    "SOURCE_DATE_EPOCH=0",
)


def image(stack: Stack, service: str) -> str:
    """Return the image of a service's containers."""
    return str(stack.containers(service)[0]["Image"])


def files(image_name: str) -> Iterator[tarfile.TarInfo]:
    """Yield every file of an image."""
    container = docker("create", image_name).strip()
    try:
        command = ["docker", "export", container]
        exported = subprocess.Popen(command, stdout=subprocess.PIPE)
        with exported, tarfile.open(fileobj=exported.stdout, mode="r|") as archive:
            yield from archive
    finally:
        docker("rm", container)


def layers(image_name: str) -> list[str]:
    """Return the digests of an image's layers, the base's first."""
    described = docker("image", "inspect", image_name)
    digests: list[str] = json.loads(described)[0]["RootFS"]["Layers"]
    return digests


def print_sizes(name: str, sizes: Counter[str]) -> None:
    """Print the largest parts of an image."""
    total = sum(sizes.values())
    print(f"\n{name}: {total / 1e6:.1f} MB unpacked, of these in MB:")
    for part, size in sizes.most_common(15):
        print(f"{size / 1e6:8.1f}  {part}")


@pytest.fixture(scope="module")
def minimal(stack: Stack) -> Iterator[str]:
    """Build the API's image on the minimal root file system."""
    name = f"{PROJECT}:minimal"
    base = ("--build-arg", "BASE=minimal")
    docker(*BUILD, *base, "--tag", name, ".", cwd=stack.checkout)
    yield name
    docker("rmi", name)


def test_the_api_image_adds_nothing_but_the_api_to_pythons_image(stack: Stack) -> None:
    sizes: Counter[str] = Counter()
    names: set[PurePosixPath] = set()
    for file in files(image(stack, "mlops-api")):
        path = PurePosixPath(file.name)
        if path.parts[:1] == ("mlops",):
            names.add(path)
            sizes["/".join(path.parts[:3])] += file.size
    print_sizes("the API's files", sizes)
    assert sum(sizes.values()) <= MOST_ADDED_BYTES
    assert not {path.name for path in names} & FORBIDDEN
    assert {path.parts[1] for path in names if len(path.parts) > 1} <= API_FILES


def test_the_minimal_image_is_small_and_holds_no_other_program(minimal: str) -> None:
    sizes: Counter[str] = Counter()
    names: set[PurePosixPath] = set()
    for file in files(minimal):
        path = PurePosixPath(file.name)
        names.add(path)
        sizes["/".join(path.parts[:2])] += file.size
    print_sizes("the minimal image", sizes)
    assert sum(sizes.values()) <= MOST_BYTES
    assert not {path.name for path in names} & FORBIDDEN
    programs = {path.name for path in names if "bin" in path.parts}
    assert not programs & PROGRAMS


def test_the_minimal_image_predicts(minimal: str, stack: Stack) -> None:
    """Ask it from within: it has no shell, but Python."""
    options = ("--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp")
    volume = ("--tmpfs", "/mlops/build/predictions:mode=1777")
    container = docker("run", "--detach", *options, *volume, minimal).strip()
    question = (
        "import json, time, urllib.request as u\n"
        "golden = json.load(open('deployment/models/iris/manifest.json'))['golden']\n"
        "body = json.dumps(golden['request']).encode()\n"
        "headers = {'Content-Type': 'application/json'}\n"
        "url = 'http://127.0.0.1:8000/predict/iris'\n"
        "for _ in range(300):\n"
        "    try:\n"
        "        print(u.urlopen(u.Request(url, body, headers)).read().decode())\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.1)\n"
    )
    try:
        answer = docker("exec", container, "python", "-c", question)
        assert json.loads(answer)["task"] == "iris"
    finally:
        docker("rm", "--force", container)


@pytest.mark.parametrize("service", sorted(OURS))
def test_no_compiler_and_no_pip_is_left(stack: Stack, service: str) -> None:
    script = (
        "import shutil, importlib.util as u;"
        " print(shutil.which('cc'), u.find_spec('pip'))"
    )
    found = stack.compose("exec", "-T", service, "python", "-c", script)
    assert found.split() == ["None", "None"]


def test_labels_say_what_is_in_an_image(stack: Stack) -> None:
    for service in sorted(OURS):
        (found,) = {
            frozenset(c["Config"]["Labels"].items()) for c in stack.containers(service)
        }
        labels = dict(found)
        revision = labels["org.opencontainers.image.revision"]
        assert revision == stack.environment["REVISION"]
        assert "org.opencontainers.image.source" in labels


def test_containers_run_with_no_rights_and_change_nothing_but_their_volumes(
    stack: Stack,
) -> None:
    for container in stack.containers():
        name = container["Name"]
        host = container["HostConfig"]
        if container["Config"]["Labels"]["com.docker.compose.service"] == "cadvisor":
            # It reads the folders of all containers, and that is all that it may do.
            assert host["CapAdd"] == ["DAC_READ_SEARCH"]
        else:
            assert container["Config"]["User"] not in ("", "root", "0", "0:0"), name
            users = process_users(container["Id"])
            assert users and "0" not in users, (name, users)
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] and host["NanoCpus"], name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert container["State"]["Health"]["Status"] == "healthy", name
        for bound in (container["NetworkSettings"]["Ports"] or {}).values():
            addresses = {port["HostIp"] for port in bound or ()}
            assert addresses <= {"127.0.0.1"}, name


def process_users(container: str) -> set[str]:
    """Return the numbers of the users that a container's processes run as."""
    lines = docker("top", container, "-o", "pid,uid").splitlines()
    return {line.split()[1] for line in lines[1:]}


def test_equal_inputs_give_equal_layers(stack: Stack, minimal: str) -> None:
    again = f"{PROJECT}:again"
    build = (*BUILD, "--no-cache", "--build-arg", "BASE=minimal")
    docker(*build, "--tag", again, ".", cwd=stack.checkout)
    try:
        built = layers(again)
    finally:
        docker("rmi", again)
    assert built == layers(minimal)
    # The layers of the packages and of the code are those of the image on Python's, too:
    # above the base's layers and the one that removes pip.
    given = len(layers("python:3.13-slim")) + 1
    assert built[1:] == layers(image(stack, "mlops-api"))[given:]
