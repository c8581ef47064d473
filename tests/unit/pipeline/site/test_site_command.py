"""`pipeline report --site`: what it prints, and its errors in one sentence each."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from history import layout
from pipeline.cli import main
from tests.support.promoted_history import PromotedHistory

Report = Callable[..., tuple[int, str, str]]


@pytest.fixture
def promoted(tmp_path: Path) -> PromotedHistory:
    return PromotedHistory(tmp_path / "copy")


@pytest.fixture
def report(
    promoted: PromotedHistory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Report:
    """Return a function that runs the command: status, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        root = str(promoted.repo.root)
        monkeypatch.setattr(sys, "argv", ["pipeline", "--repo", root, "report"])
        sys.argv += arguments
        with pytest.raises(SystemExit) as caught:
            main()
        output, errors = capsys.readouterr()
        return int(caught.value.code or 0), output, errors

    return run


def test_it_prints_the_first_page_and_changes_nothing_else(
    report: Report, promoted: PromotedHistory, tmp_path: Path
) -> None:
    def files() -> set[str]:
        paths = promoted.repo.root.rglob("*")
        return {path.as_posix() for path in paths if "build" not in path.parts}

    before = files()
    site = tmp_path / "site"
    output = f"{site / 'index.html'}\n"
    assert report("--site", str(site)) == (0, output, "")
    assert files() == before
    card = (site / "card-housing-1.html").read_text("utf-8")
    assert "The manifest of this version was not kept" in card
    status, _, _ = report("--site", str(site))
    assert status == 0


def test_a_folder_of_something_else_is_refused(report: Report, tmp_path: Path) -> None:
    status, output, errors = report("--site", str(tmp_path / "copy"))
    assert status == 2
    assert output == ""
    assert "copy is not empty, and not a site that this command wrote" in errors
    assert errors.count("\n") == 1


def test_a_file_is_refused(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "site"
    file.touch()
    status, _, errors = report("--site", str(file))
    assert status == 2
    assert f"{file} is a file: name a folder" in errors


def test_a_link_to_the_documentation_needs_a_site(report: Report) -> None:
    status, _, errors = report("--docs", "../")
    assert status == 2
    assert "give --site, too" in errors


def test_a_history_without_runs_is_refused_and_no_site_is_left(
    report: Report, promoted: PromotedHistory, tmp_path: Path
) -> None:
    for name in layout.folders(promoted.repo.mlruns):
        (promoted.repo.mlruns / name).rename(tmp_path / name)
    status, _, errors = report("--site", str(tmp_path / "site"))
    assert status == 1
    assert "mlruns has no run: train and publish first" in errors
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("arguments", [[], ["--site", "site"]])
def test_a_promoted_run_that_is_not_checked_out_is_named(
    report: Report, promoted: PromotedHistory, tmp_path: Path, arguments: list[str]
) -> None:
    promoted.folder.rename(tmp_path / "elsewhere")
    status, _, errors = report(*arguments)
    assert status == 1
    assert f"does not have the run {promoted.run.run_id} of housing v1" in errors
    assert "git sparse-checkout disable" in errors
