"""The reference pages are what the code says."""

from tools import reference


def test_the_pages_are_as_the_code_has_them() -> None:
    pages = reference.pages().items()
    stale = [path.name for path, text in pages if path.read_text("utf-8") != text]
    assert stale == [], "run `nox -s docs`"
