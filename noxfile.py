"""Everything that is checked or made, as sessions: `nox -l` lists them, CI calls nothing else.

`nox` alone runs the default sessions (lint, tests, e2e). Arguments after `--` reach the tool:
`nox -s tests-3.13 -- -k gate`.
"""

import os

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
# Several checkouts that are tested side by side may share their environments.
nox.options.envdir = os.environ.get("NOX_ENVDIR", ".nox")

PYTHONS = ["3.11", "3.12", "3.13"]
LOCKS = ["dev", "local", "pipeline", "mlflow", "api", "nox"]
SOURCES = ["app", "pipeline", "scripts", "bench", "tests", "deployment/docker", "noxfile.py"]
SHELL = [
    "start-mlops.sh",
    "scripts/nox.sh",
    "scripts/test.sh",
    ".ci/run",
    "monitoring/grafana/start.sh",
]
SHELL += [f"deployment/docker/{name}.sh" for name in ("install", "finish", "mlflow-start")]
# A file's tests share what took long to start, or a port: they go to one worker.
WORKERS = ("-n", "2", "--dist", "loadfile")


def install(session: nox.Session, lock: str) -> None:
    """Install a lock file of `requirements/`, every package checked against its hash."""
    # uv brings certificates of its own; those of a company's proxy are known to the system alone.
    system = {"UV_SYSTEM_CERTS": "1"}
    checked = ("--require-hashes", "--compile-bytecode")
    session.install(*checked, "-r", f"requirements/{lock}.txt", env=system)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, imports, style, types and the scripts of both shells."""
    install(session, "dev")
    session.run("black", "--check", "--quiet", *SOURCES)
    session.run("isort", "--check-only", "--quiet", *SOURCES)
    session.run("flake8", *SOURCES)
    session.run("mypy")
    session.run("shellcheck", *SHELL)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the fast tests."""
    install(session, "dev")
    session.run("pytest", *WORKERS, "-m", "not slow", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the slow tests: whole programs, from start to end."""
    install(session, "dev")
    slow = ("-m", "slow", "--no-loadscope-reorder", "--durations", "15")
    session.run("pytest", *WORKERS, *slow, *session.posargs)


@nox.session(default=False)
def stack(session: nox.Session) -> None:
    """Build the images and test the compose file's services on a real Docker engine."""
    install(session, "dev")
    session.run("pytest", "tests/stack", *session.posargs)


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
    """Judge the bundle against the branch's tip and push the result: `pipeline publish`."""
    install(session, "pipeline")
    session.run("python", "-m", "pipeline", "publish", *session.posargs)


@nox.session(default=False)
def verify(session: nox.Session) -> None:
    """Check every file, hash, link and number of the committed history."""
    install(session, "pipeline")
    session.run("python", "scripts/verify_mlflow_data.py", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the history beside MLflow's file store and the API beside other servers, as ratios."""
    install(session, "dev")
    for program in session.posargs or ["history", "api"]:
        session.run("python", "-m", f"bench.{program}")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Write the reference pages that are made from the code."""
    install(session, "dev")
    session.run("python", "-m", "scripts.reference", *session.posargs)


@nox.session(default=False)
def screenshots(session: nox.Session) -> None:
    """Take the pictures in `docs/images/` of the stack that runs (needs Chromium)."""
    session.run("python", "-m", "scripts.screenshots", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write `requirements/` anew from the groups in pyproject.toml, for every platform."""
    session.install("uv")
    for name in LOCKS:
        constraint = [] if name == LOCKS[0] else ["--constraint", "requirements/dev.txt"]
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--no-annotate", "--python-version", PYTHONS[0], "--group", name),
            *("--custom-compile-command", "nox -s lock", *constraint, *session.posargs),
            *("--output-file", f"requirements/{name}.txt", "pyproject.toml"),
        )
