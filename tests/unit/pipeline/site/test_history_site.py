"""The site of this project's own history: links, size, structure, and its content."""

from pathlib import Path
from typing import Any

import pytest

from history import History
from history.registry import Promotion
from pipeline.repo import Repo
from pipeline.site import site as pages
from pipeline.verification import open_history
from tests.paths import ROOT
from tests.support.site_pages import (
    Page,
    broken_links,
    has_run,
    read_data,
    read_page,
)
from tests.unit.pipeline.site.page_checks import check_page

HOUSING = ROOT / "mlruns" / "registry" / "housing"
pytestmark = pytest.mark.skipif(
    not HOUSING.is_dir(),
    reason="this copy has no history of housing",
)
MOST_BYTES = 200_000  # of a page with its styles and scripts, before data
DOCS = "https://example.org/docs/"
Content = dict[str, Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site; tests must not change it."""
    folder = tmp_path_factory.mktemp("site")
    repo = Repo(ROOT)
    with open_history(repo) as opened:
        index = pages.write(repo, opened, folder, DOCS)
    return index.parent


@pytest.fixture(scope="module")
def history() -> History:
    return History.open(ROOT / "mlruns")


def html_pages(site: Path) -> list[Path]:
    paths = site.glob("*.html")
    return sorted(paths)


def champion_of(history: History, task: str) -> Promotion:
    champion = history.champion(task)
    assert champion
    return champion


def test_every_link_leads_somewhere(site: Path) -> None:
    assert broken_links(site) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    index = tmp_path / "index.html"
    other = tmp_path / "other.html"
    other.write_text("<h1 id='a'>A</h1>")
    text = "<a href='missing.html'>1</a><a href='other.html#b'>2</a><img src='no.png'>"
    index.write_text(text)
    assert broken_links(tmp_path) == [
        "index.html: missing.html",
        "index.html: other.html#b",
        "index.html: no.png",
    ]


def loaded_files(page: Page) -> list[str]:
    """Return the scripts and the styles of a page."""
    scripts = page.all("script")
    loaded = [script["src"] for script in scripts]
    for link in page.all("link"):
        if link["rel"] == "stylesheet":
            loaded.append(link["href"])
    return loaded


def test_pages_are_small_and_load_nothing_from_elsewhere(site: Path) -> None:
    for path in html_pages(site):
        page = read_page(path)
        loaded = loaded_files(page)
        assert loaded
        size = path.stat().st_size
        for name in loaded:
            file = site / name
            size += file.stat().st_size
        assert size <= MOST_BYTES, path.name
    assets = site / "assets"
    for path in assets.rglob("*.css"):
        style = path.read_text("utf-8")
        assert "url(" not in style


def test_pages_can_be_read_without_seeing_them(site: Path) -> None:
    for path in html_pages(site):
        page = read_page(path)
        check_page(page, path.name)
        links = page.values("href")
        assert DOCS in links


def test_the_leaderboard_shows_the_champion(site: Path, history: History) -> None:
    champion = champion_of(history, "housing")
    page = Page(site / "task-housing.html")
    error = champion.metrics["rmse"]
    assert f"version {champion.version}" in page.text
    assert f"{error:.4f}" in page.text
    links = page.values("href")
    for promotion in history.promotions("housing"):
        card = f"card-housing-{promotion.version}.html"
        assert card in links


def test_a_card_shows_performance_checks_and_plots(
    site: Path,
    history: History,
) -> None:
    champion = champion_of(history, "housing")
    version = champion.version
    page = Page(site / f"card-housing-{version}.html")
    assert "This version is in service" in page.text
    assert champion.sha256 in page.text
    for check in champion.checks:
        assert check.name in page.text
    run = history.run(champion.run_id)
    plots = []
    for artifact in run.artifacts:
        if artifact.path.endswith(".png"):
            plots.append(artifact)
    images = page.all("img")
    assert plots
    assert len(images) == len(plots)


def count_runs(index: list[Content]) -> int:
    """Return how many runs the days of all experiments have."""
    total = 0
    for entry in index:
        for _, count in entry["days"]:
            total += count
    return total


def test_every_run_is_in_the_file_of_its_day_and_of_its_month(
    site: Path,
    history: History,
) -> None:
    index = read_data(site, "index")
    assert count_runs(index) == len(history)
    listed = set()
    for entry in index:
        folder = entry["folder"]
        months = {day[:7] for day, _ in entry["days"]}
        for month in months:
            content = read_data(site, f"{folder}/{month}")
            for run_id, day, *_ in content["rows"]:
                place = f"{folder}/{day}/{run_id}"
                assert has_run(site, place)
                listed.add(run_id)
    assert listed == history.folders.keys()


def trainings(history: History, task: str) -> set[str]:
    """Return the runs of trainings about which the gate decided."""
    run_ids = set()
    for run in history.summaries():
        if run.experiment == task and "gate" in run.tags:
            run_ids.add(run.run_id)
    return run_ids


def test_every_push_is_in_the_file_of_its_month(site: Path, history: History) -> None:
    parents = trainings(history, "housing")
    promotions = history.promotions("housing")
    timeline = read_data(site, "housing/timeline")
    listed = set()
    promoted = []
    for month, count in timeline["months"]:
        pushes = read_data(site, f"housing/pushes-{month}")
        assert len(pushes) == count
        for push in pushes:
            place = push[1]
            assert has_run(site, place)
            _, _, run_id = place.rpartition("/")
            listed.add(run_id)
            promoted.append(push[5])
    assert parents <= listed
    assert len(timeline["times"]) == len(promoted)
    assert sum(promoted) == len(promotions)
    assert timeline["promoted"] == promoted


def check_categories(column: Content) -> None:
    """Check that each category has a share, and all together one."""
    shares = column["shares"]
    categories = column["categories"]
    assert len(categories) == len(shares)
    total = sum(shares)
    assert total == pytest.approx(1, abs=1e-4)


def check_edges(column: Content) -> None:
    """Check that each edge has the share of the values below it."""
    shares = column["shares"]
    edges = column["edges"]
    assert len(edges) == len(shares)
    assert shares == sorted(shares)


def test_the_profile_has_the_features_of_the_champion(site: Path) -> None:
    *_, newest = read_data(site, "credit/profile")
    page = Page(site / "data-credit.html")
    kinds = set()
    for name, column in newest["features"]:
        assert name in page.text
        if "categories" in column:
            kinds.add("category")
            check_categories(column)
        else:
            kinds.add("number")
            check_edges(column)
    assert kinds == {"category", "number"}
