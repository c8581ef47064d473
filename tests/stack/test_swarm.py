"""The stack for Docker Swarm, deployed for real on a swarm of one node."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.stack.engine import docker, eventually
from tests.stack.load import Load
from tests.stack.swarm import FILE, NAME, Swarm, can_show_config
from tools.documents import checkout as checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
API = f"{NAME}_mlops-api"


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    """The stack, whose replicas all run."""
    checkout: Path = tmp_path_factory.mktemp("swarm") / "checkout"
    checkouts.copy_to(checkout)
    running = Swarm(checkout)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_docker_reads_the_file(swarm: Swarm) -> None:
    if not can_show_config():
        pytest.skip("this Docker has no `docker stack config`")
    text = swarm.run("stack", "config", "--compose-file", FILE)
    shown = yaml.safe_load(text)
    assert len(shown["services"]) == 4


def test_it_predicts_explains_and_shows_the_runs(swarm: Swarm) -> None:
    stack = swarm.stack
    manifests = stack.manifests()
    for manifest in manifests.values():
        answer = stack.predict(manifest)
        assert answer["model_version"] == manifest["version"]
    golden = manifests["housing"]["golden"]
    answer = stack.ask("API", "/explain/housing", golden["request"])
    expected = pytest.approx(golden["answer"], rel=1e-4)
    assert answer["sum"] == expected
    path = "/api/2.0/mlflow/experiments/search?max_results=100"
    answer = stack.ask("MLFLOW", path)
    names = {experiment["name"] for experiment in answer["experiments"]}
    assert names.issuperset(manifests)


def test_no_request_is_lost_while_replicas_are_replaced_and_added(
    swarm: Swarm,
) -> None:
    manifest = swarm.stack.manifest("iris")
    request = manifest["golden"]["request"]
    record = json.dumps(request).encode()
    before = swarm.containers(service="mlops-api")
    assert len(before) == 2
    with Load(swarm.stack, record) as load:
        load.await_more(200)
        docker("service", "update", "--quiet", "--force", API)
        load.await_more(200)
        docker("service", "scale", f"{API}=3")
        load.await_more(200)
    load.print_counts()
    assert load.failures == []
    eventually(swarm.is_complete, 60, "all replicas run")
    after = swarm.containers(service="mlops-api")
    assert len(after) == 3
    assert not before & after
