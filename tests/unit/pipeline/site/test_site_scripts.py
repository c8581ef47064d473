"""Data files: any text and number comes back as it was."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.site import scripts
from tests.support.site_pages import parse_data

TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    ["__proto__", "</script>", '");alert(1);("', "\u2028", "'"]
)


@given(st.dictionaries(TEXTS, TEXTS | st.none() | st.integers(), max_size=5))
@settings(max_examples=40)
def test_every_text_comes_back(mapping: dict[str, Any]) -> None:
    text = scripts.render("a/2026-11", scripts.pairs(mapping))
    assert text.isascii()
    assert dict(parse_data("a/2026-11", text)) == mapping


@given(st.floats())
def test_a_number_is_one_for_json_and_javascript(value: float) -> None:
    for content in (scripts.number(value), scripts.short_number(value)):
        again = float(content)
        if math.isfinite(value):
            assert math.isclose(again, value, rel_tol=1e-5, abs_tol=1e-300)
        else:
            assert str(again) == str(value)
            assert content in ("NaN", "Infinity", "-Infinity")


def test_a_short_number_is_short() -> None:
    assert scripts.short_number(1 / 3) == 0.333333
    assert str(scripts.short_number(4138.0)) == "4138"
