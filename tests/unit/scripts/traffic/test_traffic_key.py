"""Traffic through a proxy that asks for a key."""

import pytest

from core import api_key
from scripts import commands
from scripts.traffic import __main__ as program
from scripts.traffic.__main__ import main
from tests.support import service
from tests.support.web_servers import serving


def test_the_proxy_gets_the_key_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.make()
    monkeypatch.setattr(program, "MODELS", service.MODELS)
    arguments = ["--task", "iris", "--rows", "1"]
    monkeypatch.setenv(api_key.VARIABLE, "a key of a client")
    with serving() as server:
        assert commands.run(main, [*arguments, "--url", server.url]) == 0
        monkeypatch.setenv(api_key.VARIABLE, "caf\xe9 \u20ac")
        assert commands.run(main, [*arguments, "--url", server.url]) == 2
    assert server.asked == ["/health/live", "/predict/iris"]
    for headers in server.sent:
        assert headers[api_key.HEADER] == "a key of a client"
    assert "MLOPS_API_KEY is no key" in capsys.readouterr().err
