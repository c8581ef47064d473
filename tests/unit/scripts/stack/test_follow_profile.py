"""The profile `follow`, with which the stack puts releases into service."""

from pathlib import Path

import pytest

from core.git import git
from scripts.stack import compose, reconciler, verify
from scripts.stack.settings import MODELS_FOLDER, RELEASED, Settings, StackError
from tests.support.web_servers import serving

ADDRESS = "https://github.com/owner/name"
METRICS = """\
# HELP reconcile_in_sync Whether the release that the branch declares is in service
reconcile_in_sync {in_sync}
reconcile_passes_total{{outcome="in_sync"}} 0.0
reconcile_passes_total{{outcome="{outcome}"}} {count}
"""


def settings(**variables: str) -> Settings:
    return Settings(0, (), ("follow",), variables)


def test_the_profile_adds_the_reconciler_and_lets_the_api_serve_its_folder() -> None:
    assert "reconciler" in compose.services(settings())
    environment = settings(**{MODELS_FOLDER: "models"}).environment()
    assert environment[MODELS_FOLDER] == RELEASED
    without = Settings(0, (), (), {})
    assert "reconciler" not in compose.services(without)
    assert MODELS_FOLDER not in without.environment()


@pytest.mark.parametrize(
    ("address", "example"),
    [
        ("git@github.com:owner/name.git", "https://github.com/owner/name.git"),
        ("ssh://git@example.org:2222/a/b.git", "https://example.org/a/b.git"),
        ("/srv/git/name.git", "https://github.com/OWNER/NAME"),
    ],
)
def test_an_address_that_a_container_cannot_read_is_one_sentence(
    address: str, example: str
) -> None:
    with pytest.raises(StackError) as raised:
        reconciler.require_address(settings(MLOPS_RELEASES=address))
    sentence = str(raised.value)
    assert "it has neither SSH keys nor the folders of this machine" in sentence
    assert sentence.endswith(
        f"set MLOPS_RELEASES in .env to an address such as {example}."
    )


def test_the_origin_is_followed_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "ROOT", tmp_path)
    git(tmp_path, "init", "--quiet")
    with pytest.raises(StackError, match="has no remote origin to follow"):
        reconciler.require_address(settings())
    secret = "https://me:a-secret-of-mine@github.com/owner/name"
    git(tmp_path, "remote", "add", "origin", secret)
    assert reconciler.require_address(settings()) == "https://***@github.com/owner/name"
    assert reconciler.require_address(settings(MLOPS_RELEASES=ADDRESS)) == ADDRESS


@pytest.mark.parametrize(
    ("outcome", "in_sync", "expected"),
    [
        ("applied", "1.0", "in service"),
        ("nothing_declared", "1.0", "none declared yet"),
        ("refused", "0.0", "not in service, see `--logs reconciler`"),
        (
            "origin_away",
            "0.0",
            "the repository cannot be read, see `--logs reconciler`",
        ),
    ],
)
def test_the_start_shows_what_the_first_pass_found(
    outcome: str, in_sync: str, expected: str
) -> None:
    with serving() as server:
        port = str(server.http.server_port)
        here = settings(MLOPS_RELEASES=ADDRESS, RECONCILER_PORT=port)
        early = METRICS.format(in_sync="0.0", outcome=outcome, count="0.0")
        later = METRICS.format(in_sync=in_sync, outcome=outcome, count="1.0")
        server.answers["/metrics"] = [
            (200, early.encode()),
            (200, later.encode()),
        ]
        (seen,) = verify.everything(here, ["reconciler"])
    assert seen.what == f"{expected}; follows {ADDRESS}"
