"""The outputs of a step in a workflow."""

from pathlib import Path

import pytest

from scripts.ci.outputs import put


def test_outputs_are_added_to_those_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outputs"
    file.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(file))
    put(api="a@sha256:1")
    assert file.read_text("utf-8") == "before=1\napi=a@sha256:1\n"
    assert capsys.readouterr().err == "api=a@sha256:1\n"
