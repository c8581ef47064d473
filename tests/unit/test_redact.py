"""No password, token or key is left in a text that a person or a log gets to see."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redact import redact

SECRETS = {
    "http://ann:pass@host/x": "http://***@host/x",
    "postgresql+psycopg://ann:p@ss@db:5432/mlflow": "postgresql+psycopg://***@db:5432/mlflow",
    "postgresql://ann:pa/s#s@db/mlflow failed": "postgresql://***@db/mlflow failed",
    "HTTPS://ghp_0123456789@github.com/a/b.git": "HTTPS://***@github.com/a/b.git",
    "'https://x-access-token:ghs_1@github.com/'": "'https://***@github.com/'",
    "http://:only@host": "http://***@host",
    "two: http://a:b@c and ssh://d:e@f": "two: http://***@c and ssh://***@f",
    "https://h/x?X-Amz-Signature=abc&y=1": "https://h/x?X-Amz-Signature=***&y=1",
    "failed: host=db password=hush user=ann": "failed: host=db password=*** user=ann",
    "> Authorization: Basic YW5uOnB3": "> Authorization: Basic ***",
}
PLAIN = [
    "http://127.0.0.1:5000/api",
    "http://host:8080/a@b",
    "sqlite:///C:/folder/mlflow.db",
    "git@github.com:owner/name.git",
    "write to ann@example.org, or see https://example.org/",
    "the token is missing",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_masked_and_the_rest_stays(text: str) -> None:
    assert redact(text) == SECRETS[text]
    assert redact(redact(text)) == SECRETS[text]


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(
    scheme=st.sampled_from(["http", "https", "postgresql", "mysql+pymysql", "ssh"]),
    user=st.text(string.ascii_letters, min_size=1),
    secret=st.text(string.ascii_letters + string.digits + "@:!$&*+,;=~._%", min_size=6),
    around=st.sampled_from(["{}", "error: {}: refused", '"{}"', "({})", "a\n{}\nb"]),
)
def test_no_password_of_an_address_is_left(
    scheme: str, user: str, secret: str, around: str
) -> None:
    said = redact(around.format(f"{scheme}://{user}:{secret}@db.example.org/name"))
    assert f"{user}:" not in said
    assert secret not in said
    assert "db.example.org/name" in said
