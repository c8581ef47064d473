"""The profile `cluster`, with which the start script sends trainings to workers."""

import pytest

from scripts.stack import verify
from scripts.stack.settings import CLUSTER, SCHEDULER, Settings, StackError
from tests.support.web_servers import serving

ELSEWHERE = "tcp://cluster.example.org:8786"
PATH = "/json/counts.json"


def settings(*profiles: str, **variables: str) -> Settings:
    return Settings(0, (), profiles, variables)


def address(*profiles: str, **variables: str) -> str | None:
    """Return the scheduler that trainings are sent to."""
    return settings(*profiles, **variables).environment().get(CLUSTER)


def test_the_profile_sends_trainings_to_its_scheduler_by_default() -> None:
    assert address("alerts") is None
    assert address("cluster") == SCHEDULER
    assert address("cluster", **{CLUSTER: ""}) == SCHEDULER
    assert address("cluster", **{CLUSTER: ELSEWHERE}) == ELSEWHERE
    assert address(**{CLUSTER: ELSEWHERE}) == ELSEWHERE


def test_the_scheduler_must_have_a_worker() -> None:
    with serving() as server:
        port = str(server.http.server_port)
        here = settings("cluster", DASK_DASHBOARD_PORT=port)
        server.answers[PATH] = [(200, b'{"workers": 2}')]
        (seen,) = verify.everything(here, ["dask-scheduler", "dask-worker"])
        assert seen.what == "2 workers"
        assert seen.address == f"{server.url}/status"
        server.answers[PATH] = [(200, b'{"workers": 0}')]
        with pytest.raises(StackError, match="the cluster has no worker"):
            verify.everything(here, ["dask-scheduler"])
