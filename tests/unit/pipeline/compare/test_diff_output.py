"""The comparison as text, JSON and a page."""

import base64
import json
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.cli import main
from pipeline.compare import page, text
from pipeline.compare.comparison import Comparison, Entry, Measured, MetricEntry, Side
from tests.support.trained_runs import PICTURE
from tests.unit.pipeline.compare.versions import Versions

SIDE = Side("a [b] <script>", "f" * 32, "dummy", "c" * 40, "2026-11-29")
ADDRESS = re.compile(r"""(?:src|href)=["']([^"']*)""")


def comparison() -> Comparison:
    return Comparison(
        task="iris",
        a=SIDE,
        b=SIDE,
        parameters=[
            Entry("depth", "[red]3", None),
            Entry("seed", "1", "1"),
        ],
        data=[Entry("digest", "d" * 64, "e" * 64)],
        made_with=[],
        metrics=[MetricEntry("holdout_rmse", Measured(0.5, 0.4, 0.6), None, None, "")],
        predictions=None,
        no_predictions="the <data> are not here",
    )


def diff(
    versions: Versions, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> int | str | None:
    """Run the command line, and return its exit status."""
    root = str(versions.runs.repo.root)
    command = ["pipeline", "--repo", root, "diff", *arguments]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code or 0


def test_the_output_is_plain_where_there_is_no_terminal(
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert diff(versions, monkeypatch, "iris@1", "iris@2") == 0
    output = capsys.readouterr().out
    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[:2] == ["iris", f"A is {lines[1].removeprefix('A is ')}"]
    assert re.search(r"^n_estimators +3 +9$", "\n".join(lines), re.MULTILINE)
    assert "\x1b" not in output
    assert "─" not in output


def test_json_has_everything_but_the_pictures(
    versions: Versions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert diff(versions, monkeypatch, "iris@1", "iris@2", "--json") == 0
    (content,) = json.loads(capsys.readouterr().out)
    assert content["task"] == "iris"
    assert content["b"]["run_id"] == versions.second.run_id
    assert content["predictions"]["rows"] > 30
    assert "plots" not in content


def test_the_page_needs_nothing_else(
    versions: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new" / "diff.html"
    assert diff(versions, monkeypatch, "iris@1", "iris@2", "--html", str(target)) == 0
    content = target.read_text("utf-8")
    picture = base64.b64encode(PICTURE).decode()
    assert ADDRESS.findall(content) == [f"data:image/png;base64,{picture}"] * 2
    assert "<script" not in content
    assert "url(" not in content


def test_a_folder_is_not_taken_for_the_page(
    versions: Versions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert diff(versions, monkeypatch, "iris", "iris", "--html", str(tmp_path)) == 2
    message = f"error: {tmp_path} is a folder: name a file for the page.\n"
    assert capsys.readouterr().err == message


def test_texts_of_a_run_are_shown_as_they_are(tmp_path: Path) -> None:
    console = Console(width=200, force_terminal=True, color_system=None)
    with console.capture() as capture:
        text.show(console, comparison())
    output = capture.get()
    assert "a [b] <script>" in output
    assert "[red]3" in output
    assert "0.5 (0.4 to 0.6)" in output
    assert "values that are equal: 1" in output
    page.write(tmp_path / "diff.html", [comparison()])
    content = (tmp_path / "diff.html").read_text("utf-8")
    assert "<script>" not in content
    assert "the &lt;data&gt; are not here" in content
    assert "Neither run has a plot." in content
