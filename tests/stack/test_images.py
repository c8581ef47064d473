"""The contents of the images, and the rights of their containers."""

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


PREDICT = """
import json, time, urllib.request as u
golden = json.load(open("deployment/models/iris/manifest.json"))["golden"]
body = json.dumps(golden["request"]).encode()
headers = {"Content-Type": "application/json"}
url = "http://127.0.0.1:8000/predict/iris"
for _ in range(300):
    try:
        print(u.urlopen(u.Request(url, body, headers)).read().decode())
        break
    except OSError:
        time.sleep(0.1)
"""


def image(stack: Stack, service: str) -> str:
    """Return the image of a service's containers."""
    container = stack.containers(service)[0]
    return str(container["Image"])


def files(image_name: str) -> Iterator[tarfile.TarInfo]:
    """Yield every file of an image."""
    container = docker("create", image_name).strip()
    command = ["docker", "export", container]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                yield from archive
    finally:
        docker("rm", container)


def layers(image_name: str) -> list[str]:
    """Return the digests of an image's layers, the base's first."""
    (description,) = json.loads(docker("image", "inspect", image_name))
    return description["RootFS"]["Layers"]


def print_sizes(name: str, sizes: Counter[str]) -> None:
    """Print the largest parts of an image."""
    total = sum(sizes.values()) / 1e6
    print(f"\n{name}: {total:.1f} MB unpacked, of these in MB:")
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
    sizes = Counter[str]()
    names = set()
    top = set()
    for file in files(image(stack, "mlops-api")):
        path = PurePosixPath(file.name)
        if path.is_relative_to("mlops"):
            names.add(path.name)
            top |= set(path.parts[1:2])
            sizes["/".join(path.parts[:3])] += file.size
    print_sizes("the API's files", sizes)
    assert sum(sizes.values()) <= MOST_ADDED_BYTES
    assert not names & FORBIDDEN
    assert top <= API_FILES


def test_the_minimal_image_is_small_and_holds_no_other_program(minimal: str) -> None:
    sizes = Counter[str]()
    names = set()
    programs = set()
    for file in files(minimal):
        path = PurePosixPath(file.name)
        names.add(path.name)
        if "bin" in path.parts:
            programs.add(path.name)
        sizes["/".join(path.parts[:2])] += file.size
    print_sizes("the minimal image", sizes)
    assert sum(sizes.values()) <= MOST_BYTES
    assert not names & FORBIDDEN
    assert not programs & PROGRAMS


def test_the_minimal_image_predicts(minimal: str, stack: Stack) -> None:
    """The request is sent inside the container, which has no shell, but Python."""
    options = ("--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp")
    volume = ("--tmpfs", "/mlops/build/predictions:mode=1777")
    container = docker("run", "--detach", *options, *volume, minimal).strip()
    try:
        answer = docker("exec", container, "python", "-c", PREDICT)
        assert json.loads(answer)["task"] == "iris"
    finally:
        docker("rm", "--force", container)


@pytest.mark.parametrize("service", sorted(OURS))
def test_no_compiler_and_no_pip_is_left(stack: Stack, service: str) -> None:
    script = (
        "import shutil, importlib.util as u;"
        " print(shutil.which('cc'), u.find_spec('pip'))"
    )
    output = stack.compose("exec", "-T", service, "python", "-c", script)
    assert output.split() == ["None", "None"]


def test_labels_name_the_commit_of_an_image(stack: Stack) -> None:
    for container in stack.containers(*OURS):
        labels = container["Config"]["Labels"]
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
            # It reads the folders of all containers, and has no other right.
            assert host["CapAdd"] == ["DAC_READ_SEARCH"]
        else:
            assert container["Config"]["User"] not in ("", "root", "0", "0:0"), name
            users = process_users(container["Id"])
            assert users, name
            assert "0" not in users, (name, users)
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"], name
        assert host["NanoCpus"], name
        assert host["LogConfig"]["Config"]["max-size"], name
        assert container["State"]["Health"]["Status"] == "healthy", name
        for bound in (container["NetworkSettings"]["Ports"] or {}).values():
            addresses = {port["HostIp"] for port in bound or ()}
            assert addresses <= {"127.0.0.1"}, name


def process_users(container: str) -> set[str]:
    """Return the numbers of the users that a container's processes run as."""
    _, *processes = docker("top", container, "-o", "pid,uid").splitlines()
    users = set()
    for process in processes:
        _, user = process.split()
        users.add(user)
    return users


@pytest.mark.slow
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
    base = len(layers("python:3.13-slim")) + 1
    slim = layers(image(stack, "mlops-api"))
    assert built[1:] == slim[base:]
