"""The scripts that run nox from an environment of its own."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import posix
from tests.paths import ROOT
from tests.unit.scripts.shells import BOTH, Call, put, run


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """nox' own environment, as far as the scripts use it."""
    folder = tmp_path / "environments" / "own"
    (folder / "bin").mkdir(parents=True)
    lock = ROOT / "requirements" / "nox.txt"
    shutil.copy(lock, folder / "installed.txt")
    put(
        folder / "bin" / "nox",
        'printf "%s|" "$PYTHONUTF8" "$PYTHONSAFEPATH" "$@"; exit 3',
    )
    return folder


@pytest.mark.parametrize(("call", "_"), BOTH)
@pytest.mark.parametrize("folder", ["bin", "Scripts"])
@posix
def test_nox_gets_its_arguments_and_its_status_comes_back(
    folder: str, call: Call, _: str, own: Path
) -> None:
    (own / "bin").rename(own / folder)
    variables = {
        "NOX_ENVDIR": str(own.parent),
        "PYTHONSAFEPATH": "1",
        "GITHUB_ACTIONS": "",
    }
    done = call("scripts/test", "-s", "tests", "--", "-k", "a b", "", **variables)
    assert done.returncode == 3
    assert done.stderr == ""
    assert done.stdout == "1||-s|tests|--|-k|a b||"


@pytest.mark.parametrize(("call", "ending"), BOTH)
@posix
def test_an_environment_that_cannot_be_made_is_one_sentence(
    call: Call, ending: str, tmp_path: Path
) -> None:
    (tmp_path / "own").write_text("no folder", "utf-8")
    done = call("scripts/nox", "-l", NOX_ENVDIR=str(tmp_path))
    assert done.returncode == 1
    *_, sentence = (done.stdout + done.stderr).splitlines()
    own = tmp_path / "own"
    assert sentence == f"nox.{ending}: {own} cannot be made: see above."


@pytest.mark.skipif(
    importlib.util.find_spec("ensurepip") is None,
    reason="this Python makes no environments: it is installed without ensurepip",
)
def test_packages_that_cannot_be_installed_are_one_sentence(own: Path) -> None:
    (own / "installed.txt").unlink()
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-m", "scripts.run_nox", "nox.sh", "-l"]
    done = run(*command, NOX_ENVDIR=str(own.parent), **nowhere)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "nox.sh: the packages of requirements/nox.txt cannot be installed: see above."
    )
    assert not (own / "installed.txt").exists()
