"""The dashboard's page, as it lies there: complete, and nothing in it could run what it
shows.
"""

import base64
import hashlib
import re

from app.routes.dashboard import read

PAGE, POLICY = read()


def test_the_page_refers_to_nothing_outside() -> None:
    assert set(re.findall(r"\w+://[^\s\"'<>)]+", PAGE)) == {
        "http://www.w3.org/2000/svg"
    }
    assert (
        re.findall(
            r"\bsrc\s*=|@import|url\(|<(?:link|img|iframe|object|embed|form)\b", PAGE
        )
        == []
    )
    links = set(re.findall(r'href="([^"]*)"', PAGE))
    assert links == {"docs", "models", "metrics", "health", "dashboard/figures"}


def test_the_page_turns_no_data_into_markup() -> None:
    words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|\son\w+="
    assert re.findall(words, PAGE) == []


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules.pop("connect-src") == "'self'"
    for kind in ("style", "script"):
        [text] = re.findall(rf"(?s)<{kind}>(.*?)</{kind}>", PAGE)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert rules == dict.fromkeys(["default-src", "base-uri", "form-action"], "'none'")


def test_no_colour_says_something_alone() -> None:
    """Every state that has a colour has a sign too; every colour has one for the dark."""
    for sign in (
        "✓ no drift",
        "▲ drift",
        "✓ under",
        "▲ over",
        "✓ ok",
        "✕ not ready",
        "✕ No answer",
    ):
        assert sign in PAGE
    light, dark = (
        set(re.findall(r"(--\w+): #", part)) for part in PAGE.split("dark) {")[:2]
    )
    assert light == dark


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it."""

    def luminance(colour: str) -> float:
        wide = "".join(digit * 2 for digit in colour) if len(colour) == 3 else colour
        parts = [int(wide[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_and_charts_stand_out_from_what_is_behind_them() -> None:
    for scheme in PAGE.split("dark) {")[:2]:
        colours = dict(re.findall(r"--(\w+): #([0-9a-f]+);", scheme.split("body {")[0]))
        assert len(colours) == 14
        for name in colours.keys() - {"back", "card", "line"}:
            least = (
                3 if name.startswith("c") and name != "c0" else 4.5
            )  # links have the colour c0
            for behind in ("back", "card"):
                assert contrast(colours[name], colours[behind]) >= least, (name, behind)
