"""The profile `tracing`, with which the start script sends traces to Jaeger."""

import pytest

from scripts.stack import monitoring, verify
from scripts.stack.settings import ENDPOINT, JAEGER, Settings, StackError
from tests.support.clock import replace_sleep
from tests.support.web_servers import serving

COLLECTOR = "http://collector.example.org:4318"
PATH = "/api/v3/services"


def settings(*profiles: str, **variables: str) -> Settings:
    return Settings(0, (), profiles, variables)


def endpoint(*profiles: str, **variables: str) -> str | None:
    """Return the address that the services send traces to."""
    environment = settings(*profiles, **variables).environment()
    return environment.get(ENDPOINT)


def test_the_profile_sends_traces_to_jaeger_by_default() -> None:
    assert endpoint("alerts") is None
    assert endpoint("tracing") == JAEGER
    assert endpoint("tracing", **{ENDPOINT: ""}) == JAEGER
    other = {ENDPOINT: COLLECTOR}
    assert endpoint(**other) == COLLECTOR
    assert endpoint("tracing", **other) == COLLECTOR


def test_jaeger_is_asked_until_it_has_a_trace_of_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_sleep(monkeypatch, monitoring, lambda seconds: None)
    nothing = (200, b'{"services": []}')
    both = (200, b'{"services": ["mlops-trainer", "mlops-api"]}')
    with serving() as server:
        here = settings("tracing", JAEGER_PORT=str(server.http.server_port))
        server.answers[PATH] = [nothing, nothing, both]
        (seen,) = verify.everything(here, ["jaeger"])
        assert seen.what == "traces of mlops-api, mlops-trainer"
        assert seen.address == f"{server.url}/search"
        assert len(server.asked) == 3
        server.answers[PATH] = [nothing]
        monkeypatch.setattr("scripts.stack.monitoring.SPANS_SECONDS", 0)
        with pytest.raises(StackError, match="no trace of the API"):
            verify.everything(here, ["jaeger"])


def test_a_jaeger_that_gets_no_traces_is_not_waited_for() -> None:
    with serving() as server:
        server.answers[PATH] = [(200, b"{}")]
        variables = {
            "JAEGER_PORT": str(server.http.server_port),
            ENDPOINT: COLLECTOR,
        }
        elsewhere = settings("tracing", **variables)
        (seen,) = verify.everything(elsewhere, ["jaeger"])
        assert seen.what == "traces of nothing yet"
