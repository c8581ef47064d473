"""The program that runs before the containers: it grants rights to folders on the host."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PROGRAM = ROOT / "deployment" / "docker" / "prepare.py"
FOLDERS = ("logs", "artifacts")
SERVICES_USER = 10001
# The kinds of entries in an access list.
USER = 0x02
GROUP = 0x04
MASK = 0x10
OTHERS = 0x20
READ = 0o044

pytestmark = pytest.mark.skipif(
    not hasattr(os, "setxattr"), reason="access lists are Linux'"
)


def run(folder: Path, **variables: str) -> tuple[int, str]:
    """Run the program in a folder; return its status and its errors."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, PROGRAM, *FOLDERS],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def access_list(path: Path, kind: str = "access") -> bytes:
    return os.getxattr(path, f"system.posix_acl_{kind}")


def has_access_list(path: Path) -> bool:
    return "system.posix_acl_access" in os.listxattr(path)


def entries(content: bytes, tag: int) -> dict[int, int]:
    """Return the rights in an access list of one kind of entry, by user or group."""
    rights = {}
    for entry, allowed, owner in struct.iter_unpack("<HHI", content[4:]):
        if entry == tag:
            rights[owner] = allowed
    return rights


def rights(path: Path, kind: str = "access") -> dict[int, int]:
    """Return the rights that single users have at a path, by their numbers."""
    return entries(access_list(path, kind), USER)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with two folders, one of which holds something."""
    (tmp_path / "logs").mkdir()
    run_folder = tmp_path / "artifacts" / "run"
    run_folder.mkdir(parents=True)
    (run_folder / "note.txt").write_text("noted", "utf-8")
    try:
        os.setxattr(tmp_path, "user.test", b"1")
    except OSError:
        pytest.skip("this file system has no access lists")
    return tmp_path


def test_the_services_can_write_and_the_owner_keeps_what_they_make(
    folder: Path,
) -> None:
    assert run(folder) == (0, "")
    for name in ("logs", "artifacts", "artifacts/run"):
        path = folder / name
        assert rights(path) == {SERVICES_USER: 7}
        assert rights(path, "default") == {SERVICES_USER: 7, os.getuid(): 7}
    note = folder / "artifacts" / "run" / "note.txt"
    assert rights(note) == {SERVICES_USER: 6}
    log = folder / "logs" / "api.log"
    log.touch()
    assert rights(log).keys() == {SERVICES_USER, os.getuid()}


def test_rights_that_a_program_has_masked_are_granted_again(folder: Path) -> None:
    """Tar sets the mode of a folder that it extracts, and with it the mask."""
    assert run(folder) == (0, "")
    extracted = folder / "artifacts" / "run"
    extracted.chmod(0o755)
    assert list(entries(access_list(extracted), MASK).values()) == [5]
    assert run(folder) == (0, "")
    assert rights(extracted) == {SERVICES_USER: 7}
    assert list(entries(access_list(extracted), MASK).values()) == [7]


def test_nobody_else_gets_a_right_however_often_it_runs(folder: Path) -> None:
    logs = folder / "logs"
    logs.chmod(0o750)
    lists = set()
    for _ in range(3):
        assert run(folder) == (0, "")
        lists.add(access_list(logs))
    (content,) = lists
    assert list(entries(content, GROUP).values()) == [5]
    assert list(entries(content, OTHERS).values()) == [0]


def test_a_link_is_not_followed(folder: Path) -> None:
    outside = folder / "outside"
    outside.mkdir(mode=0o755)
    (folder / "logs" / "link").symlink_to(outside)
    assert run(folder) == (0, "")
    assert not has_access_list(outside)


def test_files_in_the_volume_of_an_earlier_version_move_and_none_is_replaced_or_lost(
    folder: Path,
) -> None:
    former = folder / "former"
    older = former / "run" / "note.txt"
    other = former / "other" / "deep" / "a.txt"
    for path, text in ((older, "older"), (other, "a")):
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    artifacts = folder / "artifacts"
    moved = artifacts / "other" / "deep" / "a.txt"
    for _ in range(2):
        assert run(folder) == (0, "")
        assert (artifacts / "run" / "note.txt").read_text("utf-8") == "noted"
        assert moved.read_text("utf-8") == "a"
        assert SERVICES_USER in rights(moved)
        # The file that differs from the one in its place stays.
        left = [path for path in former.rglob("*") if path.is_file()]
        assert left == [older]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_BACKEND_STORE_URI", "postgresql://me:s3cret@db/mlflow"),
        ("MLFLOW_DEFAULT_ARTIFACT_ROOT", "s3://bucket"),
        ("MLFLOW_SERVE_ARTIFACTS", "false"),
        ("PROMETHEUS_MULTIPROC_DIR", "/tmp/metrics"),
        ("DEPLOY_MONITORING", "False"),
        ("DEPLOY_MONITORING", "perhaps"),
    ],
)
def test_a_variable_that_cannot_work_ends_the_start(
    name: str, value: str, folder: Path
) -> None:
    status, errors = run(folder, **{name: value})
    assert status == 1
    assert errors.startswith(f"error: {name}")
    assert errors.count("\n") == 1
    assert "s3cret" not in errors
    assert not has_access_list(folder / "logs")


def test_a_value_that_works_does_not_end_the_start(folder: Path) -> None:
    harmless = {
        "MLFLOW_SERVE_ARTIFACTS": "True",
        "DEPLOY_MONITORING": "true",
        "MLFLOW_BACKEND_STORE_URI": "",
    }
    assert run(folder, **harmless) == (0, "")


def test_the_key_of_the_start_script_is_handed_over_and_one_that_is_gone_taken_away(
    folder: Path,
) -> None:
    source = folder / "checkout" / "build" / "admin-key"
    key = folder / "build" / "serving" / "admin-key"
    assert run(folder) == (0, "")
    assert not key.exists()
    for path in (source, key):
        path.parent.mkdir(parents=True)
    source.write_text("a key for the tests\n", "utf-8")
    source.chmod(0o600)
    assert run(folder) == (0, "")
    assert key.read_text("utf-8") == "a key for the tests\n"
    assert key.stat().st_mode & READ == READ
    assert source.stat().st_mode & 0o777 == 0o600
    source.unlink()
    assert run(folder) == (0, "")
    assert not key.exists()
