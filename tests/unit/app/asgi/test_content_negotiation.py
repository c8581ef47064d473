"""Whether a client gets HTML or JSON, by its header `Accept`."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from app.asgi.content_negotiation import prefers_html

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NAMES = ("text/html", "text/*", "application/json", "application/*", "*/*", "a/b")
WEIGHTS = ("", ";q=1", ";q=0.5", "; q=0.3", ";q=0", ";charset=utf-8;q=0.7")


def prefers(*accept: str) -> bool:
    lines = [(b"accept", line.encode("latin-1")) for line in accept]
    return prefers_html(Headers(raw=lines))


@pytest.mark.parametrize(
    "accept",
    [
        CHROMIUM,
        FIREFOX,
        "text/html",
        "TEXT/HTML",
        "text/*",
        "text/html;charset=utf-8",
        "text/html, application/json;q=0.9",
        "application/json;q=0.1, text/html;q=0.2",
        "application/json;q=0, */*",
    ],
)
def test_a_client_that_prefers_html_gets_it(accept: str) -> None:
    assert prefers(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",  # curl, wget, Python's requests and httpx
        "application/json",
        "application/json, text/plain, */*",  # axios
        "text/html, application/json",
        "text/html;q=0.5, application/*",
        "text/html;q=0",
        "text/html;q=0, */*",
        "text/html;q=much",
        "text/plain",
        "image/*",
        ",;,=",
    ],
)
def test_every_other_client_gets_json(accept: str) -> None:
    assert not prefers(accept)


def test_a_client_without_the_header_gets_json() -> None:
    assert not prefers()


def test_lines_of_the_same_header_count_together() -> None:
    assert prefers("application/json;q=0.5", "text/html")
    assert not prefers("text/html", "application/json")


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WEIGHTS)),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_types_does_not_matter(
    weights: dict[str, str], random: Random
) -> None:
    ranges = [name + weight for name, weight in weights.items()]
    preferred = prefers(", ".join(ranges))
    random.shuffle(ranges)
    assert prefers(", ".join(ranges)) == preferred


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_is_an_error(accept: str) -> None:
    assert prefers(accept) in (True, False)
