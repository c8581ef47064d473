"""Everything that is checked or made, as sessions: `nox -l` lists them, CI calls
nothing else.

`nox` alone runs the default sessions (lint, tests, e2e). Arguments after `--` reach the
tool: `nox -s tests-3.13 -- -k gate`.

The tests have a budget, on two cores: a minute for the fast ones on one Python, five
minutes for `e2e` and five for `stack`; all of `.ci/run` takes at most 18 minutes. So a
test proves its point at the lowest level that can, and is marked `slow` if it takes
more than a few seconds.
"""

import os
import shutil
import sys
from pathlib import Path

import nox
from nox.virtualenv import UV

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
# Sessions that install the same lock file share one environment: `install` makes it.
nox.options.default_venv_backend = "none"
# Several checkouts that are tested side by side may share their environments.
nox.options.envdir = os.environ.get("NOX_ENVDIR", ".nox")

# All fast tests run on the newest Python, which the images have, too. On the others run
# those of what they share; mypy checks the rest against the oldest Python's library, and
# the slow tests run whole programs on whichever Python starts nox.
PYTHONS = ["3.11", "3.12", "3.13"]
ON_NEWEST = [
    "tests/model",
    "tests/unit/app",
    "tests/unit/history",
    "tests/unit/pipeline",
    "tests/unit/scripts",
    "tests/unit/tools",
]
# Where the packages of every lock are wheels: the README promises as much.
OLDEST, NEWEST = "3.11", "3.14"
PLATFORMS = ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"]
PLATFORMS += ["aarch64-apple-darwin", "x86_64-pc-windows-msvc"]
LOCKS = ["dev", "local", "pipeline", "mlflow", "api", "clients", "docs", "nox"]
SOURCES = ["app", "core", "history", "pipeline", "scripts", "tools"]
SOURCES += ["examples", "tests", "deployment/docker", "noxfile.py"]
FORMS = ".github/ISSUE_TEMPLATE"
# What GitHub and Compose read, by the name of the schema for it that check-jsonschema
# brings along.
SCHEMAS = {
    "github-workflows": [".github/workflows/*.yml"],
    "dependabot": [".github/dependabot.yml"],
    "github-issue-forms": [f"{FORMS}/*.yml", f":!{FORMS}/config.yml"],
    "github-issue-config": [f"{FORMS}/config.yml"],
    "compose-spec": ["docker-compose.yml", "monitoring/docker-compose-*.yml"],
}
SEARCHED = os.environ["PATH"]
# A file's tests share what took long to start, or a port: they go to one worker.
WORKERS = ("-n", "2", "--dist", "loadfile")
# GitHub shows ten marks a step: they are for failures, not for the warnings of
# packages.
MARKS = ("--exclude-warning-annotations",)


def install(session: nox.Session, lock: str) -> None:
    """Run the session in the environment of a lock file of `requirements/`, made if
    need be.

    Every package is checked against its hash.
    """
    folder = environment(session, lock)
    locked, installed = Path("requirements", f"{lock}.txt"), folder / "installed.txt"
    # uv brings certificates of its own; those of a company's proxy are known to the
    # system alone.
    session.env.update(VIRTUAL_ENV=str(folder), UV_SYSTEM_CERTS="1")
    if not installed.is_file() or installed.read_bytes() != locked.read_bytes():
        session.run(UV, "pip", "sync", "--quiet", "--require-hashes", str(locked))
        shutil.copyfile(locked, installed)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    os.environ["PATH"] = f"{programs}{os.pathsep}{SEARCHED}"
    # Packages are compiled as they are imported, once an environment and not once a
    # process.
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    # What is not a terminal has the encoding of the user's language on Windows.
    session.env["PYTHONUTF8"] = "1"


def environment(session: nox.Session, lock: str) -> Path:
    """Return the folder of the environment for a lock file and the session's Python."""
    python = session.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    # Those that install dev.txt use the environment that nox itself makes for the
    # tests.
    name = "tests" if lock == "dev" else lock
    folder = Path(nox.options.envdir, f"{name}-{python}".replace(".", "-")).absolute()
    if not folder.is_dir():
        session.run(UV, "venv", "--quiet", "--python", sys.executable, str(folder))
    return folder


def tracked(session: nox.Session, *patterns: str) -> list[str]:
    """Return the files in Git that match a pattern."""
    quietly = {"external": True, "silent": True, "log": False}
    # A Git hook that starts nox has variables that would lead this to another
    # repository.
    hooks = str(session.run("git", "rev-parse", "--local-env-vars", **quietly)).split()
    listed = session.run(
        "git", "ls-files", "--", *patterns, env=dict.fromkeys(hooks), **quietly
    )
    return str(listed).splitlines()


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format, style and types of the code, and every shell, YAML and Docker
    file.
    """
    install(session, "dev")
    session.run("black", "--check", *SOURCES)
    session.run("isort", "--check-only", "--quiet", *SOURCES)
    session.run("flake8", *SOURCES)
    session.run("typos")
    session.run("mypy", "--show-column-numbers")
    # On Linux on Arm it is the system's: there is no wheel.
    session.run(
        "shellcheck",
        "--format",
        "gcc",
        *tracked(session, "*.sh", ".ci/run"),
        external=True,
    )
    session.run("hadolint", "--format", "gnu", *tracked(session, "*Dockerfile"))
    for schema, patterns in SCHEMAS.items():
        files = tracked(session, *patterns)
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("actionlint", "-oneline", "-no-color")
    # Where GitHub runs this, it shows the findings at their lines.
    style = "github" if os.environ.get("GITHUB_ACTIONS") else "plain"
    session.run(
        "zizmor", "--offline", "--persona", "pedantic", "--format", style, ".github"
    )
    session.run("python", "-m", "tools.site")


@nox.session(name="format", default=False)
def format_code(session: nox.Session) -> None:
    """Format the code and sort its imports, as `lint` wants them."""
    install(session, "dev")
    session.run("isort", "--quiet", *SOURCES)
    session.run("black", *SOURCES)


@nox.session(python=PYTHONS, venv_backend="uv")
def tests(session: nox.Session) -> None:
    """Run the fast tests: all on the newest Python, or on any if arguments are given."""
    install(session, "dev")
    whole = session.python == PYTHONS[-1] or session.posargs
    ignored = [] if whole else [f"--ignore={path}" for path in ON_NEWEST]
    session.run(
        "pytest", *WORKERS, *MARKS, "-m", "not slow", *ignored, *session.posargs
    )


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the slow tests: whole programs, from start to end; `-- -m nightly` for the
    rest.
    """
    install(session, "dev")
    slow = ("-m", "slow and not nightly", "--no-loadscope-reorder", "--durations", "15")
    session.run("pytest", *WORKERS, *MARKS, *slow, *session.posargs)


@nox.session(default=False)
def stack(session: nox.Session) -> None:
    """Build the images and test the stack on a real Docker engine; `-- -m slow` for the
    rest.
    """
    install(session, "dev")
    session.run(
        "pytest", "tests/stack", "-m", "not slow", "--durations", "20", *session.posargs
    )


@nox.session(default=False)
def clients(session: nox.Session) -> None:
    """Make clients in several languages from the API's document, try them, and lint it."""
    install(session, "clients")
    programs = environment(session, "clients") / (
        "Scripts" if os.name == "nt" else "bin"
    )
    found = {"CLIENTS_PYTHON": str(programs), "CLIENTS_NPM": str(install_npm(session))}
    install(session, "dev")
    session.run("pytest", "tests/clients", *session.posargs, env=found)


def install_npm(session: nox.Session) -> Path:
    """Return the folder with the packages of the lock for npm, installed if need be.

    Every package is checked against its hash, and none of its own scripts is run.
    """
    folder, locked = Path(nox.options.envdir, "clients-npm").absolute(), Path(
        "tests/clients"
    )
    names = ["package.json", ".npmrc", "package-lock.json"]
    installed = folder / "installed.json"
    if shutil.which("npm") is None:
        session.warn("npm is not on this machine: what needs it is skipped.")
    elif (
        not installed.is_file()
        or installed.read_bytes() != (locked / names[-1]).read_bytes()
    ):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(locked / name, folder / name)
        session.run("npm", "ci", "--prefix", str(folder), external=True)
        shutil.copyfile(locked / names[-1], installed)
    return folder


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Run the tests with branch coverage and print what no test reaches."""
    install(session, "dev")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session(default=False)
def train(session: nox.Session) -> None:
    """Train the tasks and write a bundle: `pipeline train`."""
    install(session, "pipeline")
    session.run("python", "-m", "pipeline", "train", *session.posargs)


@nox.session(default=False)
def publish(session: nox.Session) -> None:
    """Judge the bundle against the branch's tip, push the result, write
    `build/report.md`.
    """
    install(session, "pipeline")
    session.run("python", "-m", "pipeline", "publish", *session.posargs)
    dry_run = [argument for argument in session.posargs if argument == "--dry-run"]
    session.run("python", "-m", "scripts.push_report", *dry_run)


@nox.session(default=False)
def rehearse(session: nox.Session) -> None:
    """Rehearse a push on this machine: the real workflow, a bare repository in GitHub's
    place.
    """
    install(session, "dev")
    session.run("python", "-m", "tools.rehearse", *session.posargs)


@nox.session(name="verify-history", default=False)
def verify_history(session: nox.Session) -> None:
    """Check every file, hash, link and number of the committed history."""
    install(session, "pipeline")
    session.run("python", "scripts/verify_mlflow_data.py", *session.posargs)


@nox.session(name="verify", default=False)
def verify_old_name(session: nox.Session) -> None:
    """Do the same as `verify-history`: its former name."""
    session.warn("`nox -s verify` is now called `nox -s verify-history`.")
    session.notify("verify-history", session.posargs)


@nox.session(default=False)
def images(session: nox.Session) -> None:
    """Build the images of HEAD, push them, or move `latest` to them: `--
    build|push|latest`.
    """
    session.run(sys.executable, "-m", "scripts.images", *session.posargs)


@nox.session(default=False)
def smoke(session: nox.Session) -> None:
    """Start the stack on images that are built or pushed, check what it shows, end it."""
    install(session, "pipeline")
    session.run("python", "-m", "scripts.smoke", *session.posargs)


@nox.session(default=False)
def documents(session: nox.Session) -> None:
    """Run what users of other stacks type against a stack of its own: `-- --mode
    local`.
    """
    install(session, "local")
    session.run("python", "-m", "tools.documents", *session.posargs)


@nox.session(default=False)
def data(session: nox.Session) -> None:
    """Tell which data changed at their source."""
    install(session, "pipeline")
    session.run("python", "-m", "scripts.check_data", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the history and the API beside others, and what observing costs, as ratios."""
    install(session, "dev")
    for program in session.posargs or ["history", "api", "observability"]:
        session.run("python", "-m", f"tools.bench.{program}")


@nox.session(default=False)
def traffic(session: nox.Session) -> None:
    """Send the API requests: `-- normal|errors|slow|drifted`, and how many of which
    task.
    """
    install(session, "api")
    session.run("python", "-m", "scripts.traffic", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Write the reference pages, which are generated from the code."""
    install(session, "dev")
    session.run("python", "-m", "tools.reference", *session.posargs)


@nox.session(default=False)
def site(session: nox.Session) -> None:
    """Build the documentation as a site, with every link checked."""
    install(session, "docs")
    session.run("python", "-m", "tools.site", *session.posargs)


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Take the pictures in `docs/images/` of the stack that runs (needs Chromium)."""
    session.run("python", "-m", "tools.screenshots", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write `requirements/` anew from the groups in pyproject.toml, for every platform."""
    for name in LOCKS:
        # The generators need older releases of what others use: they have an
        # environment alone.
        free = name in (LOCKS[0], "clients")
        constraint = [] if free else ["--constraint", "requirements/dev.txt"]
        session.run(
            *(UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--no-annotate", "--python-version", PYTHONS[0], "--group", name),
            *("--custom-compile-command", "nox -s lock", *constraint, *session.posargs),
            *("--output-file", f"requirements/{name}.txt", "pyproject.toml"),
        )


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Look whether every platform that is promised has wheels of all locked packages."""
    session.install("uv")
    for name in LOCKS:
        for platform in PLATFORMS:
            for version in (OLDEST, NEWEST):
                session.run(
                    *(
                        "uv",
                        "pip",
                        "install",
                        "--dry-run",
                        "--quiet",
                        "--only-binary",
                        ":all:",
                    ),
                    *("--python-platform", platform, "--python-version", version),
                    *("--target", session.create_tmp(), "--require-hashes"),
                    *("-r", f"requirements/{name}.txt"),
                    env={
                        "MACOSX_DEPLOYMENT_TARGET": "14.0"
                    },  # the oldest that ONNX Runtime knows
                )
