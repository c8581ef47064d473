"""The scripts for PowerShell do what the shell scripts do: same words, same exit
status.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import posix
from tests.paths import ROOT

# A program that is not on the PATH may be named by this variable.
PWSH = os.environ.get("MLOPS_PWSH") or shutil.which("pwsh") or ""
powershell = pytest.mark.skipif(not PWSH, reason="there is no PowerShell: install pwsh")
NAMES = (
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python",
    "py",
)

# What one session of PowerShell does: call the script with each list of arguments, and
# print what came of it. It ends with where it is and what is set, which no script may
# change.
SESSION = """
$env:PYTHONSAFEPATH = '1'
foreach ($case in ConvertFrom-Json $env:CASES) {
    $arguments = @($case | ForEach-Object { $_ })
    Write-Output (& ./start-mlops.ps1 @arguments 2>&1 | Out-String -Width 500)
    Write-Output "<status $LASTEXITCODE>"
}
Write-Output "$((Get-Location).Path) $env:PYTHONSAFEPATH"
"""
CASES = [
    ["--help"],
    ["--doctor", "--local", "--port-offset", "27000", "--without", "mlops-api"],
    ["--status", "--port-offset", "27000"],
    ["--stop", "--port-offset=27000"],
    ["--logs", "no such"],
    ["--key"],
    ["--stop", "--status"],
    ["--port-offset", "many"],
    ["--port-offset", "70000", "--local"],
    ["--local", "--with", "alerts"],
    ["--an unknown flag"],
]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"} | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def shell(
    script: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return run("bash", f"{script}.sh", *arguments, **variables)


def pwsh(
    script: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return run(PWSH, "-NoProfile", "-File", f"{script}.ps1", *arguments, **variables)


Call = Callable[..., subprocess.CompletedProcess[str]]
BOTH = [
    pytest.param(shell, "sh", id="sh", marks=posix),
    # The same on every Python, and a second each.
    pytest.param(pwsh, "ps1", id="ps1", marks=[powershell, pytest.mark.slow]),
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs that are found before all others: here, a Docker that is
    down.
    """
    folder = tmp_path / "programs"
    folder.mkdir()
    put(folder / "docker", "exit 1")
    return folder


def put(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)


def first(folder: Path) -> dict[str, str]:
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@posix
@powershell
@pytest.mark.slow
def test_the_start_scripts_say_the_same(programs: Path, tmp_path: Path) -> None:
    session = tmp_path / "session.ps1"
    session.write_text(SESSION, "utf-8")
    wanted, variables = "", first(programs) | {
        "API_ADMIN_KEY": "a key of the user's own"
    }
    for case in CASES:
        done = shell("start-mlops", *case, **variables)
        wanted += f"{done.stdout}{done.stderr}<status {done.returncode}>\n"
    cases = {"CASES": json.dumps(CASES)}
    done = run(PWSH, "-NoProfile", "-File", str(session), **cases, **variables)
    said = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    free = re.compile(r"[\d.]+ GB free")
    assert [free.sub("", line) for line in said] == [
        *(free.sub("", line.rstrip()) for line in wanted.splitlines() if line.strip()),
        f"{ROOT} 1",
    ]


@pytest.mark.parametrize("program", [PWSH or "pwsh", "powershell"])
def test_powershell_starts_what_python_starts(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    for flags, status in ((["--help"], 0), (["--stop", "--unknown"], 2)):
        command = [
            program,
            "-NoProfile",
            "-ExecutionPolicy",
            "Bypass",
            "-File",
            "start-mlops.ps1",
        ]
        done = run(*command, *flags)
        direct = run(sys.executable, "-m", "scripts.start", *flags)
        assert (done.returncode, done.stdout) == (status, direct.stdout), done.stderr
        assert direct.stderr.strip() in done.stderr


@pytest.mark.parametrize(("call", "ending"), BOTH)
@pytest.mark.parametrize(
    ("script", "alone"),
    [("scripts/deploy_local", "mlops-api"), ("scripts/mlflow_ui", "mlflow-server")],
)
@posix
def test_a_service_alone_has_a_script(
    script: str, alone: str, call: Call, ending: str, programs: Path
) -> None:
    done = call(script, "--doctor", "--port-offset", "28500", **first(programs))
    ports = re.findall(r"free for ([\w-]+)", done.stdout)
    assert done.returncode == 0 and ports[0] == alone
    assert set(ports) <= {alone, "mlflow-history"}
    refused = call(script, "--unknown", **first(programs))
    assert refused.returncode == 2 and "--unknown" in refused.stderr


@pytest.mark.parametrize(("call", "ending"), BOTH)
@pytest.mark.parametrize("script", ["start-mlops", "scripts/nox", "scripts/test"])
@posix
def test_without_a_python_that_fits_there_is_one_sentence(
    script: str, call: Call, ending: str, programs: Path
) -> None:
    for name in NAMES:
        put(programs / name, "echo 'Python was not found' >&2; exit 9")
    done = call(script, "-l", **first(programs))
    name = script.rpartition("/")[2].replace("test", "nox")
    sentence = (
        f"{name}.{ending}: found no Python 3.11 to 3.14: install one and run this"
        " again.\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_both_look_for_the_same_pythons_under_the_same_names() -> None:
    texts = [
        (ROOT / "scripts" / f"find-python.{end}").read_text("utf-8")
        for end in ("sh", "ps1")
    ]
    names = re.search(r"for python in (.+); do", texts[0])
    quoted = re.search(r"foreach \(\$name in (.+)\) \{", texts[1])
    assert names and quoted
    assert names[1].split() == list(NAMES) == re.findall(r"'([^']+)'", quoted[1])
    checks = {found for text in texts for found in re.findall(r"-c '(.+?)'", text)}
    (check,) = checks
    for version, fits in {
        (3, 10, 9): 0,
        (3, 11, 0): 0,
        (3, 14, 9): 1,
        (3, 15, 0): 0,
    }.items():
        fits = version >= (3, 11) and version < (3, 15)
        program = check.replace("sys.version_info", repr(version))
        done = subprocess.run([sys.executable, "-c", program], check=False)
        assert done.returncode == (0 if fits else 1), version


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """nox' own environment, as far as the scripts look into it."""
    folder = tmp_path / "environments" / "own"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "requirements" / "nox.txt", folder / "installed.txt")
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
    assert (done.returncode, done.stderr) == (3, "")
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
    assert sentence == f"nox.{ending}: {tmp_path / 'own'} cannot be made: see above."


def test_packages_that_cannot_be_had_are_one_sentence(own: Path) -> None:
    (own / "installed.txt").unlink()
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-m", "scripts.run_nox", "nox.sh", "-l"]
    done = run(*command, NOX_ENVDIR=str(own.parent), **nowhere)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "nox.sh: the packages of requirements/nox.txt cannot be installed: see above."
    )
    assert not (own / "installed.txt").exists()
