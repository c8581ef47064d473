"""The report of a forged history: the same history gives the same bytes, and the right
order.
"""

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from core.git import git
from pipeline import report
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.report.pushes import Runs, gate_reason
from pipeline.verification import open_history
from tests.conftest import make_clone, make_origin
from tests.support import factories

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A clone after three pushes (promoted, promoted, refused) and a rollback; to look
    at only.
    """
    tmp_path = tmp_path_factory.mktemp("report")
    origin = make_origin(tmp_path)
    team = make_clone(origin, "team")
    for number, noise in enumerate((0.3, 0.05, 3.0)):
        folder = tmp_path / f"bundle-{number}"
        factories.bundle(
            folder, git(team.root, "rev-parse", "HEAD"), {"housing": noise}, number + 1
        )
        publish(team, folder, "origin", "main")
    promote(team, "housing", 1, "back | to the start", "origin", "main")
    return make_clone(origin, "after")


def test_writing_it_again_changes_nothing(history: Repo) -> None:
    paths = report.write(history, open_history(history))
    assert git(history.root, "status", "--porcelain") == ""
    names = sorted(path.relative_to(history.root).as_posix() for path in paths)
    assert names == [
        "mlruns/README.md",
        "results/housing.svg",
        "results/model_comparison.csv",
    ]


def test_the_comparison_holds_the_best_run_of_each_algorithm(history: Repo) -> None:
    text = (history.results / "model_comparison.csv").read_text("utf-8")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["task"] == "housing"
    assert row["algorithm"] == "ridge"
    assert row["metric"] == "rmse"
    assert len(row["run_id"]) == 32
    assert row["commit"] == "a" * 40
    assert float(row["holdout_rmse"]) > 0
    assert row["date"] == "2026-11-18"


def test_the_leaderboard_tells_the_story_and_its_links_lead_somewhere(
    history: Repo,
) -> None:
    page = (history.mlruns / "README.md").read_text("utf-8")
    champions, pushes = page.split("### The last")
    assert re.findall(r"^\| (v\d)", champions, re.MULTILINE) == ["v3", "v2", "v1"]
    decisions = re.findall(
        r"(v\d promoted manually|not promoted|promoted as v\d)", pushes
    )
    assert decisions == [
        "v3 promoted manually",
        "not promoted",
        "promoted as v2",
        "promoted as v1",
    ]
    assert "back \\| to the start" in page
    for target in page.split("](")[1:]:
        assert (history.mlruns / target.split(")")[0]).exists()


def test_a_reason_of_an_earlier_version_is_not_read_as_its_opposite(
    history: Repo,
) -> None:
    runs = Runs.read(open_history(history)).of("housing")
    parent = next(run for run in runs if run.tags.get("gate") == "refused")
    old = "better than champion: rmse 0.6 against the champion's 0.5; size: 9 bytes"
    earlier = parent.model_copy(update={"tags": parent.tags | {"gate.reason": old}})
    assert gate_reason(earlier) == f"not better than the champion: {old[22:]}"
    assert gate_reason(parent) == parent.tags["gate.reason"]


def test_the_picture_shows_each_push_and_what_was_in_service(history: Repo) -> None:
    root = ElementTree.parse(history.results / "housing.svg").getroot()
    kinds = [dot.get("class") for dot in root.iter(f"{SVG}circle")]
    assert sorted(kinds) == ["no", "yes", "yes", "yes"]
    (line,) = root.iter(f"{SVG}polyline")
    assert len((line.get("points") or "").split()) == 4


def test_a_history_without_runs_has_a_page_too(clone: Callable[..., Repo]) -> None:
    repo = clone("empty")
    report.write(repo, open_history(repo))
    assert "No run has been published yet." in (repo.mlruns / "README.md").read_text(
        "utf-8"
    )
