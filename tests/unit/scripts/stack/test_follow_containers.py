"""`--released --follow`: which release is started, taken and gone back to.

A record of what runs stands in for Docker; the stack tests follow with the real one.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from scripts.stack import (
    compose,
    container_metrics,
    drift,
    follow,
    healthy_release,
    released,
    released_images,
    replicas,
)
from scripts.stack.drift import Drift
from scripts.stack.follow import Follower
from scripts.stack.released import Release
from scripts.stack.settings import Settings, StackError, UsageError

SETTINGS = Settings(0, (), ("follow",), {})
UNHEALTHY = "not every container became healthy"


def release(digit: str) -> Release:
    """Return a release whose commit consists of a digit."""
    address = f"ghcr.io/owner/name/mlops-api@sha256:{digit * 64}"
    return Release(digit * 40, (address,), {"iris": digit * 64})


OLD = release("1")
NEW = release("2")
THIRD = release("3")


class Engine:
    """What runs, and which releases cannot.

    Attributes:
        runs: the tag of the containers' images.
        replicas: the number of containers.
        started: the tags of the images that were started, in order.
        unhealthy: those whose containers do not become healthy.
        missing: those whose images are nowhere.
        served: the release that the reconciler has put into service.
    """

    def __init__(self) -> None:
        self.runs = ""
        self.replicas = 1
        self.started: list[str] = []
        self.unhealthy: set[str] = set()
        self.missing: set[str] = set()
        self.served: Release | None = None

    def provide(self, addresses: tuple[str, ...], tag: str) -> list[str]:
        if tag in self.missing:
            raise StackError(f"{addresses[0]} is neither here nor in its registry.")
        return []

    def compare(
        self, settings: Settings, release: Release, ran: Mapping[str, int]
    ) -> Drift:
        wanted = max(self.replicas, ran.get("mlops-api", 1))
        differs = self.runs != release.tag or self.replicas < wanted
        return Drift(["mlops-api"] if differs else [], {"mlops-api": wanted})

    def bring_up(
        self, settings: Settings, services: Sequence[str], replicas: Mapping[str, int]
    ) -> bool:
        if not services:
            return True
        self.replicas = replicas["mlops-api"]
        self.runs = settings.variables["IMAGE_TAG"]
        self.started.append(self.runs)
        return self.runs not in self.unhealthy

    def start(self, settings: Settings, build: bool) -> None:
        assert not build
        if not self.bring_up(settings, ["mlops-api"], {"mlops-api": 1}):
            raise StackError(UNHEALTHY)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine()
    monkeypatch.setattr(released_images, "provide", engine.provide)
    monkeypatch.setattr(drift, "compare", engine.compare)
    monkeypatch.setattr(replicas, "bring_up", engine.bring_up)
    monkeypatch.setattr(compose, "start", engine.start)
    monkeypatch.setattr(follow, "in_service", lambda settings: engine.served)
    monkeypatch.setattr(released, "read", lambda settings: OLD)
    monkeypatch.setattr(container_metrics, "PATH", tmp_path / "containers.prom")
    monkeypatch.setattr(healthy_release, "PATH", tmp_path / "healthy-release.json")
    yield engine


@pytest.fixture
def follower(engine: Engine) -> Follower:
    """A follower whose first release runs."""
    follower = follow._start(SETTINGS)
    assert engine.runs == OLD.tag
    engine.started.clear()
    return follower


def is_in_sync() -> bool:
    """Return what Prometheus learned last."""
    text = container_metrics.PATH.read_text("utf-8")
    return "release_containers_in_sync 1" in text


def test_the_next_release_is_taken_and_remembered(
    engine: Engine, follower: Follower
) -> None:
    engine.served = NEW
    assert "its containers are healthy" in follower.check()
    assert follower.check().startswith("containers and images are those of release 22")
    assert engine.started == [NEW.tag]
    assert healthy_release.recall() == NEW
    assert is_in_sync()


def test_an_unhealthy_release_is_taken_back_and_not_tried_again(
    engine: Engine, follower: Follower
) -> None:
    engine.served = NEW
    engine.unhealthy = {NEW.tag}
    sentence = follower.check()
    assert "did not become healthy, so those of release 1111" in sentence
    assert engine.started == [NEW.tag, OLD.tag]
    assert follower.check() == sentence
    # A reconciler that does not answer for a moment is no reason to try it again.
    engine.served = None
    assert follower.check() == sentence
    engine.served = NEW
    assert follower.check() == sentence
    assert engine.started == [NEW.tag, OLD.tag]
    assert healthy_release.recall() == OLD
    assert not is_in_sync()

    engine.served = THIRD
    follower.check()
    assert engine.runs == THIRD.tag
    assert is_in_sync()


def test_a_way_back_that_fails_is_said_and_tried_again(
    engine: Engine, follower: Follower
) -> None:
    engine.served = NEW
    engine.unhealthy = {NEW.tag, OLD.tag}
    assert "neither the containers of release 2222" in follower.check()
    engine.runs = ""
    assert "did not become healthy after a new start" in follower.check()
    assert not is_in_sync()
    engine.runs = ""
    engine.unhealthy = {NEW.tag}
    assert follower.check().startswith("mended: mlops-api differed from release 1111")


def test_a_replica_that_ran_is_kept_through_releases(
    engine: Engine, follower: Follower
) -> None:
    engine.replicas = 2
    assert follower.check().startswith("containers and images are those of release 11")
    engine.replicas = 1
    assert follower.check().startswith("mended: mlops-api differed from release 1111")
    assert engine.replicas == 2
    engine.served = NEW
    engine.replicas = 1
    follower.check()
    assert (engine.runs, engine.replicas) == (NEW.tag, 2)


def test_containers_that_run_the_next_release_already_are_left_alone(
    engine: Engine, follower: Follower
) -> None:
    engine.served = NEW
    engine.runs = NEW.tag
    assert "its containers are healthy" in follower.check()
    assert engine.started == []


def test_a_start_goes_back_to_the_release_that_was_healthy(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.served = NEW
    engine.unhealthy = {NEW.tag}
    with pytest.raises(StackError, match=UNHEALTHY):
        follow._start(SETTINGS)
    healthy_release.remember(OLD)
    follow._start(SETTINGS)
    assert engine.runs == OLD.tag
    assert "Release 111111111111 is tried now." in capsys.readouterr().out


def test_a_start_without_an_answer_of_the_reconciler_goes_on_where_it_was(
    engine: Engine,
) -> None:
    healthy_release.remember(NEW)
    follow._start(SETTINGS)
    assert engine.runs == NEW.tag
    engine.missing = {NEW.tag}
    follow._start(SETTINGS)
    assert engine.runs == OLD.tag
    healthy_release.PATH.write_text("{")
    assert healthy_release.recall() is None


def test_a_wrong_flag_is_said_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(settings: Settings, build: bool) -> None:
        engine.started.append(settings.variables["IMAGE_TAG"])
        raise UsageError("--without x: there is no such service.")

    monkeypatch.setattr(compose, "start", start)
    healthy_release.remember(NEW)
    with pytest.raises(UsageError):
        follow._start(SETTINGS)
    assert engine.started == [NEW.tag]


def test_a_reconciler_that_stops_between_two_questions_has_nothing_in_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = {"cat": '{"served": {"declared": "c"}}'}
    monkeypatch.setattr(
        follow, "_in_reconciler", lambda settings, *command: answers.get(command[0], "")
    )
    assert follow.in_service(SETTINGS) is None
    answers["git"] = OLD.render()
    assert follow.in_service(SETTINGS) == OLD
    answers.clear()
    assert follow.in_service(SETTINGS) is None
