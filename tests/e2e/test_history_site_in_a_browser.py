"""The pages of the history in a real browser, opened from the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from history import History
from pipeline.repo import Repo
from pipeline.site import site as pages
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.browser import in_a_browser
from tests.support.history_factories import STARTED, add_run, new_workspace
from tests.support.site_browser import (
    DESKTOP,
    PHONE,
    addresses,
    browsing,
    write_own_site,
)
from tools.browser import Page

pytestmark = [pytest.mark.slow, in_a_browser, posix]
MARKUP = "<img src=x onerror=alert(1)>"
RUNS = 120  # more than the rows of one page of a table
TEXT = "document.querySelector('main').innerText"
FOCUSED = "document.activeElement"
COMPARE_LINK = "document.querySelector('#runs p[role=status] a')"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def many_runs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a site of runs that no pipeline made."""
    root = tmp_path_factory.mktemp("many")
    workspace = new_workspace(root / "copy")
    for number in range(RUNS):
        add_run(
            workspace.mlruns,
            name=f"run {number} {MARKUP}",
            started=STARTED + number * 1000,
            params={"depth": str(number), MARKUP: MARKUP},
            metrics={"loss": [(1 / (number + 1), 0, 0), (0.5, 1, 1)]},
        )
    with workspace.history() as history:
        first = pages.write(Repo(workspace.root), history, root / "site")
    return first.parent.as_uri()


@pytest.mark.skipif(
    not (ROOT / "mlruns" / "registry" / "housing").is_dir(),
    reason="this copy has no history of housing",
)
def test_every_page_opens_from_the_disk_and_works_with_the_keyboard(
    page: Page, tmp_path: Path
) -> None:
    site = write_own_site(tmp_path / "site")
    history = History.open(ROOT / "mlruns")
    for width, height, scheme in ((*DESKTOP, "light"), (*PHONE, "dark")):
        page.look(width, height, scheme)
        for address in addresses(site, history):
            page.open(address)
            assert page.faults == [], address
            assert page.run("document.querySelector('[role=alert]')") is None
            assert page.run("document.documentElement.scrollWidth") == width, address
    champion = history.champion("housing")
    assert champion
    run = history.run(champion.run_id)
    _, task, *_, run_page, _, compare, _ = addresses(site, history)

    page.open(run_page)
    text = page.run(TEXT)
    for name, value in run.params.items():
        assert f"{name}\t{value}" in text
    assert f"housing v{champion.version}" in text
    page.open(compare)
    algorithm = run.params["algorithm"]
    assert f"algorithm\t{algorithm}\t–\tdiffers" in page.run(TEXT)

    page.open(task)
    page.press("Tab")
    assert page.run(f"{FOCUSED}.textContent") == "Skip to the content"
    page.press("Enter")
    assert page.run(f"{FOCUSED}.id") == "main"
    page.run("document.querySelector('.chart').focus()")
    page.press("ArrowRight")
    read_out = page.run("document.querySelector('#timeline [role=status]').innerText")
    assert "promoted; in service" in read_out


@pytest.mark.nightly
def test_the_runs_are_filtered_sorted_and_turned_like_pages(
    page: Page, many_runs: str
) -> None:
    page.look(*DESKTOP)
    page.open(f"{many_runs}/runs.html")
    assert "Rows 1 to 50 of 120" in page.run(TEXT)
    page.run("document.querySelectorAll('.pager button')[1].focus()")
    page.press("Enter")
    assert "Rows 51 to 100 of 120" in page.run(TEXT)
    page.run("document.querySelector('[data-column=loss]').focus()")
    page.press("Enter")
    assert page.run("document.querySelectorAll('[aria-sort]').length") == 1
    assert page.run(f"{FOCUSED}.dataset.column") == "loss"
    filter_input = "document.querySelector('input[type=search]')"
    page.run(f"{filter_input}.value = 'depth=119'")
    page.run(f"{filter_input}.dispatchEvent(new Event('input'))")
    assert "Rows 1 to 1 of 1" in page.run(TEXT)
    assert page.faults == []


@pytest.mark.nightly
def test_two_marked_runs_are_compared(page: Page, many_runs: str) -> None:
    page.open(f"{many_runs}/runs.html")
    for number in (0, 1):
        box = f"document.querySelectorAll('input[type=checkbox]')[{number}]"
        page.run(f"{box}.focus()")
        page.press("Space")
    link = page.run(f"{COMPARE_LINK}.href")
    page.open(link)
    text = page.run(TEXT)
    assert "depth\t119\t118\tdiffers" in text
    assert "loss by step" in text
    assert page.faults == []


@pytest.mark.nightly
def test_markup_of_users_stays_text(page: Page, many_runs: str) -> None:
    page.open(f"{many_runs}/runs.html")
    assert MARKUP in page.run(TEXT)
    link = page.run("document.querySelector('tbody th a').href")
    for address in (link, f"{many_runs}/parallel.html", f"{many_runs}/compare.html"):
        page.open(address)
        assert page.run("document.images.length") == 0
        assert page.faults == []
    page.open(link)
    assert MARKUP in page.run("document.querySelector('h1').innerText")


@pytest.mark.nightly
@pytest.mark.parametrize(
    "place",
    ["", "nothing", "../../x", f"housing/2026-11-18/{'f' * 32}", "%E0%A4%A"],
)
def test_an_address_that_names_no_run_is_one_sentence(
    page: Page, many_runs: str, place: str
) -> None:
    page.open(f"{many_runs}/run.html#{place}")
    shown = page.run("document.querySelector('[role=alert]').innerText")
    assert shown.startswith("The address names no run of this site")
    assert page.faults == []


@pytest.mark.nightly
def test_a_data_file_that_is_gone_is_one_sentence(page: Page, tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path / "copy")
    add_run(workspace.mlruns)
    with workspace.history() as history:
        first = pages.write(Repo(workspace.root), history, tmp_path / "site")
    (first.parent / "data" / "index.js").unlink()
    page.open(f"{first.parent.as_uri()}/runs.html")
    shown = page.run("document.querySelector('[role=alert]').innerText")
    assert shown == "The file data/index.js cannot be read: write the site again."
    page.faults.clear()
