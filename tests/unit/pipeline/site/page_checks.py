"""Checks that a page can be read without seeing it, with a keyboard and a screen reader."""

from tests.support.site_pages import Page


def check_page(page: Page, name: str) -> None:
    """Check a page; its name tells whether the navigation lists it."""
    check_structure(page)
    check_texts(page, name)
    check_ids(page, name)
    check_navigation(page, name)


def check_structure(page: Page) -> None:
    """Check the language, the one title, and the way past the navigation."""
    (document,) = page.all("html")
    assert document == {"lang": "en"}
    titles = page.all("h1")
    assert len(titles) == 1
    (main,) = page.all("main")
    assert main == {"id": "main", "tabindex": "-1"}
    first_link, *_ = page.all("a")
    assert first_link == {"class": "skip", "href": "#main"}


def check_texts(page: Page, name: str) -> None:
    """Check that the heads of tables have a scope, and pictures a text."""
    for head in page.all("th"):
        assert "scope" in head, name
    for image in page.all("img"):
        assert image["alt"], name


def check_ids(page: Page, name: str) -> None:
    """Check that no two elements have the same id, and that labels exist."""
    ids = page.values("id")
    distinct = set(ids)
    assert len(ids) == len(distinct), name
    for label in page.values("aria-labelledby"):
        assert label in distinct, name


def check_navigation(page: Page, name: str) -> None:
    """Check that the navigation marks the page if it lists it."""
    current = page.values("aria-current")
    is_in_navigation = not name.startswith(("card-", "data-", "run.html"))
    expected = ["page"] if is_in_navigation else []
    assert current == expected, name
