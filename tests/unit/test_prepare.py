"""What runs once before the containers: who may write into the folders beside the
checkout.
"""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PROGRAM = ROOT / "deployment" / "docker" / "prepare.py"
USER, SERVICES_USER = 0x02, 10001

pytestmark = pytest.mark.skipif(
    not hasattr(os, "setxattr"), reason="access lists are Linux'"
)


def run(folder: Path, *folders: str, **variables: str) -> tuple[int, str]:
    """Run it in a folder, and return its status and what it said."""
    done = subprocess.run(
        [sys.executable, PROGRAM, *folders],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def rights(path: Path, kind: str = "access") -> dict[int, int]:
    """Return what users have of their own at a path, by their numbers."""
    listed = os.getxattr(path, f"system.posix_acl_{kind}")[4:]
    entries = struct.iter_unpack("<HHI", listed)
    return {user: allowed for tag, allowed, user in entries if tag == USER}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with two folders, one of which holds something."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "artifacts" / "run").mkdir(parents=True)
    (tmp_path / "artifacts" / "run" / "note.txt").write_text("noted", "utf-8")
    try:
        os.setxattr(tmp_path, "user.test", b"1")
    except OSError:
        pytest.skip("this file system has no access lists")
    return tmp_path


def test_the_services_can_write_and_the_owner_keeps_what_they_make(
    folder: Path,
) -> None:
    assert run(folder, "logs", "artifacts") == (0, "")
    for name in ("logs", "artifacts", "artifacts/run"):
        assert rights(folder / name) == {SERVICES_USER: 7}
        assert rights(folder / name, "default") == {SERVICES_USER: 7, os.getuid(): 7}
    assert rights(folder / "artifacts" / "run" / "note.txt") == {SERVICES_USER: 6}
    made = folder / "logs" / "api.log"
    made.touch()
    assert rights(made).keys() == {SERVICES_USER, os.getuid()}


def test_nobody_else_gets_a_right_however_often_it_runs(folder: Path) -> None:
    (folder / "logs").chmod(0o750)
    listed = {}
    for _ in range(3):
        assert run(folder, "logs", "artifacts") == (0, "")
        listed[os.getxattr(folder / "logs", "system.posix_acl_access")] = True
    (once,) = listed
    others = [
        allowed
        for tag, allowed, _ in struct.iter_unpack("<HHI", once[4:])
        if tag == 0x20
    ]
    group = [
        allowed
        for tag, allowed, _ in struct.iter_unpack("<HHI", once[4:])
        if tag == 0x04
    ]
    assert (group, others) == ([5], [0])


def test_a_link_is_not_followed(folder: Path) -> None:
    outside = folder / "outside"
    outside.mkdir(mode=0o755)
    (folder / "logs" / "link").symlink_to(outside)
    assert run(folder, "logs", "artifacts") == (0, "")
    assert "system.posix_acl_access" not in os.listxattr(outside)


def test_what_an_earlier_version_kept_in_a_volume_is_moved_and_nothing_replaced_or_lost(
    folder: Path,
) -> None:
    former = folder / "former"
    for name, text in {"run/note.txt": "older", "other/deep/a.txt": "a"}.items():
        (former / name).parent.mkdir(parents=True, exist_ok=True)
        (former / name).write_text(text, "utf-8")
    for _ in range(2):
        assert run(folder, "logs", "artifacts") == (0, "")
        assert (folder / "artifacts" / "run" / "note.txt").read_text("utf-8") == "noted"
        assert (folder / "artifacts" / "other" / "deep" / "a.txt").read_text(
            "utf-8"
        ) == "a"
        assert SERVICES_USER in rights(
            folder / "artifacts" / "other" / "deep" / "a.txt"
        )
        left = [path for path in former.rglob("*") if path.is_file()]
        assert left == [
            former / "run" / "note.txt"
        ]  # which is another than the one there


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
    status, said = run(folder, "logs", "artifacts", **{name: value})
    assert status == 1 and said.startswith(f"error: {name}") and said.count("\n") == 1
    assert "s3cret" not in said
    assert "system.posix_acl_access" not in os.listxattr(folder / "logs")


def test_what_such_a_variable_may_say_ends_nothing(folder: Path) -> None:
    harmless = {"MLFLOW_SERVE_ARTIFACTS": "True", "DEPLOY_MONITORING": "true"}
    harmless["MLFLOW_BACKEND_STORE_URI"] = ""
    assert run(folder, "logs", "artifacts", **harmless) == (0, "")


def test_the_key_of_the_start_script_is_handed_over_and_one_that_is_gone_taken_away(
    folder: Path,
) -> None:
    made, key = (
        folder / "checkout" / "build" / "admin-key",
        folder / "build" / "serving" / "admin-key",
    )
    assert run(folder, "logs", "artifacts") == (0, "") and not key.exists()
    for place in (made, key):
        place.parent.mkdir(parents=True)
    made.write_text("a key for the tests\n", "utf-8")
    made.chmod(0o600)
    assert run(folder, "logs", "artifacts") == (0, "")
    assert key.read_text("utf-8") == "a key for the tests\n"
    assert key.stat().st_mode & 0o044 == 0o044 and made.stat().st_mode & 0o777 == 0o600
    made.unlink()
    assert run(folder, "logs", "artifacts") == (0, "") and not key.exists()
