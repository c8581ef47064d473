"""The page of the dashboard; `test_own_pages.py` has the rules for every page."""

import pytest

from app.routes.dashboard import read

PAGE, _ = read()
SIGNS = [
    "✓ no drift",
    "▲ drift",
    "✓ under",
    "▲ over",
    "✓ ok",
    "✕ not ready",
    "✕ No answer",
]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_state_has_a_sign_beside_its_color(sign: str) -> None:
    assert sign in PAGE
