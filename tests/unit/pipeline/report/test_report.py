"""The report of a forged history: its content, its order, and the same bytes again."""

import csv
import re
import xml.etree.ElementTree as ElementTree

import pytest

from core.git import git
from pipeline import report, tasks
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.report.pushes import Runs, events
from pipeline.report.templates import render
from pipeline.verification import open_history
from tests.conftest import Clone, make_clone, make_origin
from tests.support import factories

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Return a clone after three pushes (promoted, promoted, refused) and a rollback.

    Tests must not change it.
    """
    tmp_path = tmp_path_factory.mktemp("report")
    origin = make_origin(tmp_path)
    team = make_clone(origin, "team")
    commit = git(team.root, "rev-parse", "HEAD")
    noises = [0.3, 0.05, 3.0]
    for seed, noise in enumerate(noises, start=1):
        folder = tmp_path / f"bundle-{seed}"
        factories.bundle(folder, commit, {"housing": noise}, seed)
        publish(team, folder, "origin", "main")
    promote(team, "housing", 1, "back | to the start", "origin", "main")
    return make_clone(origin, "after")


def test_writing_it_again_changes_nothing(history: Repo) -> None:
    paths = report.write(history, open_history(history))
    assert git(history.root, "status", "--porcelain") == ""
    names = []
    for path in paths:
        name = path.relative_to(history.root).as_posix()
        names.append(name)
    names.sort()
    assert names == [
        "mlruns/README.md",
        "results/housing.svg",
        "results/model_comparison.csv",
    ]


def test_the_comparison_holds_the_best_run_of_each_algorithm(history: Repo) -> None:
    table = history.results / "model_comparison.csv"
    lines = table.read_text("utf-8").splitlines()
    (row,) = csv.DictReader(lines)
    assert row["task"] == "housing"
    assert row["algorithm"] == "ridge"
    assert row["metric"] == "rmse"
    assert len(row["run_id"]) == 32
    assert row["commit"] == "a" * 40
    assert float(row["holdout_rmse"]) > 0
    assert row["date"] == "2026-11-18"


def test_the_leaderboard_lists_champions_and_pushes(history: Repo) -> None:
    page = (history.mlruns / "README.md").read_text("utf-8")
    champions, pushes = page.split("### The last")
    assert re.findall(r"^\| (v\d)", champions, re.MULTILINE) == ["v3", "v2", "v1"]
    decision = r"(v\d promoted manually|not promoted|promoted as v\d)"
    assert re.findall(decision, pushes) == [
        "v3 promoted manually",
        "not promoted",
        "promoted as v2",
        "promoted as v1",
    ]
    assert "back \\| to the start" in page


def test_the_links_of_the_leaderboard_lead_to_files(history: Repo) -> None:
    page = (history.mlruns / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\((.*?)\)", page)
    assert targets
    for target in targets:
        assert (history.mlruns / target).exists()


def test_the_leaderboard_rewords_the_reasons_of_earlier_versions(
    history: Repo,
) -> None:
    opened = open_history(history)
    task = tasks.load("housing")
    runs = Runs.read(opened)
    (refused,) = [
        run for run in runs.of("housing") if run.tags.get("gate") == "refused"
    ]
    earlier = "better than champion: it is the champion's very file, a tie"
    refused.tags["gate.reason"] = earlier
    first, *others = opened.promotions("housing")
    first = first.model_copy(update={"reason": "there is no champion yet"})
    versions = [first, *others]
    pushes = events(task, runs, versions)
    page = render(
        "leaderboard.md", sections=[(task, versions, pushes)], runs=runs, shown=20
    )
    assert "| the challenger's ONNX file is identical to the champion's |" in page
    assert "| there was no champion to compare it with |" in page
    assert "better than champion" not in page
    assert "no champion yet" not in page


def test_the_picture_shows_each_push_and_what_was_in_service(history: Repo) -> None:
    root = ElementTree.parse(history.results / "housing.svg").getroot()
    circles = root.iter(f"{SVG}circle")
    dots = [circle.get("class", "") for circle in circles]
    assert sorted(dots) == ["no", "yes", "yes", "yes"]
    (line,) = root.iter(f"{SVG}polyline")
    points = line.get("points", "")
    assert len(points.split()) == 4


def test_a_history_without_runs_has_a_page_too(clone: Clone) -> None:
    repo = clone("empty")
    report.write(repo, open_history(repo))
    page = (repo.mlruns / "README.md").read_text("utf-8")
    assert "No run has been published yet." in page
