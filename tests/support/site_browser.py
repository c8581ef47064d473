"""Sites of histories in a real browser, from the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from history import History
from pipeline.repo import Repo
from pipeline.site import site as pages
from pipeline.verification import open_history
from tests.paths import ROOT
from tests.support.browser import BROWSER
from tools.browser import Page, running

PHONE = (390, 844)
DESKTOP = (1200, 900)


def write_own_site(folder: Path) -> Path:
    """Write the site of this project's own history."""
    repo = Repo(ROOT)
    with open_history(repo) as history:
        return pages.write(repo, history, folder).parent


@contextmanager
def browsing() -> Iterator[Page]:
    """Run a browser, and yield its page."""
    assert BROWSER
    # Not in pytest's folder: the browser's own files have long names.
    with tempfile.TemporaryDirectory(
        prefix="mlops-", ignore_cleanup_errors=True
    ) as profile:
        with running(BROWSER, Path(profile)) as page:
            yield page


def addresses(site: Path, history: History) -> list[str]:
    """Return the address of each kind of page, with what the last part names."""
    champion = history.champion("housing")
    assert champion
    folder = history.folder(champion.run_id)
    run = "/".join(folder.parts[-3:])
    parent = history.run(champion.run_id).parent
    assert parent
    folder_of_push = history.folder(parent)
    push = "/".join(folder_of_push.parts[-3:])
    names = [
        "index.html",
        "task-housing.html",
        f"card-housing-{champion.version}.html",
        "data-credit.html",
        "runs.html#housing",
        f"run.html#{run}",
        f"run.html#{push}",
        f"compare.html#{run},{push}",
        "parallel.html#housing",
    ]
    return [f"{site.as_uri()}/{name}" for name in names]
