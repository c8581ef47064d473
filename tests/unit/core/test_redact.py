"""No password, token or key is left in a text that a person or a log gets to see."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PipelineError, UsageError
from core.redact import redact, redact_address

SECRETS = {
    "http://ann:pass@host/x": "http://***@host/x",
    "postgresql+psycopg://ann:p@ss@db:5432/mlflow": (
        "postgresql+psycopg://***@db:5432/mlflow"
    ),
    "postgresql://ann:pa/s#s@db/mlflow failed": "postgresql://***@db/mlflow failed",
    "HTTPS://ghp_0123456789@github.com/a/b.git": "HTTPS://***@github.com/a/b.git",
    "'https://x-access-token:ghs_1@github.com/'": "'https://***@github.com/'",
    "http://:only@host": "http://***@host",
    "http://ann:/pass@host/x": "http://***@host/x",
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
    address = f"{scheme}://{user}:{secret}@db.example.org/name"
    redacted = redact(around.format(address))
    assert f"{user}:{secret}" not in redacted
    assert secret not in redacted
    assert "db.example.org/name" in redacted


# Any text that can stand in the address of a remote.
TEXTS = st.text(
    st.characters(
        min_codepoint=33, max_codepoint=0x2FF, exclude_characters="'\"<>", codec="utf-8"
    ),
    min_size=6,
    max_size=40,
).map(lambda text: f"zq{text}qz")
WORDS = st.text(string.ascii_letters + " .:\n", max_size=40)


@given(TEXTS, st.sampled_from(["https", "http", "ssh", "ftp"]), WORDS)
def test_nothing_before_the_host_is_left_of_an_address_that_git_quotes(
    secret: str, scheme: str, text: str
) -> None:
    for user in (f"user:{secret}", secret, f":{secret}"):
        address = f"{scheme}://{user}@example.org/me/repo.git/"
        redacted = redact(f"{text} '{address}': {text}", {})
        assert secret not in redacted
        assert "@example.org/me/repo.git/" in redacted


@given(
    st.text(string.printable, min_size=1).map(lambda text: f"zq{text}qz"),
    st.sampled_from(["https", "ssh", "postgresql+psycopg"]),
)
def test_the_password_of_a_whole_address_may_contain_blanks(
    secret: str, scheme: str
) -> None:
    address = f"{scheme}://user:{secret}@example.org/me/repo.git"
    redacted = redact_address(address, {})
    assert secret not in redacted
    assert redacted.endswith("@example.org/me/repo.git")


@pytest.mark.parametrize("address", [*PLAIN[:4], "/a folder/with @ sign", "C:\\a b"])
def test_an_address_without_a_secret_stays_as_it_is(address: str) -> None:
    assert redact_address(address) == address


@given(TEXTS, WORDS, WORDS)
def test_the_value_of_a_secret_variable_is_masked_wherever_it_stands(
    secret: str, before: str, after: str
) -> None:
    for name in (
        "GITHUB_TOKEN",
        "PUBLISH_KEY",
        "MLFLOW_TRACKING_PASSWORD",
        "aws_secret",
    ):
        text = f"{before}{secret}{after}"
        redacted = redact(text, {name: secret})
        assert secret not in redacted


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text, {})
    assert redact(once, {}) == once


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            "http.extraheader=Authorization: Bearer abc",
            "http.extraheader=Authorization: Bearer ***",
        ),
        (f"fatal: ghp_{'a' * 36} is not valid", "fatal: *** is not valid"),
        (f"github_pat_{'1a' * 20}", "***"),
        (
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE"
                " KEY-----"
            ),
            "***",
        ),
        ("'https://me:with a blank@host/': no", "'https://***@host/': no"),
    ],
)
def test_other_forms_of_a_secret_are_masked(text: str, redacted: str) -> None:
    assert redact(text, {}) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "remote: Permission to owner/repo.git denied to somebody.",
        (
            "fatal: unable to access 'https://github.com/o/r.git/': Could not resolve"
            " host: github.com"
        ),
        "git@github.com: Permission denied (publickey).",
        "see https://github.com/o/r/rules?ref=refs%2Fheads%2Fmain",
    ],
)
def test_messages_of_git_without_a_secret_stay(text: str) -> None:
    assert redact(text, {"SOME_KEY": "short", "PATH": "github"}) == text


def test_no_error_that_a_user_may_read_holds_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hush-hush")
    message = "http://me:pass-word@host/ does not take hush-hush: set another."
    for kind in (PipelineError, UsageError):
        error = kind(message)
        assert str(error) == "http://***@host/ does not take ***: set another."
