"""The reference pages agree with the code."""

from tools import reference


def test_the_pages_are_up_to_date() -> None:
    for path, text in reference.pages().items():
        content = path.read_text("utf-8")
        assert content == text, f"{path.name} is out of date: run `nox -s docs`"
