"""Programs of a copy in Docker containers: without network, with their folder alone.

The root is read-only, and so is the folder but for the part that a program writes to.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from course.grading import process, relay
from course.grading.lend import lent
from course.grading.process import Running
from course.grading.result import Ungradable

# Names the container to the processes that grade.
VARIABLE = "MLOPS_COURSE_CONTAINER"
MEMORY = "4g"
PROCESSES = 512
TEMPORARY = "/tmp:exec,mode=1777,size=1g"
# The status of `docker run` when the program was not started.
NOT_STARTED = 125
REMOVE_SECONDS = 60
# How a client of Docker finds its engine.
_CLIENT = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")


@dataclass(frozen=True)
class Container:
    """What the containers of a collection have in common.

    Attributes:
        image: the image, with Python and the packages of the lessons.
        user: the number of the user inside.
        group: the number of that user's group.
        cpus: how many processors a container may use.
    """

    image: str
    user: int
    group: int
    cpus: int

    def variables(self) -> dict[str, str]:
        """Return the variables by which another process uses the same containers."""
        return {VARIABLE: json.dumps(asdict(self))} | client()


@dataclass(frozen=True)
class Place:
    """Where a program runs.

    Attributes:
        folder: the folder, at the same path inside and outside.
        writes: the part of it that the program may write to, `.` for all.
        variables: additional variables for the program.
    """

    folder: Path
    writes: str
    variables: Mapping[str, str]


def chosen() -> Container | None:
    """Return the container that `variables` named to this process, if any."""
    text = os.environ.get(VARIABLE)
    return Container(**json.loads(text)) if text else None


def client() -> dict[str, str]:
    """Return the variables of Docker's client; its settings are in the user's home."""
    settings = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
    variables = {"DOCKER_CONFIG": settings}
    for name in _CLIENT:
        if name in os.environ:
            variables[name] = os.environ[name]
    return variables


@contextmanager
def running(
    container: Container, program: Sequence[str], place: Place, port: int = 0
) -> Iterator[Running]:
    """Run a program in a container during the block.

    Args:
        container: the kind of container.
        program: the program with its arguments.
        place: where it runs.
        port: a port of this computer that leads to the same one inside, 0 for none.

    Raises:
        Ungradable: Docker cannot start it.
    """
    name = f"course-{uuid.uuid4().hex}"
    output = place.folder / place.writes
    output.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(lent(place.folder, container.user, container.group))
        stack.callback(_remove, name)
        command = docker_run(container, name, program, place)
        docker = process.running(command, place.folder, client())
        started = stack.enter_context(docker)
        if port:
            stack.enter_context(relay.forwarded(port, _exec(name)))
        try:
            yield started
        finally:
            _require_started(started)


def docker_run(
    container: Container, name: str, program: Sequence[str], place: Place
) -> list[str]:
    """Return the command that runs a program in a new container with a name."""
    folder = place.folder
    output = folder / place.writes
    command = ["docker", "run", "--rm", "--init", f"--name={name}"]
    command += ["--network=none", "--read-only", f"--tmpfs={TEMPORARY}"]
    command += ["--cap-drop=ALL", "--security-opt=no-new-privileges"]
    command += [f"--user={container.user}:{container.group}"]
    command += [f"--memory={MEMORY}", f"--memory-swap={MEMORY}"]
    command += [f"--pids-limit={PROCESSES}", f"--cpus={container.cpus}"]
    command += [f"--ulimit=fsize={process.FILE_BYTES}", "--ulimit=core=0"]
    command += [f"--workdir={folder}"]
    if output == folder:
        command += [_mount(folder)]
    else:
        command += [f"{_mount(folder)},readonly", _mount(output)]
    for key, value in _environment(place).items():
        command.append(f"--env={key}={value}")
    first, *arguments = program
    inside = "python" if first == sys.executable else first
    return [*command, container.image, inside, *arguments]


def _mount(folder: Path) -> str:
    return f"--mount=type=bind,source={folder},target={folder}"


def _environment(place: Place) -> dict[str, str]:
    """Return the variables of a program, which include none of this computer's."""
    variables = process.settings("/tmp")
    # The user inside has no other name.
    variables["USER"] = "student"
    variables.update(place.variables)
    return variables


def _exec(name: str) -> list[str]:
    return ["docker", "exec", "--interactive", name]


def _remove(name: str) -> None:
    """Stop and remove a container, if it is still there."""
    subprocess.run(
        ["docker", "rm", "--force", "--volumes", name],
        env=os.environ | client(),
        capture_output=True,
        timeout=REMOVE_SECONDS,
        check=False,
    )


def _require_started(program: Running) -> None:
    """Check that Docker started the program.

    Raises:
        Ungradable: it did not.
    """
    if not program.ended:
        return
    outcome = program.outcome()
    if outcome.status == NOT_STARTED and "docker: " in outcome.output:
        raise Ungradable(
            f"Docker cannot start a container: {outcome.reason}",
            "Collect again when Docker runs.",
        )
