"""axe finds nothing serious on any page; the chart library is npm's: `nox -s accessibility`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from history import History
from pipeline.site.rendering import ASSETS
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.browser import in_a_browser
from tests.support.json_content import Json
from tests.support.site_browser import (
    DESKTOP,
    PHONE,
    addresses,
    browsing,
    write_own_site,
)
from tools.browser import Page

PACKAGES = Path(os.environ.get("SITE_NPM", ""), "node_modules")
AXE = PACKAGES / "axe-core" / "axe.min.js"
# Pages on a disk cannot read their style sheets as axe would.
CHECK = """
axe.run(document, {preload: false, resultTypes: ["violations"]}).then(result =>
  result.violations.map(found => `${found.impact}: ${found.id}: ${found.nodes[0].html}`))
"""

pytestmark = [
    pytest.mark.skipif(not AXE.is_file(), reason="needs npm's packages"),
    pytest.mark.skipif(
        not (ROOT / "mlruns" / "registry" / "housing").is_dir(),
        reason="this copy has no history of housing",
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_site(tmp_path_factory.mktemp("site") / "site")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browsing() as opened:
        yield opened


@posix
@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    page: Page, site: Path, size: tuple[int, int], scheme: str
) -> None:
    page.look(*size, scheme)
    for address in addresses(site, History.open(ROOT / "mlruns")):
        page.open(address)
        page.run(f"{AXE.read_text('utf-8')}; 0")
        assert page.run(CHECK) == [], address


@posix
@in_a_browser
def test_axe_sees_a_fault(page: Page, site: Path) -> None:
    page.open((site / "index.html").as_uri())
    page.run("document.querySelector('html').removeAttribute('lang')")
    page.run(f"{AXE.read_text('utf-8')}; 0")
    (fault,) = page.run(CHECK)
    assert fault.startswith("serious: html-has-lang")


def test_the_chart_library_has_the_bytes_of_npm() -> None:
    vendor = ASSETS / "vendor"
    text = (vendor / "vendored.json").read_text("utf-8")
    record: Json = json.loads(text)
    package = PACKAGES / record["package"]
    for file in record["files"]:
        assert (vendor / file["name"]).read_bytes() == (
            package / file["from"]
        ).read_bytes()
