"""The key that the start command generates once, in a file for its owner only."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts.stack import admin_key
from scripts.stack.settings import Settings, StackError
from tests.conftest import posix
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key's file, in a checkout that was never started."""
    monkeypatch.setattr(admin_key, "ROOT", tmp_path)
    monkeypatch.setattr(admin_key, "FILE", tmp_path / "build" / "admin-key")
    monkeypatch.setattr(admin_key, "WRITE_SECONDS", 0.2)
    return tmp_path / "build" / "admin-key"


def settings(**variables: str) -> Settings:
    return Settings(0, (), (), variables)


def test_the_first_start_generates_a_key_and_the_next_ones_keep_it(
    file: Path,
) -> None:
    key = admin_key.find(settings())
    assert len(key) >= 43
    assert file.read_text("utf-8").strip() == key
    assert admin_key.find(settings(API_ADMIN_KEY="")) == key
    assert admin_key.added_to(settings(OTHER="x")).variables == {
        "OTHER": "x",
        "API_ADMIN_KEY": key,
    }
    file.unlink()
    assert admin_key.find(settings()) != key


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_its_owner_can_read_it(file: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        admin_key.find(settings())
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o600


@posix
def test_a_file_that_others_can_read_is_closed_to_them(file: Path) -> None:
    key = admin_key.find(settings())
    file.chmod(0o644)
    assert admin_key.find(settings()) == key
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_of_the_users_own_comes_first_and_no_file_is_written(
    file: Path,
) -> None:
    assert admin_key.find(settings(API_ADMIN_KEY="of the user")) == "of the user"
    assert not file.exists()


@pytest.mark.parametrize("own", ["q", "7 chars", "caf\xe9 caf\xe9", "two lines\nof it"])
def test_a_key_that_the_api_would_refuse_is_one_sentence_without_it(
    file: Path, own: str
) -> None:
    sentence = "API_ADMIN_KEY in .env or the environment holds no key of 8 ASCII"
    with pytest.raises(StackError, match=sentence) as caught:
        admin_key.added_to(settings(API_ADMIN_KEY=own))
    assert f" {own}" not in str(caught.value)
    assert not file.exists()


@pytest.mark.parametrize(
    "content", [b"my own key\n", b"my own key", b"\xef\xbb\xbfmy own key\r\n"]
)
def test_a_key_that_the_user_wrote_is_not_overwritten(
    file: Path, content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert admin_key.find(settings()) == "my own key"
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"short",
        b"two lines\nof it",
        b"caf\xc3\xa9 caf\xc3\xa9",
        b"\xff" * 9,
    ],
)
def test_a_file_without_a_key_is_one_sentence_and_is_left_alone(
    file: Path, content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    sentence = "holds no key of 8 characters or more"
    with pytest.raises(StackError, match=sentence) as caught:
        admin_key.find(settings())
    assert str(file) in str(caught.value)
    assert file.read_bytes() == content


def test_starts_at_the_same_time_have_the_same_key() -> None:
    keys: list[str] = []

    def find() -> None:
        keys.append(admin_key.find(settings()))

    starts = [threading.Thread(target=find) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_the_table_says_where_the_key_is_and_never_what_it_is() -> None:
    with_key = admin_key.added_to(settings())
    (row,) = admin_key.seen(with_key)
    assert row.address == os.path.join("build", "admin-key")
    assert with_key.variables["API_ADMIN_KEY"] not in str(row)
    (row,) = admin_key.seen(settings(API_ADMIN_KEY="of the user"))
    assert ".env" in row.address
    assert "of the user" not in str(row)
    without_api = Settings(0, ("mlops-api",), (), {})
    assert admin_key.seen(without_api) == []


def test_the_key_is_neither_in_git_nor_in_an_image() -> None:
    command = ["git", "check-ignore", "--quiet", "build/admin-key"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == 0
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert not [line for line in ignored if line.startswith("!build")]


def test_key_prints_the_key_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.start", "--key"],
        cwd=ROOT,
        env=os.environ | {"API_ADMIN_KEY": "a key of the user's own"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == "a key of the user's own\n"
    assert done.stderr == ""


def test_a_request_to_the_api_has_the_key_if_there_is_one() -> None:
    settings = Settings(0, (), (), {"API_ADMIN_KEY": "a key for the tests"})
    assert admin_key.headers(settings) == {"X-API-Key": "a key for the tests"}
    settings = Settings(0, (), (), {"API_ADMIN_KEY": ""})
    assert admin_key.headers(settings) == {}
