"""The benchmark of two replicas has the configuration of the project's own proxy."""

import pytest


def test_only_the_replicas_and_the_port_are_others() -> None:
    pytest.importorskip("uvloop", reason="there is no uvloop for Windows")
    from tools.bench.replicas import HAPROXY, configuration

    text = configuration(9000, [8001, 8002])
    assert "    bind 127.0.0.1:9000\n" in text
    assert "    server replica8001 127.0.0.1:8001 check inter 5s\n" in text
    assert "    server replica8002 127.0.0.1:8002 check inter 5s\n" in text
    # Neither addresses nor settings of Docker's network are left.
    for part in ("resolvers", "server-template", "mlops-api", "/run/secrets"):
        assert part not in text
    original = (HAPROXY / "haproxy.cfg").read_text("utf-8")
    for line in ("balance leastconn", "option redispatch 1", "nbthread 1"):
        assert f"    {line}\n" in original
        assert f"    {line}\n" in text
