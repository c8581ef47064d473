"""What runs, compared with what is declared; a record stands in for Docker's answers."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from scripts.stack import compose, drift, replicas
from scripts.stack.released import Release
from scripts.stack.settings import Settings

SETTINGS = Settings(0, ("grafana", "cadvisor", "node-exporter"), (), {})
NAME = "ghcr.io/owner/name/mlops-api"
RELEASE = Release("1" * 40, (f"{NAME}@sha256:{'1' * 64}",), {"iris": "1" * 64})
IMAGE = f"{NAME}:{RELEASE.tag}"


class Engine:
    """Containers, and what Compose's files declare.

    Attributes:
        containers: by their IDs, as Docker describes them.
        declared: by the names of services, as Compose describes them.
        ups: the arguments of each `docker compose up`.
    """

    def __init__(self) -> None:
        self.containers: dict[str, dict[str, object]] = {}
        self.declared: dict[str, dict[str, object]] = {}
        self.ups: list[tuple[str, ...]] = []
        for service in compose.with_proxy(SETTINGS):
            self.declared[service] = {"image": IMAGE}
            self.add(service)

    def add(self, service: str, image: str = IMAGE, status: str = "running") -> str:
        """Start a container, and return its ID."""
        identity = f"{service}-{len(self.containers)}"
        labels = {drift.SERVICE: service}
        self.containers[identity] = {
            "Config": {"Labels": labels, "Image": image},
            "State": {"Status": status},
            "Image": f"the image {image}",
        }
        return identity

    def compose(
        self, settings: Settings, command: str, *arguments: str, quiet: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Answer like `docker compose`."""
        output = ""
        if command == "ps":
            output = "\n".join(self.containers)
        elif command == "config":
            services = {}
            for name in ("prepare", "mlops-api", *arguments[2:]):
                services[name] = self.declared.get(name, {})
            output = json.dumps({"services": services})
        else:
            self.ups.append(arguments)
        return subprocess.CompletedProcess((), 0, stdout=output)

    def docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Answer like `docker inspect`."""
        described = [self.containers[identity] for identity in arguments[1:]]
        return subprocess.CompletedProcess((), 0, stdout=json.dumps(described))

    def compare(self, **ran: int) -> drift.Drift:
        """Compare the containers of services that had so many."""
        numbers = {name.replace("_", "-"): count for name, count in ran.items()}
        return drift.compare(SETTINGS, RELEASE, numbers)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine()
    monkeypatch.setattr(compose, "run", engine.compose)
    monkeypatch.setattr(drift, "docker", engine.docker)
    monkeypatch.setattr(drift, "identity", lambda address: f"the image {IMAGE}")
    yield engine


def test_nothing_differs_if_every_service_has_its_container(engine: Engine) -> None:
    compared = engine.compare()
    assert compared.services == []
    assert set(compared.replicas) == set(compose.with_proxy(SETTINGS))
    assert set(compared.replicas.values()) == {1}


def test_a_container_that_is_gone_stopped_or_of_another_image_differs(
    engine: Engine,
) -> None:
    (proxy,) = [name for name in engine.containers if name.startswith("proxy")]
    del engine.containers[proxy]
    engine.add("trainer", status="exited")
    engine.add("mlops-api", image=f"{NAME}:local")
    compared = engine.compare()
    assert set(compared.services) == {"mlops-api", "proxy", "trainer"}
    # None is taken away: somebody may have scaled the service up.
    assert compared.replicas["mlops-api"] == 2


def test_a_container_of_an_image_with_another_name_differs(engine: Engine) -> None:
    # As `docker compose up --scale` starts it without the names of the release.
    engine.add("mlops-api", image="ghcr.io/local/mlops/mlops-api:local")
    assert engine.compare().services == ["mlops-api"]


def test_an_image_that_is_not_of_the_release_may_be_any(engine: Engine) -> None:
    engine.declared["proxy"] = {"image": "haproxy:3"}
    (proxy,) = [name for name in engine.containers if name.startswith("proxy")]
    del engine.containers[proxy]
    engine.add("proxy", image="haproxy:2")
    assert engine.compare().services == []


@pytest.mark.parametrize("key", ["deploy", "scale"])
def test_fewer_containers_than_are_declared_differ(engine: Engine, key: str) -> None:
    declared = {"deploy": {"replicas": 2}, "scale": 2}
    engine.declared["mlops-api"][key] = declared[key]
    compared = engine.compare()
    assert compared.services == ["mlops-api"]
    assert compared.replicas["mlops-api"] == 2
    engine.add("mlops-api")
    assert engine.compare().services == []


def test_fewer_containers_than_ran_before_differ(engine: Engine) -> None:
    second = engine.add("mlops-api")
    compared = engine.compare()
    assert compared.services == []
    assert compared.replicas["mlops-api"] == 2
    del engine.containers[second]
    compared = engine.compare(mlops_api=2)
    assert compared.services == ["mlops-api"]
    assert compared.replicas["mlops-api"] == 2


def test_a_service_that_is_declared_without_containers_needs_none(
    engine: Engine,
) -> None:
    engine.declared["trainer"]["deploy"] = {"replicas": 0}
    (trainer,) = [name for name in engine.containers if name.startswith("trainer")]
    del engine.containers[trainer]
    assert engine.compare().services == []


def test_a_service_is_started_without_fewer_replicas_of_one_it_depends_on(
    engine: Engine,
) -> None:
    numbers = {"mlops-api": 2, "proxy": 1, "trainer": 3}
    assert replicas.bring_up(SETTINGS, ["proxy"], numbers)
    (arguments,) = engine.ups
    assert arguments[-1] == "proxy"
    scales = [text for text in arguments if "=" in text]
    assert scales == ["mlops-api=2", "proxy=1"]


def test_without_a_service_nothing_is_started(engine: Engine) -> None:
    assert replicas.bring_up(SETTINGS, [], {"mlops-api": 2})
    assert engine.ups == []
