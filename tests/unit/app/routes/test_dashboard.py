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
    assert re.findall(MARKUP, PAGE) == []
    assert re.findall(HANDLERS, PAGE) == []


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "connect-src": "'self'",
        "style-src": f"'sha256-{digest_of('style')}'",
        "script-src": f"'sha256-{digest_of('script')}'",
    }


def digest_of(element: str) -> str:
    """Return the digest of the page's only style or script, as a policy has it."""
    (text,) = re.findall(rf"(?s)<{element}>(.*?)</{element}>", PAGE)
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize("sign", SIGNS)
def test_a_state_has_a_sign_beside_its_color(sign: str) -> None:
    assert sign in PAGE


def test_every_color_has_one_for_dark_screens() -> None:
    light, dark = SCHEMES
    pattern = r"(--\w+): #"
    light_colors = re.findall(pattern, light)
    dark_colors = re.findall(pattern, dark)
    assert set(light_colors) == set(dark_colors)


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
            difference = contrast(colors[name], colors[background])
            assert difference >= least, name


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors as WCAG defines it."""
    luminances = [luminance(one), luminance(other)]
    darker = min(luminances)
    lighter = max(luminances)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance of a color such as `fff` or `f6f8fa`."""
    if len(color) == 3:
        color = "".join(digit * 2 for digit in color)
    red = linear(color[0:2])
    green = linear(color[2:4])
    blue = linear(color[4:6])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(digits: str) -> float:
    """Return one of a color's three parts without the gamma correction of sRGB."""
    value = int(digits, 16) / 255
    if value <= 0.04045:
        return value / 12.92
    base = (value + 0.055) / 1.055
    return float(base**2.4)
