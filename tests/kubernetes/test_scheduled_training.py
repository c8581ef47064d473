"""The CronJob that trains and publishes, with a deploy key, to a server in the cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from history import layout
from tests.kubernetes import overlay
from tests.kubernetes.stack import Stack
from tests.support.waiting import wait_until

SECRET = "deploy-key"
# Prints which of some runs MLflow finds. Arguments: their IDs.
FIND = """
import sys, urllib.error, urllib.request
for run_id in sys.argv[1:]:
    url = f"http://127.0.0.1:5000/api/2.0/mlflow/runs/get?run_id={run_id}"
    try:
        urllib.request.urlopen(url, timeout=30).close()
    except urllib.error.HTTPError:
        continue
    print(run_id)
"""


@pytest.fixture(autouse=True)
def without_secret(stack: Stack) -> Iterator[None]:
    """Remove the Secret and the jobs of a test."""
    yield
    stack.kubectl("delete", "secret", SECRET, "--ignore-not-found")
    stack.kubectl("delete", "jobs", "--all")


def create_secret(stack: Stack, key: str, folder: Path) -> None:
    """Create the Secret as the documentation shows.

    Args:
        key: the name of the private key's file on the Git server.
        folder: an empty folder.
    """
    private = folder / "ssh-privatekey"
    private.write_text(in_origin(stack, key), "utf-8")
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(in_origin(stack, "known_hosts"), "utf-8")
    files = (f"--from-file={private}", f"--from-file={known_hosts}")
    stack.kubectl("create", "secret", "generic", SECRET, *files)


def in_origin(stack: Stack, name: str) -> str:
    """Return a file of the Git server."""
    command = ("exec", "origin", "-n", overlay.ORIGIN, "--", "cat", f"/srv/{name}")
    return stack.cluster.kubectl(*command)


def run(stack: Stack, name: str) -> tuple[bool, str]:
    """Run the CronJob now; return whether it succeeded, and its logs."""
    stack.kubectl("create", "job", name, "--from=cronjob/training")
    ends: list[str] = []

    def ended() -> bool:
        text = stack.kubectl("get", "job", name, "-o", "json")
        job = json.loads(text)
        for condition in job["status"].get("conditions", []):
            kind = condition["type"]
            if kind in ("Complete", "Failed"):
                ends.append(kind)
        return bool(ends)

    wait_until(ended, pause=1)
    options = ("--all-containers", "--ignore-errors", "--tail=-1")
    logs = stack.kubectl("logs", f"job/{name}", *options)
    return "Complete" in ends, logs


def test_a_secret_that_is_missing_is_named_in_one_sentence(stack: Stack) -> None:
    succeeded, _ = run(stack, "missing")
    assert not succeeded
    logs = stack.kubectl("logs", "job/missing", "-c", "checkout")
    (line,) = logs.splitlines()
    assert line.startswith("checkout.sh: the Secret deploy-key is missing")
    selector = "batch.kubernetes.io/job-name=missing"
    described = stack.kubectl("describe", "pod", "-l", selector)
    assert line in described


def test_a_key_that_the_server_does_not_know_is_refused(
    stack: Stack, tmp_path: Path
) -> None:
    create_secret(stack, "host", tmp_path)
    succeeded, logs = run(stack, "stranger")
    assert not succeeded
    assert "Permission denied (publickey" in logs
    assert "PRIVATE KEY" not in logs


def test_it_trains_and_publishes_and_mlflow_shows_the_runs(
    stack: Stack, tmp_path: Path
) -> None:
    create_secret(stack, "client", tmp_path)
    before = cloned(stack, tmp_path / "before")
    succeeded, logs = run(stack, "training-now")
    assert succeeded, logs
    assert "PRIVATE KEY" not in logs
    after = cloned(stack, tmp_path / "after")
    assert "Mlops-Publish" in git(after, "log", "-1", "--format=%B")
    tip = git(before, "rev-parse", "HEAD")
    assert git(after, "rev-parse", "HEAD^") == tip
    old = layout.run_folders(before / "mlruns").keys()
    new = layout.run_folders(after / "mlruns").keys() - old
    assert new
    wait_until(lambda: shown(stack, new) == new, 60, 2)


def cloned(stack: Stack, folder: Path) -> Path:
    """Clone the server's repository."""
    with stack.cluster.forwarded(overlay.ORIGIN, "pod/origin", 9418) as port:
        url = f"git://127.0.0.1:{port}/origin.git"
        git(folder.parent, "clone", "--quiet", url, str(folder))
    return folder


def shown(stack: Stack, wanted: set[str]) -> set[str]:
    """Return which of some runs MLflow finds, asked in its own pod."""
    server = ("deployment/mlflow-server", "-c", "mlflow-server")
    output = stack.kubectl("exec", *server, "--", "python", "-c", FIND, *wanted)
    return set(output.split())
