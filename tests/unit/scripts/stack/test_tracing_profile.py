"""What the profile `tracing` cannot do by itself: the start script tells services of
Jaeger.
"""

import pytest

from scripts.stack import monitoring, verify
from scripts.stack.settings import ENDPOINT, JAEGER, Settings, StackError
from tests.support.clock import replace_sleep
from tests.support.web_servers import serving


def settings(*profiles: str, **variables: str) -> Settings:
    return Settings(0, (), profiles, variables)


def test_the_profile_sends_traces_to_jaeger_if_nothing_else_is_said() -> None:
    assert ENDPOINT not in settings("alerts").environment()
    assert settings("tracing").environment()[ENDPOINT] == JAEGER
    assert settings("tracing", **{ENDPOINT: ""}).environment()[ENDPOINT] == JAEGER
    other = {ENDPOINT: "http://collector.example.org:4318"}
    for profiles in ((), ("tracing",)):
        assert settings(*profiles, **other).environment()[ENDPOINT] == other[ENDPOINT]


def test_jaeger_is_asked_until_it_has_a_trace_of_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace_sleep(monkeypatch, monitoring, lambda seconds: None)
    path, nothing = "/api/v3/services", (200, b'{"services": []}')
    with serving() as server:
        here = settings("tracing", JAEGER_PORT=str(server.http.server_port))
        known = (200, b'{"services": ["mlops-trainer", "mlops-api"]}')
        server.answers[path] = [nothing, nothing, known]
        (seen,) = verify.everything(here, ["jaeger"])
        assert seen.what == "traces of mlops-api, mlops-trainer"
        assert seen.address == f"{server.url}/search" and len(server.asked) == 3
        server.answers[path] = [nothing]
        monkeypatch.setattr("scripts.stack.monitoring.SPANS_SECONDS", 0)
        with pytest.raises(StackError, match="no trace of the API"):
            verify.everything(here, ["jaeger"])


def test_a_jaeger_that_nothing_is_sent_to_is_not_waited_for() -> None:
    with serving() as server:
        port = {"JAEGER_PORT": str(server.http.server_port)}
        server.answers["/api/v3/services"] = [(200, b"{}")]
        elsewhere = settings(
            "tracing", **port, **{ENDPOINT: "http://collector.example.org:4318"}
        )
        (seen,) = verify.everything(elsewhere, ["jaeger"])
        assert seen.what == "traces of nothing yet"
