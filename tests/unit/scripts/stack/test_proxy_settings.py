"""What the start script makes of the settings of the reverse proxy."""

import pytest

from scripts.stack import proxy_settings
from scripts.stack.settings import Settings

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
