"""A running API follows the releases of a real repository, under a steady load."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.file_names import RELEASE
from core.files import sha256_file
from core.git import git
from pipeline.reconcile.reconciler import Outcome
from tests.support.following import (
    Follower,
    Releases,
    reconciler,
    served_version,
)
from tests.support.load import steady_requests
from tests.support.publishing_team import BETTER, GOOD
from tests.support.serving import Api, edit, golden
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow
# As many as the service makes in five minutes.
AWAY_PASSES = 20
LAST_FETCH = "reconcile_last_fetch_timestamp_seconds"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API that has no model yet."""
    folder = tmp_path / "api"
    folder.mkdir()
    with Api(folder, models=None) as running:
        running.models.mkdir()
        yield running


def check_all_answered(answers: list[httpx.Response], versions: set[int]) -> None:
    """Check that no request failed, and that each version has answered some."""
    assert {answer.status_code for answer in answers} == {200}
    seen = {answer.json()["model_version"] for answer in answers}
    assert seen == versions


def test_a_release_is_applied_kept_and_taken_back_if_it_is_not_healthy(
    releases: Releases, api: Api
) -> None:
    first = releases.publish(housing=GOOD, iris=BETTER)
    one = reconciler(releases, api)
    applied = one.run()
    assert applied.outcome is Outcome.APPLIED, applied.text
    assert first[:12] in applied.text
    assert served_version(api) == 1
    assert one.run().outcome is Outcome.IN_SYNC

    with steady_requests(api, golden("housing")) as answers:
        releases.publish(housing=BETTER)
        assert one.run().outcome is Outcome.APPLIED
        good = (api.models / "housing/manifest.json").read_bytes()

        # Somebody edits a file by hand.
        (api.models / "housing/manifest.json").write_bytes(b"{}")
        mended = one.run()
        assert mended.mended == ("housing/manifest.json",)
        assert mended.is_in_sync

        bad = releases.release_unusable_model()
        failed = reconciler(releases, api, wait_seconds=4).run()
        assert failed.outcome is Outcome.FAILED
        assert f"release {bad[:12]} did not become healthy" in failed.text
        assert "the golden request is answered with" in failed.text
        assert (api.models / "housing/manifest.json").read_bytes() == good
        # No other process tries it again.
        assert reconciler(releases, api).run().text == failed.text
        assert served_version(api) == 2
    check_all_answered(answers, {1, 2})

    api.stop()
    releases.promote()
    away = reconciler(releases, api).run()
    assert away.outcome is Outcome.API_AWAY
    assert "does not answer: start the API" in away.text
    assert (api.models / "housing/manifest.json").read_bytes() == good


@pytest.mark.nightly
def test_a_version_that_was_loaded_by_hand_is_reported(
    releases: Releases, api: Api
) -> None:
    """The files agree, and the API serves something else."""
    releases.publish(housing=GOOD, iris=BETTER)
    one = reconciler(releases, api)
    one.run()
    loaded = api.folder / "state" / "loaded" / "housing"
    shutil.copytree(api.models / "housing", loaded)
    releases.publish(housing=BETTER)
    assert one.run().outcome is Outcome.APPLIED
    # What `POST /models/housing/load` does: a folder stands in for the champion.
    edit(loaded, loaded_over=sha256_file(api.models / "housing/manifest.json"))
    wait_until(lambda: served_version(api) == 1)
    result = one.run()
    assert result.outcome is Outcome.NOT_SERVED
    assert "housing: version 1 is served instead of version 2" in result.text
    assert not result.is_in_sync


def tamper(releases: Releases) -> str:
    """Push a release file that names another version of the model."""
    checkout = releases.checkout()
    path = checkout / RELEASE
    text = path.read_text("utf-8")
    path.write_text(text.replace('"version": 3', '"version": 9'), "utf-8")
    return releases.push(checkout, "chore: tampered")


def check_releases(releases: Releases, api: Api, follower: Follower) -> None:
    """Release a good model, an unusable one, and a good one again."""
    releases.publish(housing=BETTER)
    wait_until(lambda: served_version(api) == 2)
    wait_until(follower.is_in_sync)

    releases.release_unusable_model()
    wait_until(lambda: follower.passes("failed") > 0)
    assert not follower.is_in_sync()
    assert served_version(api) == 2

    releases.promote()
    wait_until(lambda: served_version(api) == 3)
    wait_until(follower.is_in_sync)


def check_damages(releases: Releases, api: Api, follower: Follower) -> None:
    """Delete a served file, and tamper with the release."""
    model = api.models / "housing/model.onnx"
    model.unlink()
    wait_until(lambda: follower.metric("reconcile_drifts_total") == 1)
    assert model.is_file()

    origin = releases.origin
    tampered = tamper(releases)
    wait_until(lambda: follower.passes("refused") > 0)
    assert not follower.is_in_sync()
    git(origin, "update-ref", "refs/heads/main", f"{tampered}~1")
    wait_until(follower.is_in_sync)


def check_origin_away(releases: Releases, api: Api, follower: Follower) -> None:
    """Take the origin away for many passes, then let it release again."""
    origin = releases.origin
    away = origin.with_name("away.git")
    origin.rename(away)
    wait_until(lambda: follower.passes("origin_away") > 0)
    read = follower.metric(LAST_FETCH)
    wait_until(lambda: follower.passes("origin_away") >= AWAY_PASSES)
    assert follower.metric(LAST_FETCH) == read
    assert follower.is_in_sync()
    assert served_version(api) == 3
    away.rename(origin)
    releases.promote()
    wait_until(lambda: served_version(api) == 4)
    wait_until(lambda: follower.metric(LAST_FETCH) > read)


@pytest.mark.nightly
def test_a_process_follows_through_failures_of_everything_around_it(
    releases: Releases, api: Api
) -> None:
    follower = Follower(releases, api)
    releases.publish(housing=GOOD, iris=BETTER)
    with follower.running():
        wait_until(lambda: served_version(api) == 1)
        wait_until(follower.is_in_sync)
        with steady_requests(api, golden("housing")) as answers:
            check_releases(releases, api, follower)
            check_damages(releases, api, follower)
            check_origin_away(releases, api, follower)
        check_all_answered(answers, {1, 2, 3, 4})
    # A process that was killed goes on where it was.
    releases.promote()
    with follower.running():
        wait_until(lambda: served_version(api) == 5)
        wait_until(follower.is_in_sync)
    printed = follower.output()
    assert "Traceback" not in printed
    for outcome in ("applied", "failed", "refused"):
        assert f"{outcome}: " in printed
    # Passes that fail for the same reason print it once; one that is interrupted by the
    # loss has another reason.
    assert printed.count("origin_away: ") <= 2
    assert "mended: housing/model.onnx differed" in printed
