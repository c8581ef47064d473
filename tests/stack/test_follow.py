"""The profile `follow`: the stack follows the releases of a real repository under a
steady load, while everything around it fails.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.git import git
from tests.stack.engine import DOWN, eventually
from tests.stack.faster import shorten_waits
from tests.stack.follower import HOST, Follower
from tests.support.following import Releases
from tests.support.git_server import Server, serve
from tests.support.load import steady_requests_to
from tests.support.publishing_team import BETTER, GOOD
from tests.support.serving import golden
from tests.support.signing_keys import signing_key
from tools.documents import checkout as checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MENDED_SECONDS = 120
# A release may take a minute to become healthy; then come a scrape and the rules.
ALERT_SECONDS = 180
LEFT_OUT = ("trainer", "mlflow-server", "grafana", "node-exporter", "cadvisor")
MANIFEST = "/state/released/housing/manifest.json"
ALERT = "ReleaseNotServed"
ORIGIN_ALERT = "ReleaseOriginAway"
# Longer than a release may take to become healthy: the repository is not read meanwhile.
ORIGIN_ALERT_SECONDS = 90
LAST_FETCH = "reconcile_last_fetch_timestamp_seconds"


@pytest.fixture
def server(origin: Path) -> Iterator[type[Server]]:
    """The origin by HTTP, as containers reach it."""
    with serve(origin.parent, host="0.0.0.0") as running:
        yield running


@pytest.fixture
def follower(server: type[Server], origin: Path, tmp_path: Path) -> Iterator[Follower]:
    """A stack that was started with the command that users have."""
    checkout = tmp_path / "checkout"
    checkouts.copy_to(checkout)
    shorten_waits(checkout)
    rules = checkout / "monitoring/prometheus/rules/releases.yml"
    text = rules.read_text("utf-8")
    text = text.replace("for: 5m", "for: 5s").replace("for: 1m", "for: 5s")
    text = text.replace(f"{LAST_FETCH} > 900", f"{LAST_FETCH} > {ORIGIN_ALERT_SECONDS}")
    rules.write_text(text, "utf-8")
    port = server.address.partition(":")[2]
    running = Follower(checkout, f"http://{HOST}:{port}/{origin.name}")
    without = []
    for service in LEFT_OUT:
        without += ["--without", service]
    running.compose(*DOWN)
    try:
        running.start_output = running.start_command("--with", "follow", *without)
        yield running
    except AssertionError:
        print(running.compose("logs", "--no-color", "--tail", "60"))
        raise
    finally:
        running.compose(*DOWN)


def check_start(follower: Follower) -> None:
    """Without a release, the models of the checkout are served."""
    assert "none declared yet; follows http://" in follower.start_output
    expected = follower.manifest("housing")["version"]
    assert follower.served_version() == expected
    eventually(
        lambda: follower.targets().get("reconciler") == ["up"],
        60,
        "Prometheus scrapes the reconciler",
    )


def check_edited_file(follower: Follower) -> None:
    """A served file that somebody edits is put back."""
    good = follower.in_reconciler("cat", MANIFEST)
    follower.in_reconciler("sh", "-c", f"echo broken >{MANIFEST}")
    eventually(
        lambda: follower.in_reconciler("cat", MANIFEST) == good,
        MENDED_SECONDS,
        "the file is put back",
    )
    eventually(
        lambda: follower.metric("reconcile_drifts_total") == 1,
        60,
        "the drift is counted",
    )


def check_unhealthy_release(follower: Follower, releases: Releases) -> None:
    """A release that never becomes healthy is taken back, and an alert fires."""
    assert not follower.fires(ALERT)
    before = follower.served_version()
    releases.release_unusable_model()
    eventually(lambda: follower.fires(ALERT), ALERT_SECONDS, f"{ALERT} fires")
    assert follower.passes("failed") > 0
    assert follower.served_version() == before


def check_unsigned_release(
    follower: Follower, releases: Releases, folder: Path
) -> None:
    """A release that no allowed key has signed is refused; the old one stays."""
    key = signing_key(folder, "key")
    follower.environment["MLOPS_SIGNERS"] = str(key.with_suffix(".signers"))
    follower.compose("up", "--detach", "--wait", "reconciler")
    before = follower.served_version()
    releases.promote()

    def is_refused() -> bool:
        log = follower.compose("logs", "--no-color", "reconciler")
        return "is not signed by a key in" in log

    eventually(is_refused, 60, "the unsigned release is refused")
    assert follower.served_version() == before


@contextmanager
def away(server: type[Server], folder: Path) -> Iterator[None]:
    """Let the server find no repository."""
    root = server.root
    server.root = folder
    try:
        yield
    finally:
        server.root = root


def check_origin_away(
    follower: Follower, releases: Releases, server: type[Server], nowhere: Path
) -> None:
    """While the repository is away, nothing happens but an alert."""
    assert not follower.fires(ORIGIN_ALERT)
    with away(server, nowhere):
        releases.promote()
        releases.promote()
        eventually(
            lambda: follower.passes("origin_away") > 1,
            60,
            "two passes find no repository",
        )
        read = follower.metric(LAST_FETCH)
        before = follower.process_of_the_reconciler()
        eventually(
            lambda: follower.fires(ORIGIN_ALERT), ALERT_SECONDS, f"{ORIGIN_ALERT} fires"
        )
        assert follower.passes("origin_away") >= 5
        assert follower.metric(LAST_FETCH) == read
        assert follower.metric("reconcile_in_sync") == 1
        assert follower.served_version() == 3
        assert follower.process_of_the_reconciler() == before


def check_answers(answers: list[httpx.Response], versions: set[int]) -> None:
    """Check that no request failed, and which versions have answered."""
    assert {answer.status_code for answer in answers} == {200}
    seen: set[Any] = {answer.json()["model_version"] for answer in answers}
    assert seen == versions


def test_a_stack_follows_releases_through_failures_without_a_failed_request(
    follower: Follower, releases: Releases, server: type[Server], tmp_path: Path
) -> None:
    check_start(follower)
    releases.publish(housing=GOOD, iris=BETTER)
    follower.await_version(1)

    with steady_requests_to(follower.url("API"), golden("housing")) as answers:
        releases.publish(housing=BETTER)
        follower.await_version(2)
        check_edited_file(follower)
        check_unhealthy_release(follower, releases)

        releases.promote()
        follower.await_version(3)
        eventually(lambda: not follower.fires(ALERT), 60, f"{ALERT} ends")

        check_origin_away(follower, releases, server, tmp_path / "nowhere")
        follower.await_version(5)
        eventually(lambda: not follower.fires(ORIGIN_ALERT), 60, "the alert ends")
    # It has taken the newest release, and not those before it one after the other.
    check_answers(answers, {1, 2, 3, 5})

    log = follower.compose("logs", "--no-color", "reconciler")
    assert "Traceback" not in log
    for outcome in ("applied", "failed"):
        assert f"{outcome}: " in log
    # Passes that fail for the same reason print it once; one that is interrupted by the
    # loss has another reason.
    assert 1 <= log.count("origin_away: ") <= 2
    # What it remembers is in a volume: a new container goes on where it was.
    follower.compose("up", "--detach", "--force-recreate", "--wait", "reconciler")
    commit = git(releases.origin, "rev-parse", "main")
    state = follower.in_reconciler("cat", "/state/build/reconcile/state.json")
    assert json.loads(state)["served"]["declared"] == commit
    check_unsigned_release(follower, releases, tmp_path)
