"""Real Git repositories for the tests: a bare origin and clones of it, no settings of a
user.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from core.environment import bypass_proxies
from core.git import git
from pipeline.repo import Repo
from scripts.stack.settings import PORTS
from tests.paths import ROOT
from tests.support.clock import replace_sleep

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

posix = pytest.mark.skipif(
    sys.platform == "win32",
    reason=(
        "is about signals, links, devices or names of files that Windows does not have"
    ),
)


# What a workflow sets, and what a user may have set for a stack or another project.
SETTINGS = tuple(
    "ACTIONS_ API_ COMPOSE_ GIT_ GITHUB_ MLFLOW_ MLOPS_ OTEL_ PUBLISH_".split()
)
OF_JOBS = {"BRANCH", "NEEDS", "PRIVATE", "PULL_REQUEST", "REASON"}
OF_PYTHON = {"PYTHONIOENCODING", "PYTHONSAFEPATH", "PYTHONWARNINGS"}
OF_TERMINALS = {"CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR"}
FOR_TESTS = ("MLOPS_DATA_DIR", "MLOPS_PWSH")
EXAMPLE = ROOT / ".env.example"


def settings_of_the_user() -> set[str]:
    """Return the names of the variables that are set and that change what the project
    does.
    """
    of_compose = set(
        re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text("utf-8"), re.MULTILINE)
    )
    of_compose |= {port for port, _ in PORTS.values()}
    # Without a user's proxy there may be no packages.
    names = (of_compose | OF_JOBS | OF_PYTHON | OF_TERMINALS) - {"NO_PROXY", *FOR_TESTS}
    return {
        name
        for name in os.environ
        if name in names or (name.startswith(SETTINGS) and name not in FOR_TESTS)
    }


def pytest_configure(config: pytest.Config) -> None:
    """Keep the settings and the identity of whoever runs the tests out of them."""
    distributes = bool(config.getoption("numprocesses", None))
    if distributes and not hasattr(config, "workerinput"):
        return  # it runs no test itself; its reports are marked on GitHub, which a variable says
    for variable in settings_of_the_user():
        del os.environ[variable]
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    bypass_proxies()  # the servers that tests start are no matter for a user's proxy


# Windows opens no longer path, unless it is told to; and where pytest's folders are on
# a runner.
LONGEST = 240
ON_A_RUNNER = (
    r"C:\Users\runneradmin\AppData\Local\Temp\pytest-of-runneradmin\pytest-0\popen-gw0"
)


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder for a test, with a shorter name than pytest's own: bundles have long
    paths.
    """
    return tmp_path_factory.mktemp(re.sub(r"\W", "_", request.node.name)[:12])


@pytest.fixture(autouse=True)
def paths_that_windows_can_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Look at what each test leaves in its folder."""
    yield
    folder = request.node.funcargs.get("tmp_path")
    if folder is None:
        return
    left = len(str(folder.parent)) - len(ON_A_RUNNER)
    longest = max(
        (
            os.path.join(parent, name)
            for parent, _, files in os.walk(folder)
            for name in files
        ),
        key=len,
        default="",
    )
    over = len(longest) - left - LONGEST
    assert over <= 0, f"a path is too long for Windows by {over} characters: {longest}"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long downloads would have waited before they were tried again: here they do
    not.
    """
    from pipeline.data import download

    told: list[float] = []
    replace_sleep(monkeypatch, download, told.append)
    return told


def commit_all(folder: Path, message: str) -> str:
    """Commit everything in a work tree and return the commit."""
    git(folder, "add", "--all")
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    git(folder, *identity, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def make_origin(folder: Path) -> Path:
    """Make a bare repository with one commit on main: the smallest that the program
    accepts.
    """
    bare, seed = folder / "origin.git", folder / "seed"
    git(folder, "init", "--quiet", "--bare", "-b", "main", str(bare))
    git(folder, "init", "--quiet", "-b", "main", str(seed))
    (seed / "params.yaml").write_text("seed: 42\n")
    (seed / ".gitignore").write_text("build/\n")
    commit_all(seed, "feat: begin")
    git(seed, "push", "--quiet", str(bare), "main")
    return bare


def make_clone(origin: Path, name: str, *options: str) -> Repo:
    """Clone a repository into a folder beside it."""
    target = origin.parent / name
    git(origin.parent, "clone", "--quiet", *options, origin.as_uri(), str(target))
    return Repo.open(target)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository of the test's own."""
    return make_origin(tmp_path)


@pytest.fixture
def clone(origin: Path) -> Callable[..., Repo]:
    """Return a function that clones the origin into a folder of its own."""
    return partial(make_clone, origin)
