"""Real Git repositories for the tests, and an environment without the user's settings."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from core.environment import bypass_proxies
from core.git import git
from pipeline.repo import Repo
from scripts.stack.settings import PORTS
from tests.paths import ROOT
from tests.support import seaweedfs
from tests.support.clock import replace_sleep

# The time of an example depends on the machine, not on the code. Each push generates
# a few examples, and each night many: `--hypothesis-profile thorough`.
settings.register_profile("push", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("push")

# Those who do not want the course delete its folder.
collect_ignore_glob = [] if (ROOT / "course").is_dir() else ["*course*"]

posix = pytest.mark.skipif(
    sys.platform == "win32",
    reason=("tests signals, links, devices or file names that Windows does not have"),
)


def is_of_another_system() -> bool:
    """Return whether Windows' Python is served by Git of another system, as in Wine."""
    if sys.platform != "win32":
        return False
    return git(ROOT, "--exec-path").startswith("/")


native_git = pytest.mark.skipif(
    is_of_another_system(), reason="this Git has other names for folders than Python"
)


# The variables of a workflow, and those of a user for a stack or another project.
SETTINGS = tuple(
    "ACTIONS_ API_ COMPOSE_ GIT_ GITHUB_ MLFLOW_ MLOPS_ OTEL_ PUBLISH_".split()
)
OF_JOBS = {"BRANCH", "NEEDS", "PRIVATE", "PULL_REQUEST", "REASON"}
OF_PYTHON = {"PYTHONIOENCODING", "PYTHONSAFEPATH", "PYTHONWARNINGS"}
OF_TERMINALS = {"CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR"}
FOR_TESTS = (
    "MLOPS_DATA_DIR",
    "MLOPS_KUBE_CONTEXT",
    "MLOPS_KUBE_KILL",
    "MLOPS_KUBE_START",
    "MLOPS_PWSH",
)
EXAMPLE = ROOT / ".env.example"
Clone = Callable[..., Repo]  # clones the origin into a folder with a name


def settings_of_the_user() -> set[str]:
    """Return the names of the variables that are set and that the project would use."""
    example = EXAMPLE.read_text("utf-8")
    names = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    names |= {port for port, _ in PORTS.values()}
    names |= OF_JOBS | OF_PYTHON | OF_TERMINALS
    # Without a user's proxy there may be no packages.
    names.discard("NO_PROXY")
    present = {name for name in os.environ if name.startswith(SETTINGS)}
    present |= names & os.environ.keys()
    return present.difference(FOR_TESTS)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the settings and the identity of the user who runs the tests out of them."""
    distributes = bool(config.getoption("numprocesses", None))
    if distributes and not hasattr(config, "workerinput"):
        return  # it only collects reports, and marks them on GitHub if a variable is set
    for variable in settings_of_the_user():
        del os.environ[variable]
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    bypass_proxies()  # the servers of the tests are not reached through a user's proxy


# Windows opens no longer path by default.
LONGEST = 240
# The folder of pytest on a runner of GitHub.
ON_A_RUNNER = (
    r"C:\Users\runneradmin\AppData\Local\Temp\pytest-of-runneradmin\pytest-0\popen-gw0"
)


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a shorter name than pytest's own: bundles have long paths."""
    name = re.sub(r"\W", "_", request.node.name)
    return tmp_path_factory.mktemp(name[:12])


@pytest.fixture(autouse=True)
def paths_that_windows_can_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check the paths that each test leaves in its folder."""
    yield
    folder = request.node.funcargs.get("tmp_path")
    if folder is None:
        return
    left = len(str(folder.parent)) - len(ON_A_RUNNER)
    longest = ""
    for parent, _, files in os.walk(folder):
        for name in files:
            longest = max(longest, os.path.join(parent, name), key=len)
    over = len(longest) - left - LONGEST
    assert over <= 0, f"a path is too long for Windows by {over} characters: {longest}"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that downloads would have waited between attempts; none waits."""
    from pipeline.data import download

    seconds: list[float] = []
    replace_sleep(monkeypatch, download, seconds.append)
    return seconds


def commit_all(folder: Path, message: str) -> str:
    """Commit everything in a work tree and return the commit."""
    git(folder, "add", "--all")
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    git(folder, *identity, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def make_origin(folder: Path) -> Path:
    """Make the smallest bare repository that the program accepts: one commit on main."""
    bare = folder / "origin.git"
    seed = folder / "seed"
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
    address = origin.as_uri()
    git(origin.parent, "clone", "--quiet", *options, address, str(target))
    return Repo.open(target)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository of the test's own."""
    return make_origin(tmp_path)


@pytest.fixture
def clone(origin: Path) -> Clone:
    """Return a function that clones the origin into a folder of its own."""
    return partial(make_clone, origin)


@pytest.fixture
def releases(origin: Path, clone: Clone, tmp_path: Path) -> Any:
    """A team that publishes to the origin and releases: `following.Releases`."""
    from tests.support.following import Releases

    return Releases(origin, clone, tmp_path)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweedfs.Store]:
    """An S3 store, where it is installed."""
    weed = seaweedfs.require_program()
    with seaweedfs.running(weed, tmp_path_factory.mktemp("s3")) as store:
        yield store
