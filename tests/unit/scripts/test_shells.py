"""The scripts for PowerShell do the same as the shell scripts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import posix
from tests.paths import ROOT
from tests.unit.scripts.shells import (
    BOTH,
    PWSH,
    Call,
    first,
    powershell,
    put,
    run,
    shell,
)

NAMES = (
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python",
    "py",
)

# One session of PowerShell, which calls the script with each list of arguments and
# prints its output, then its errors. At the end it prints the current folder and a
# variable, which no script may change.
SESSION = """
$env:PYTHONSAFEPATH = '1'
foreach ($case in ConvertFrom-Json $env:CASES) {
    $arguments = @($case | ForEach-Object { $_ })
    $lines = & ./start-mlops.ps1 @arguments 2>&1
    # The two streams come through pipes of their own, so in any order.
    $isError = { $_ -is [System.Management.Automation.ErrorRecord] }
    Write-Output ($lines | Where-Object { -not (& $isError) } | Out-String -Width 500)
    Write-Output ($lines | Where-Object $isError | Out-String -Width 500)
    Write-Output "<status $LASTEXITCODE>"
}
Write-Output "$((Get-Location).Path) $env:PYTHONSAFEPATH"
"""
CASES = [
    ["--help"],
    ["--doctor", "--local", "--port-offset", "12000", "--without", "mlops-api"],
    ["--status", "--port-offset", "12000"],
    ["--stop", "--port-offset=12000"],
    ["--logs", "no such"],
    ["--key"],
    ["--stop", "--status"],
    ["--port-offset", "many"],
    ["--port-offset", "70000", "--local"],
    ["--local", "--with", "alerts"],
    ["--an unknown flag"],
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for the PATH, with a Docker that does not run."""
    folder = tmp_path / "programs"
    folder.mkdir()
    put(folder / "docker", "exit 1")
    return folder


@posix
@powershell
@pytest.mark.slow
def test_the_start_scripts_say_the_same(programs: Path, tmp_path: Path) -> None:
    session = tmp_path / "session.ps1"
    session.write_text(SESSION, "utf-8")
    variables = first(programs) | {"API_ADMIN_KEY": "a key of the user's own"}
    expected = ""
    for case in CASES:
        done = shell("start-mlops", *case, **variables)
        expected += f"{done.stdout}{done.stderr}<status {done.returncode}>\n"
    expected += f"{ROOT} 1\n"
    variables["CASES"] = json.dumps(CASES)
    done = run(PWSH, "-NoProfile", "-File", str(session), **variables)
    assert comparable(done.stdout) == comparable(expected)


def comparable(output: str) -> list[str]:
    """Return the lines without the free space, which changes, and without blank lines."""
    lines = []
    for line in output.splitlines():
        if line.strip():
            lines.append(re.sub(r"[\d.]+ GB free", "", line.rstrip()))
    return lines


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("-s course -- start --student ann", "course -- start --student ann"),
        ("-s course '--' 3", "course -- 3"),
        ('-s course -- "a b" $number', "course -- a b 4"),
        ("-s a; {script} -s course -- 1", "course -- 1"),
        ("-s course --", "course --"),
        ("-s course -- 0 -- x", "course -- 0 -- x"),
        ("-s lint", "lint"),
    ],
)
@powershell
@posix
@pytest.mark.slow
def test_nox_gets_the_double_dash_that_powershell_consumes(
    typed: str, words: str, programs: Path
) -> None:
    # It stands in for Python: the first call asks for the version.
    put(programs / "python3", 'case "$1" in -c) exit 0 ;; esac; echo "$@"')
    script = "./scripts/nox.ps1"
    line = f"$number = 4; {script} {typed.format(script=script)}"
    done = run(PWSH, "-NoProfile", "-Command", line, **first(programs))
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == f"-m scripts.run_nox nox.ps1 -s {words}"


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
        assert done.returncode == status, done.stderr
        assert done.stdout == direct.stdout, done.stderr
        assert direct.stderr.strip() in done.stderr


@pytest.mark.parametrize(("call", "ending"), BOTH)
@pytest.mark.parametrize(
    ("script", "alone"),
    [
        ("scripts/deploy_local", "mlops-api"),
        ("scripts/mlflow_ui", "mlflow-server"),
    ],
)
@posix
def test_a_service_alone_has_a_script(
    script: str, alone: str, call: Call, ending: str, programs: Path
) -> None:
    done = call(script, "--doctor", "--port-offset", "12500", **first(programs))
    ports = re.findall(r"free for ([\w-]+)", done.stdout)
    assert done.returncode == 0
    assert ports[0] == alone
    assert set(ports) <= {alone, "mlflow-history"}
    refused = call(script, "--unknown", **first(programs))
    assert refused.returncode == 2
    assert "--unknown" in refused.stderr


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
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == sentence


def test_both_look_for_the_same_pythons_under_the_same_names() -> None:
    in_shell = (ROOT / "scripts" / "find-python.sh").read_text("utf-8")
    in_powershell = (ROOT / "scripts" / "find-python.ps1").read_text("utf-8")
    names = re.search(r"for python in (.+); do", in_shell)
    assert names
    assert names[1].split() == list(NAMES)
    quoted = re.search(r"foreach \(\$name in (.+)\) \{", in_powershell)
    assert quoted
    assert re.findall(r"'([^']+)'", quoted[1]) == list(NAMES)


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ((3, 10, 9), 1),
        ((3, 11, 0), 0),
        ((3, 14, 9), 0),
        ((3, 15, 0), 1),
    ],
)
def test_both_accept_the_same_versions(
    version: tuple[int, int, int], status: int
) -> None:
    checks = set()
    for ending in ("sh", "ps1"):
        script = ROOT / "scripts" / f"find-python.{ending}"
        checks |= set(re.findall(r"-c '(.+?)'", script.read_text("utf-8")))
    (check,) = checks
    program = check.replace("sys.version_info", repr(version))
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == status
