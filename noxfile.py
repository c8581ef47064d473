# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.2.9", "uv"]
# ///
"""Everything that is checked or built, as nox sessions.

`nox -l` lists the sessions, and CI calls nothing else. Where uv is installed,
`uv run noxfile.py -s lint` needs nothing more. `nox` alone runs the default sessions
(lint, tests, e2e). Arguments after `--` go to the tool: `nox -s tests-3.13 -- -k gate`.

The tests have a time budget, on two cores: a minute for the fast ones on one Python,
five minutes for `e2e` and five for `stack`; all of `.ci/run` takes at most 18 minutes.
So a test proves its point at the lowest level that can, and is marked `slow` if it
takes more than a few seconds.
"""

import itertools
import os
import shutil
import sys
from pathlib import Path

import nox
from nox.virtualenv import UV

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
# Sessions that install the same lock file share an environment, which `install` makes.
nox.options.default_venv_backend = "none"
# Several checkouts that are tested side by side may share their environments.
nox.options.envdir = os.environ.get("NOX_ENVDIR", ".nox")

PYTHONS = ["3.11", "3.12", "3.13"]
# All fast tests run on the newest Python, which is also the one in the images. On the
# others run the tests of what every program uses and of what comes from Python's own
# library. mypy checks the rest against the library of the Python that starts nox, on
# GitHub the oldest, and the slow tests run whole programs on it.
ON_EVERY_PYTHON = [
    "tests/unit/core",
    "tests/unit/test_caller_settings.py",
    "tests/unit/test_documented_commands.py",
    "tests/unit/test_problem_titles.py",
]
# The README promises wheels of every locked package for these Pythons and platforms.
OLDEST_WHEELS = "3.11"
NEWEST_WHEELS = "3.14"
PLATFORMS = [
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
]
MACOS_TARGET = "14.0"  # the oldest macOS that ONNX Runtime has wheels for
LOCKS = [
    "dev",
    "local",
    "pipeline",
    "mlflow",
    "api",
    "clients",
    "docs",
    "dvc",
    "kubernetes",
    "nox",
]
# A package that DVC needs comes as a source archive alone.
WITH_WHEELS = [name for name in LOCKS if name != "dvc"]
SOURCES = [
    "app",
    "core",
    "history",
    "pipeline",
    "scripts",
    "tools",
    "examples",
    "tests",
    "deployment/docker",
    "noxfile.py",
]
if Path("course").is_dir():  # those who do not want the course delete it
    SOURCES.append("course")
FORMS = ".github/ISSUE_TEMPLATE"
# Files that GitHub and Compose read, by the name of their schema in check-jsonschema.
SCHEMAS = {
    "github-workflows": [".github/workflows/*.yml"],
    "dependabot": [".github/dependabot.yml"],
    "github-issue-forms": [f"{FORMS}/*.yml", f":!{FORMS}/config.yml"],
    "github-issue-config": [f"{FORMS}/config.yml"],
    "compose-spec": ["docker-compose.yml", "monitoring/docker-compose-*.yml"],
}
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
USER_PATH = os.environ["PATH"]
# The tests of a file share what took long to start, or a port: they go to one worker.
WORKERS = ["--numprocesses", "2", "--dist", "loadfile"]
# GitHub shows ten annotations a step: they are for failures, not for packages'
# warnings.
ANNOTATIONS = "--exclude-warning-annotations"


def install(session: nox.Session, lock: str) -> None:
    """Run the session in the environment of a lock file of `requirements/`.

    The environment is created if it is missing, and every package is checked against
    its hash.
    """
    folder = environment(session, lock)
    locked = Path("requirements", f"{lock}.txt")
    installed = folder / "installed.txt"
    # uv brings its own certificates; only the system knows those of a company's proxy.
    session.env["VIRTUAL_ENV"] = str(folder)
    session.env["UV_SYSTEM_CERTS"] = "1"
    if not has_same_content(locked, installed):
        session.run(UV, "pip", "sync", "--quiet", "--require-hashes", str(locked))
        shutil.copyfile(locked, installed)
    programs = str(folder / PROGRAMS)
    # The folder of uv comes last: nothing else is to be taken from there.
    with_uv = str(Path(shutil.which(UV) or UV).parent)
    os.environ["PATH"] = os.pathsep.join([programs, USER_PATH, with_uv])
    # Packages are compiled when they are first imported: once an environment, not once
    # a process.
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    # On Windows, output that is not a terminal has the encoding of the user's language.
    session.env["PYTHONUTF8"] = "1"


def environment(session: nox.Session, lock: str) -> Path:
    """Return the folder of the environment for a lock file and the session's Python."""
    python = session.python
    if not python:
        major, minor, *_ = sys.version_info
        python = f"{major}.{minor}"
    # Sessions that install dev.txt use the environment that nox makes for `tests`.
    name = "tests" if lock == "dev" else lock
    name = f"{name}-{python}".replace(".", "-")
    folder = Path(nox.options.envdir, name).absolute()
    if not folder.is_dir():
        session.run(UV, "venv", "--quiet", "--python", sys.executable, str(folder))
    return folder


def has_same_content(locked: Path, installed: Path) -> bool:
    """Check whether the lock file that was installed is still the same."""
    return installed.is_file() and installed.read_bytes() == locked.read_bytes()


def tracked(session: nox.Session, *patterns: str) -> list[str]:
    """Return the files in Git that match a pattern."""
    # A Git hook that starts nox sets variables that point to another repository.
    variables = run_git(session, "rev-parse", "--local-env-vars").split()
    environment = dict.fromkeys(variables)
    output = run_git(session, "ls-files", "--", *patterns, env=environment)
    return output.splitlines()


def run_git(
    session: nox.Session, *arguments: str, env: dict[str, None] | None = None
) -> str:
    """Return what Git prints."""
    output = session.run(
        "git", *arguments, env=env, external=True, silent=True, log=False
    )
    return str(output)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and types of the code, and shell, YAML and Docker files."""
    install(session, "dev")
    session.run("black", "--check", *SOURCES)
    session.run("isort", "--check-only", "--quiet", *SOURCES)
    session.run("flake8", *SOURCES)
    session.run("typos")
    session.run("mypy", "--show-column-numbers")
    scripts = tracked(session, "*.sh", ".ci/run")
    # On Linux on Arm it is the system's, since there is no wheel.
    session.run("shellcheck", "--format", "gcc", *scripts, external=True)
    dockerfiles = tracked(session, "*Dockerfile")
    session.run("hadolint", "--format", "gnu", *dockerfiles)
    for schema, patterns in SCHEMAS.items():
        files = tracked(session, *patterns)
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("actionlint", "-oneline", "-no-color")
    style = "plain"
    if os.environ.get("GITHUB_ACTIONS"):
        style = "github"  # The findings are annotated at their lines.
    zizmor = ["zizmor", "--offline", "--persona", "pedantic", "--format", style]
    session.run(*zizmor, ".github")
    session.run("python", "-m", "tools.site")


@nox.session(name="format", default=False)
def format_code(session: nox.Session) -> None:
    """Format the code and sort its imports as `lint` wants them."""
    install(session, "dev")
    session.run("isort", "--quiet", *SOURCES)
    session.run("black", *SOURCES)


@nox.session(python=PYTHONS, venv_backend="uv")
def tests(session: nox.Session) -> None:
    """Run the fast tests: all on the newest Python, or on any if there are arguments."""
    install(session, "dev")
    # On GitHub each Python has a machine of its own, so there all of them run.
    whole = session.posargs or "GITHUB_ACTIONS" in os.environ
    options = ["-m", "not slow", "--durations", "10"]
    if session.python != PYTHONS[-1] and not whole:
        options += ON_EVERY_PYTHON
    session.run("pytest", *WORKERS, ANNOTATIONS, *options, *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the slow tests, of whole programs; `-- -m nightly` for the rest."""
    install(session, "dev")
    options = ["-m", "slow and not nightly", "--durations", "15"]
    # xdist would start the files with the fewest tests last, which are the longest.
    options.append("--no-loadscope-reorder")
    session.run("pytest", *WORKERS, ANNOTATIONS, *options, *session.posargs)


@nox.session(default=False)
def stack(session: nox.Session) -> None:
    """Build the images and test the stack in Docker; `-- -m slow` for the rest."""
    install(session, "dev")
    options = ["-m", "not slow", "--durations", "20"]
    session.run("pytest", "tests/stack", *options, *session.posargs)


@nox.session(default=False)
def clients(session: nox.Session) -> None:
    """Generate and try clients, lint the API's document, run a model in a browser."""
    install(session, "clients")
    programs = environment(session, "clients") / PROGRAMS
    packages = install_npm(session, "clients")
    folders = {"CLIENTS_PYTHON": str(programs), "CLIENTS_NPM": str(packages)}
    install(session, "dev")
    session.run("pytest", "tests/clients", *session.posargs, env=folders)


@nox.session(default=False)
def dvc(session: nox.Session) -> None:
    """Train by `dvc repro`, and keep tables in remotes, with real DVC."""
    install(session, "dvc")
    folders = {"DVC_PROGRAMS": str(environment(session, "dvc") / PROGRAMS)}
    install(session, "dev")
    options = ["--durations", "10"]
    session.run(
        "pytest", *WORKERS, *options, "tests/dvc", *session.posargs, env=folders
    )


@nox.session(default=False)
def kubernetes(session: nox.Session) -> None:
    """Check the manifests, and run them in the cluster that MLOPS_KUBE_CONTEXT names.

    With MLOPS_KUBE_CONTEXT=kind it is a new one. The limit is for the first test, which
    waits until images are built and pulled.
    """
    install(session, "kubernetes")
    programs = environment(session, "kubernetes") / PROGRAMS
    packages = install_npm(session, "kubernetes")
    folders = {"KUBERNETES_PROGRAMS": str(programs), "KUBERNETES_NPM": str(packages)}
    install(session, "dev")
    options = ["--timeout", "1800", "--durations", "20"]
    session.run("pytest", "tests/kubernetes", *options, *session.posargs, env=folders)


def install_npm(session: nox.Session, tests: str) -> Path:
    """Return the folder with npm's packages for some tests, installed if they are missing.

    Every package is checked against its hash, and none of its own scripts is run.
    """
    folder = Path(nox.options.envdir, f"{tests}-npm").absolute()
    source = Path("tests", tests)
    lock = source / "package-lock.json"
    installed = folder / "installed.json"
    if shutil.which("npm") is None:
        session.warn("npm is not installed: what needs it is skipped.")
    elif not has_same_content(lock, installed):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", ".npmrc", lock.name):
            shutil.copyfile(source / name, folder / name)
        session.run("npm", "ci", "--prefix", str(folder), external=True)
        shutil.copyfile(lock, installed)
    return folder


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Run the tests with branch coverage and print the lines that no test reaches."""
    install(session, "dev")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(default=False)
def train(session: nox.Session) -> None:
    """Train the tasks and write a bundle: `pipeline train`."""
    programs = []
    if tracked(session, "data/*.dvc"):
        install(session, "dvc")
        programs.append(str(environment(session, "dvc") / PROGRAMS))
    install(session, "pipeline")
    # After the pipeline's own programs, whose Python is the one that is meant.
    path = os.pathsep.join([os.environ["PATH"], *programs])
    session.run(
        "python", "-m", "pipeline", "train", *session.posargs, env={"PATH": path}
    )


@nox.session(default=False)
def publish(session: nox.Session) -> None:
    """Publish the bundle on the branch's tip, and write `build/report.md`."""
    install(session, "pipeline")
    session.run("python", "-m", "pipeline", "publish", *session.posargs)
    report = ["python", "-m", "scripts.push_report"]
    if "--dry-run" in session.posargs:
        report.append("--dry-run")
    session.run(*report)


@nox.session(default=False)
def rehearse(session: nox.Session) -> None:
    """Rehearse a push: the real workflow, with a bare repository instead of GitHub."""
    install(session, "dev")
    session.run("python", "-m", "tools.rehearse", *session.posargs)


@nox.session(name="verify-history", default=False)
def verify_history(session: nox.Session) -> None:
    """Check every file, hash, link and number of the committed history."""
    install(session, "pipeline")
    session.run("python", "scripts/verify_mlflow_data.py", *session.posargs)


@nox.session(default=False)
def reproduce(session: nox.Session) -> None:
    """Make the champions and one old run again, and compare: `-- RUN|TASK[@VERSION]`."""
    install(session, "pipeline")
    session.run("python", "-m", "scripts.reproduce", *session.posargs)


@nox.session(name="verify", default=False)
def verify_old_name(session: nox.Session) -> None:
    """Do the same as `verify-history`: its former name."""
    session.warn("`nox -s verify` is now called `nox -s verify-history`.")
    session.notify("verify-history", session.posargs)


@nox.session(default=False)
def images(session: nox.Session) -> None:
    """Build HEAD's images, push them, or move `latest`: `-- build|push|latest`."""
    session.run(sys.executable, "-m", "scripts.images", *session.posargs)


@nox.session(default=False)
def smoke(session: nox.Session) -> None:
    """Start the stack from existing images, check what it shows, and stop it."""
    install(session, "pipeline")
    session.run("python", "-m", "scripts.smoke", *session.posargs)


@nox.session(default=False)
def documents(session: nox.Session) -> None:
    """Run what users of other stacks type, in a stack of its own: `-- --mode local`."""
    install(session, "local")
    session.run("python", "-m", "tools.documents", *session.posargs)


@nox.session(default=False)
def data(session: nox.Session) -> None:
    """Report which data have changed at their source."""
    install(session, "pipeline")
    session.run("python", "-m", "scripts.check_data", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Compare the speed of the history and the API with others, as ratios."""
    install(session, "dev")
    for program in session.posargs or ["history", "api", "observability", "replicas"]:
        session.run("python", "-m", f"tools.bench.{program}")


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Publish to a repository with 10,000 pushes; print what that takes."""
    install(session, "dev")
    session.run("python", "-m", "tools.soak", *session.posargs)


@nox.session(name="gate-study", default=False)
def gate_study(session: nox.Session) -> None:
    """Measure on the tasks' rows how often the gate errs: `-- --help`."""
    install(session, "dev")
    session.run("python", "-m", "tools.gate_study", *session.posargs)


@nox.session(default=False)
def course(session: nox.Session) -> None:
    """Check a lesson of the course: `-- N`; or `-- start|hint|status|watch|solve ...`.

    `-- pipeline COMMAND` and `-- pytest TESTS` run in the same environment, so that the
    course installs only one, for the Python that is there.
    """
    install(session, "dev")
    arguments = session.posargs or ["status"]
    program = "course"
    if arguments[0].isdecimal():
        arguments = ["check", *arguments]
    elif arguments[0] in ("pipeline", "pytest"):
        program, *arguments = arguments
    session.run("python", "-m", program, *arguments)


@nox.session(default=False)
def traffic(session: nox.Session) -> None:
    """Send requests to the API: `-- normal|errors|slow|drifted`; `-- --help`."""
    install(session, "local")
    session.run("python", "-m", "scripts.traffic", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Write the reference pages, which are generated from the code.

    `-- --lessons` also runs what the lessons of the course quote: ten minutes.
    """
    install(session, "dev")
    session.run("python", "-m", "tools.reference", *session.posargs)
    if Path("course").is_dir():
        session.run("python", "-m", "course.syllabus")
        if "--lessons" in session.posargs:
            session.run("python", "-m", "course.outputs")


@nox.session(default=False)
def site(session: nox.Session) -> None:
    """Build the documentation as a site, with every link checked."""
    install(session, "docs")
    session.run("python", "-m", "tools.site", *session.posargs)


@nox.session(name="history-site", default=False)
def history_site(session: nox.Session) -> None:
    """Write the history as pages for a browser, into `build/history-site` or `-- DIR`."""
    install(session, "pipeline")
    arguments = session.posargs or ["build/history-site"]
    session.run("python", "-m", "pipeline", "report", "--site", *arguments)


@nox.session(default=False)
def accessibility(session: nox.Session) -> None:
    """Check the pages of the history with axe, in Chromium."""
    packages = install_npm(session, "site")
    install(session, "dev")
    folders = {"SITE_NPM": str(packages)}
    session.run("pytest", "tests/site", *session.posargs, env=folders)


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Take the pictures in `docs/images/` of the running stack (needs Chromium)."""
    install(session, "dev")
    session.run("python", "-m", "tools.screenshots", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write `requirements/` from the groups in pyproject.toml, for every platform."""
    command = [
        UV,
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-annotate",
        "--python-version",
        PYTHONS[0],
        "--custom-compile-command",
        "nox -s lock",
    ]
    for name in LOCKS:
        options = ["--group", name, "--output-file", f"requirements/{name}.txt"]
        # The generators of clients and DVC need older releases of what others use.
        if name not in ("dev", "clients", "dvc"):
            options += ["--constraint", "requirements/dev.txt"]
        session.run(*command, *options, *session.posargs, "pyproject.toml")


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Check that all locked packages have wheels for every promised platform."""
    command = [
        UV,
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--target",
        session.create_tmp(),
    ]
    macos = {"MACOSX_DEPLOYMENT_TARGET": MACOS_TARGET}
    versions = [OLDEST_WHEELS, NEWEST_WHEELS]
    for name, platform, version in itertools.product(WITH_WHEELS, PLATFORMS, versions):
        target = [
            "--python-platform",
            platform,
            "--python-version",
            version,
            "-r",
            f"requirements/{name}.txt",
        ]
        session.run(*command, *target, env=macos)


if __name__ == "__main__":
    nox.main()
