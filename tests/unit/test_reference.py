"""The reference pages are what the code says."""

from scripts import reference


def test_the_pages_are_as_the_code_has_them() -> None:
    stale = [path.name for path, text in reference.pages().items() if path.read_text() != text]
    assert stale == [], "run `nox -s docs`"
