"""Data in a page: whatever they contain, a browser reads them back and runs nothing."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.asgi.html_page import DATA, with_data

EMPTY_DATA = DATA.format(name="page", text="null")
PAGE = f"<main></main>{EMPTY_DATA}<script>1</script>"
ELEMENT = r'(?s)<script type="application/json" id="page">(.*?)</script>'
TEXTS = st.text() | st.sampled_from(["</script><img src=x>", "<!--", "\u2028"])
LEAVES = TEXTS | st.none() | st.booleans() | st.integers(-(2**31), 2**31)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=4,
)


def data_of(page: str) -> Any:
    (text,) = re.findall(ELEMENT, page)
    return json.loads(text)


@settings(max_examples=30)
@given(VALUES)
def test_data_are_read_as_they_were_written(value: Any) -> None:
    page = with_data(PAGE, "page", value)
    assert data_of(page) == value
    assert page.count("<") == PAGE.count("<")


def test_a_number_that_json_does_not_have_is_null() -> None:
    page = with_data(PAGE, "page", {"value": float("nan")})
    assert data_of(page) == {"value": None}
