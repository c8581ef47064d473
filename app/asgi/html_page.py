"""The API's own pages: one HTML file each, whose policy allows nothing but itself."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import orjson

POLICY = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'"
DATA = '<script type="application/json" id="{name}">{text}</script>'


def read(path: Path) -> tuple[str, str]:
    """Return a page and its policy: its own style and script, and requests to the API."""
    text = path.read_text("utf-8")
    rules = [POLICY]
    for kind, content in re.findall(r"(?s)<(style|script)>(.*?)</", text):
        digest = hashlib.sha256(content.encode()).digest()
        rules.append(f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'")
    return text, "; ".join(rules)


def with_data(page: str, name: str, data: Any) -> str:
    """Return a page with data in its element of that name, which held `null`.

    The browser does not run such an element, so the policy stays as it is.
    """
    # An escaped "<": a text in the data must not end the element that holds it.
    text = orjson.dumps(data).decode().replace("<", r"\u003c")
    place = DATA.format(name=name, text="null")
    return page.replace(place, DATA.format(name=name, text=text))
