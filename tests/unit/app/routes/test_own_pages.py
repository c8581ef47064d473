"""The API's own pages: complete, readable, and unable to run what they show."""

import base64
import hashlib
import re
from typing import NamedTuple

import pytest

from app.asgi.html_page import read
from app.routes import dashboard, try_it


class OwnPage(NamedTuple):
    """A page, its policy, where its links lead, and how many colors it has."""

    text: str
    policy: str
    links: set[str]
    colors: int


DASHBOARD_LINKS = {"docs", "models", "metrics", "health", "dashboard/figures"}
TRY_IT_LINKS = {"dashboard", "docs", "models", "health"}
PAGES = {
    "dashboard": OwnPage(*read(dashboard.PAGE), DASHBOARD_LINKS, 14),
    "try it": OwnPage(
        *read(try_it.PAGE), {f"{try_it.ROOT}/{link}" for link in TRY_IT_LINKS}, 11
    ),
}
LOADS = r"\bsrc\s*=|@import|url\(|<(?:link|img|iframe|object|embed|form)\b"
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\("
HANDLERS = r"\son\w+="
# The contrast that WCAG asks of text, and of charts and the edges of fields.
TEXT = 4.5
SHAPES = 3
each = pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))


@each
def test_the_page_loads_nothing_from_elsewhere(page: OwnPage) -> None:
    addresses = set(re.findall(r"\w+://[^\s\"'<>)]+", page.text))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert re.findall(LOADS, page.text) == []
    links = set(re.findall(r'href="([^"]*)"', page.text))
    assert links == page.links


@each
def test_the_page_turns_no_data_into_markup(page: OwnPage) -> None:
    assert re.findall(MARKUP, page.text) == []
    assert re.findall(HANDLERS, page.text) == []


@each
def test_the_policy_allows_the_style_and_the_script_of_the_page_alone(
    page: OwnPage,
) -> None:
    rules = {}
    for rule in page.policy.split("; "):
        kind, value = rule.split(" ", 1)
        rules[kind] = value
    assert rules == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "connect-src": "'self'",
        "style-src": f"'sha256-{digest_of(page.text, 'style')}'",
        "script-src": f"'sha256-{digest_of(page.text, 'script')}'",
    }


def digest_of(text: str, element: str) -> str:
    """Return the digest of the page's only style or script, as a policy has it."""
    pattern = rf"(?s)<{element}>(.*?)</{element}>"
    (content,) = re.findall(pattern, text)
    digest = hashlib.sha256(content.encode()).digest()
    return base64.b64encode(digest).decode()


def schemes(page: OwnPage) -> dict[str, str]:
    """Return the colors for light and for dark screens, as the style has them."""
    light, dark = page.text.split("dark) {")[:2]
    return {"light": light, "dark": dark.split("body {")[0]}


@each
def test_every_color_has_one_for_dark_screens(page: OwnPage) -> None:
    pattern = r"(--\w+): #"
    light_colors = re.findall(pattern, schemes(page)["light"])
    dark_colors = re.findall(pattern, schemes(page)["dark"])
    assert set(light_colors) == set(dark_colors)


@each
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_shapes_stand_out_from_the_background(
    page: OwnPage, scheme: str
) -> None:
    style = schemes(page)[scheme]
    colors = dict(re.findall(r"--(\w+): #([0-9a-f]+);", style))
    assert len(colors) == page.colors
    for name in colors.keys() - {"back", "card", "line"}:
        # Links and buttons have the color c0.
        is_category = name.startswith("c") and name != "c0"
        is_shape = is_category or name == "edge"
        least = SHAPES if is_shape else TEXT
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
    of_red = 0.2126 * red
    of_green = 0.7152 * green
    of_blue = 0.0722 * blue
    return of_red + of_green + of_blue


def linear(digits: str) -> float:
    """Return one of a color's three parts without the gamma correction of sRGB."""
    value = int(digits, 16) / 255
    if value <= 0.04045:
        return value / 12.92
    base = (value + 0.055) / 1.055
    return float(base**2.4)
