"""What the start script makes of the settings of the reverse proxy."""

import pytest

from scripts.stack import proxy_settings, verify
from scripts.stack.settings import Settings, StackError
from tests.support.web_servers import serving

CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"
UNREADABLE = (
    "'bind :8000' in section 'frontend' : unable to stat SSL certificate from file"
    " '/run/secrets/certificates' : Permission denied."
)
HAPROXY_SAYS = f"""[NOTICE]   (8) : haproxy version is 3.4.6
[ALERT]    (8) : config : parsing [{CONFIGURATION}:53] : {UNREADABLE}
[ALERT]    (8) : config : Error(s) found in configuration file : {CONFIGURATION}
[ALERT]    (8) : config : Fatal errors found in configuration.
"""
DOCKER_SAYS = """time="2026-11-29T08:00:00Z" level=warning msg="a warning"
Error response from daemon: invalid mount config: bind source path does not exist: /x
"""


def applied(**variables: str) -> Settings:
    return proxy_settings.applied(Settings(0, (), (), variables))


def test_the_api_answers_over_tls_if_there_are_certificates() -> None:
    plain = applied(PROXY_CERTIFICATES="", API_PORT="8010")
    assert proxy_settings.used(plain) == []
    assert plain.url("mlops-api", "/docs") == "http://127.0.0.1:8010/docs"
    secure = applied(PROXY_CERTIFICATES="/certificates", API_PORT="8010")
    assert proxy_settings.used(secure) == ["PROXY_CERTIFICATES"]
    assert secure.url("mlops-api", "/docs") == "https://127.0.0.1:8010/docs"
    assert secure.url("grafana") == "http://127.0.0.1:3000"


def services_to_check(*profiles: str, **variables: str) -> list[str]:
    settings = Settings(0, (), profiles, variables)
    return [check.service for check in proxy_settings.checks(settings)]


def test_haproxy_checks_the_proxies_that_have_settings() -> None:
    assert services_to_check() == []
    assert services_to_check(MLFLOW_USERS="users", PROXY_API_KEYS="") == []
    assert services_to_check(PROXY_RATE_LIMIT="100") == ["proxy"]
    both = ["proxy", "mlflow-proxy"]
    assert services_to_check("mlflow-auth", PROXY_CERTIFICATES="certificates") == both
    (check,) = proxy_settings.checks(Settings(0, (), ("mlflow-auth",), {}))
    assert check.names == ["MLFLOW_USERS"]
    without = Settings(0, ("mlops-api",), (), {"PROXY_RATE_LIMIT": "100"})
    assert proxy_settings.checks(without) == []


def bind_address(*profiles: str, **variables: str) -> str | None:
    """Return the address of MLflow's port, which asks for no password."""
    settings = Settings(0, (), profiles, variables)
    return settings.environment().get("MLFLOW_BIND_ADDRESS")


def test_with_a_password_the_port_without_one_is_this_machines() -> None:
    assert bind_address() is None
    assert bind_address("mlflow-auth", BIND_ADDRESS="0.0.0.0") == "127.0.0.1"
    chosen = "10.0.0.7"
    assert bind_address("mlflow-auth", MLFLOW_BIND_ADDRESS=chosen) == chosen


def test_mlflow_must_ask_for_a_password() -> None:
    with serving() as server:
        port = str(server.http.server_port)
        settings = Settings(0, (), ("mlflow-auth",), {"MLFLOW_PROXY_PORT": port})
        server.answers["/"] = [(401, b"")]
        (seen,) = verify.everything(settings, ["mlflow-proxy"])
        assert seen.what == "asks for a name and a password"
        for status in (200, 503):
            server.answers["/"] = [(status, b"")]
            with pytest.raises(StackError, match="mlflow-proxy at http"):
                verify.everything(settings, ["mlflow-proxy"])


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (HAPROXY_SAYS, UNREADABLE),
        (
            DOCKER_SAYS,
            "Error response from daemon: invalid mount config: bind source path does"
            " not exist: /x",
        ),
        ("", "the check failed"),
    ],
)
def test_the_first_fault_of_a_check_is_one_sentence(output: str, fault: str) -> None:
    assert proxy_settings.first_fault(output) == fault
