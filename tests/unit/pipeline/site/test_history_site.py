"""The site of this project's own history: links, size, structure, and its content."""

from pathlib import Path

import pytest

from history import History
from pipeline.repo import Repo
from pipeline.site import site as pages
from pipeline.verification import open_history
from tests.paths import ROOT
from tests.support.site_pages import Page, broken_links, has_run, read_data, read_page

pytestmark = pytest.mark.skipif(
    not (ROOT / "mlruns" / "registry" / "housing").is_dir(),
    reason="this copy has no history of housing",
)
MOST_BYTES = 200_000  # of a page with its styles and scripts, before data
DOCS = "https://example.org/docs/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site; tests must not change it."""
    folder = tmp_path_factory.mktemp("site")
    with open_history(Repo(ROOT)) as opened:
        return pages.write(Repo(ROOT), opened, folder, DOCS).parent


@pytest.fixture(scope="module")
def history() -> History:
    return History.open(ROOT / "mlruns")


def html_pages(site: Path) -> list[Path]:
    return sorted(site.glob("*.html"))


def test_every_link_leads_somewhere(site: Path) -> None:
    assert broken_links(site) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("<h1 id='a'>A</h1>")
    text = "<a href='missing.html'>1</a><a href='other.html#b'>2</a><img src='no.png'>"
    (tmp_path / "index.html").write_text(text)
    assert broken_links(tmp_path) == [
        "index.html: missing.html",
        "index.html: other.html#b",
        "index.html: no.png",
    ]


def test_pages_are_small_and_load_nothing_from_elsewhere(site: Path) -> None:
    for path in html_pages(site):
        page = read_page(path)
        loaded = [element["src"] for element in page.all("script")]
        for element in page.all("link"):
            if element["rel"] == "stylesheet":
                loaded.append(element["href"])
        assert loaded
        size = path.stat().st_size
        for name in loaded:
            size += (site / name).stat().st_size
        assert size <= MOST_BYTES, path.name
    for path in (site / "assets").rglob("*.css"):
        assert "url(" not in path.read_text("utf-8")


def test_pages_can_be_read_without_seeing_them(site: Path) -> None:
    for path in html_pages(site):
        page = read_page(path)
        assert page.all("html") == [{"lang": "en"}]
        assert len(page.all("h1")) == 1
        assert page.all("main") == [{"id": "main", "tabindex": "-1"}]
        first_link, *_ = page.all("a")
        assert first_link == {"class": "skip", "href": "#main"}
        assert all("scope" in head for head in page.all("th")), path.name
        assert all(image["alt"] for image in page.all("img")), path.name
        ids = page.values("id")
        assert len(ids) == len(set(ids)), path.name
        for label in page.values("aria-labelledby"):
            assert label in ids, path.name
        current = page.values("aria-current")
        is_in_navigation = not path.name.startswith(("card-", "data-", "run.html"))
        assert current == ["page"] * is_in_navigation, path.name
        assert DOCS in page.values("href")


def test_the_leaderboard_shows_the_champion(site: Path, history: History) -> None:
    champion = history.champion("housing")
    assert champion
    page = Page(site / "task-housing.html")
    assert f"version {champion.version}" in page.text
    assert f"{champion.metrics['rmse']:.4f}" in page.text
    for promotion in history.promotions("housing"):
        assert f"card-housing-{promotion.version}.html" in page.values("href")


def test_a_card_shows_performance_checks_and_plots(
    site: Path, history: History
) -> None:
    champion = history.champion("housing")
    assert champion
    page = Page(site / f"card-housing-{champion.version}.html")
    assert "This version is in service" in page.text
    assert champion.sha256 in page.text
    for check in champion.checks:
        assert check.name in page.text
    artifacts = history.run(champion.run_id).artifacts
    plots = [file for file in artifacts if file.path.endswith(".png")]
    assert len(page.all("img")) == len(plots) > 0


def test_every_run_is_in_the_file_of_its_day_and_of_its_month(
    site: Path, history: History
) -> None:
    index = read_data(site, "index")
    assert sum(count for entry in index for _, count in entry["days"]) == len(history)
    listed = set()
    for entry in index:
        months = {day[:7] for day, _ in entry["days"]}
        for month in months:
            content = read_data(site, f"{entry['folder']}/{month}")
            for run_id, day, *_ in content["rows"]:
                place = f"{entry['folder']}/{day}/{run_id}"
                assert has_run(site, place)
                listed.add(run_id)
    assert listed == history.folders.keys()


def test_every_push_is_in_the_file_of_its_month(site: Path, history: History) -> None:
    parents = set()
    for run in history.summaries():
        if run.experiment == "housing" and "gate" in run.tags:
            parents.add(run.run_id)
    timeline = read_data(site, "housing/timeline")
    listed = set()
    rows = []
    for month, count in timeline["months"]:
        pushes = read_data(site, f"housing/pushes-{month}")
        assert len(pushes) == count
        for _, place, *rest in pushes:
            assert has_run(site, place)
            listed.add(place.rpartition("/")[2])
            rows.append(rest)
    assert parents <= listed
    assert len(timeline["times"]) == len(rows)
    promoted = [row[3] for row in rows]
    assert sum(promoted) == len(history.promotions("housing"))
    assert timeline["promoted"] == promoted


def test_the_profile_has_the_features_of_the_champion(site: Path) -> None:
    *_, newest = read_data(site, "credit/profile")
    text = Page(site / "data-credit.html").text
    kinds = set()
    for name, column in newest["features"]:
        assert name in text
        shares = column["shares"]
        if "categories" in column:
            kinds.add("category")
            assert len(column["categories"]) == len(shares)
            assert sum(shares) == pytest.approx(1, abs=1e-4)
        else:
            kinds.add("number")
            assert len(column["edges"]) == len(shares)
            assert shares == sorted(shares)
    assert kinds == {"category", "number"}
