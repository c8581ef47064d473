"""The page of the dashboard: complete, readable, and unable to run what it shows."""

import base64
import hashlib
import re

import pytest

from app.routes.dashboard import read

PAGE, POLICY = read()
SCHEMES = PAGE.split("dark) {")[:2]
LOADS = r"\bsrc\s*=|@import|url\(|<(?:link|img|iframe|object|embed|form)\b"
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\("
HANDLERS = r"\son\w+="
SIGNS = [
    "✓ no drift",
    "▲ drift",
    "✓ under",
    "▲ over",
    "✓ ok",
    "✕ not ready",
    "✕ No answer",
]
# The contrast that WCAG asks of text, and of charts.
TEXT = 4.5
CHARTS = 3


def test_the_page_loads_nothing_from_elsewhere() -> None:
    addresses = set(re.findall(r"\w+://[^\s\"'<>)]+", PAGE))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert re.findall(LOADS, PAGE) == []
    links = set(re.findall(r'href="([^"]*)"', PAGE))
    assert links == {"docs", "models", "metrics", "health", "dashboard/figures"}


def test_the_page_turns_no_data_into_markup() -> None:
    assert re.findall(f"{MARKUP}|{HANDLERS}", PAGE) == []


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules.pop("connect-src") == "'self'"
    for kind in ("style", "script"):
        (text,) = re.findall(rf"(?s)<{kind}>(.*?)</{kind}>", PAGE)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert rules == dict.fromkeys(["default-src", "base-uri", "form-action"], "'none'")


@pytest.mark.parametrize("sign", SIGNS)
def test_a_state_has_a_sign_beside_its_color(sign: str) -> None:
    assert sign in PAGE


def test_every_color_has_one_for_dark_screens() -> None:
    light, dark = (set(re.findall(r"(--\w+): #", part)) for part in SCHEMES)
    assert light == dark


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_text_and_charts_stand_out_from_the_background(scheme: str) -> None:
    style = scheme.split("body {")[0]
    colors = dict(re.findall(r"--(\w+): #([0-9a-f]+);", style))
    assert len(colors) == 14
    for name in colors.keys() - {"back", "card", "line"}:
        # Links have the color c0.
        is_chart = name.startswith("c") and name != "c0"
        least = CHARTS if is_chart else TEXT
        for background in ("back", "card"):
            assert contrast(colors[name], colors[background]) >= least, name


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors as WCAG defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance of a color such as `fff` or `f6f8fa`."""
    if len(color) == 3:
        color = "".join(digit * 2 for digit in color)
    red = linear(color[0:2])
    green = linear(color[2:4])
    blue = linear(color[4:6])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(digits: str) -> float:
    value = int(digits, 16) / 255
    if value <= 0.04045:
        return value / 12.92
    return float(((value + 0.055) / 1.055) ** 2.4)
