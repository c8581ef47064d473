"""Builds the documentation as a site in `build/site/site`: `nox -s site`.

The site has the Markdown files that GitHub shows, and the pages of the course. Two things
differ: links to files that are no page of the site lead to the repository on GitHub, and
the placeholders of its address and of its site are filled in, where GitHub Actions knows
them.
"""

import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts import console
from tools import lesson_pages

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CONFIGURATION = "zensical.toml"
BUILD = ROOT / "build" / "site"
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
PAGES_PLACEHOLDER = "https://OWNER.github.io/REPOSITORY"
# A link to another file: neither a full address nor an anchor on the same page.
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


def repository() -> str:
    """Return the address of the repository, as far as the environment knows it."""
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    name = os.environ.get("GITHUB_REPOSITORY")
    if name:
        return f"{server}/{name}"
    return PLACEHOLDER


def published(address: str) -> str:
    """Return where GitHub Pages shows the site of a repository.

    Args:
        address: that of the repository.
    """
    if address == PLACEHOLDER:
        return PAGES_PLACEHOLDER
    owner, name = address.split("/")[-2:]
    domain = f"{owner.lower()}.github.io"
    if name.lower() == domain:  # the owner's own site is at the top of the domain
        return f"https://{domain}"
    return f"https://{domain}/{name}"


def render(text: str, address: str, page: str = f"{DOCS.name}/README.md") -> str:
    """Return the text of a page for the site.

    Args:
        text: its Markdown.
        address: the repository that links to files which are no page lead to.
        page: its path from the root.
    """
    folder = posixpath.dirname(page)

    def replace(match: re.Match[str]) -> str:
        path, hash_sign, anchor = match[1].partition("#")
        target = posixpath.normpath(posixpath.join(folder, path))
        place = _place(target)
        if place is None:
            kind = "tree" if (ROOT / target).is_dir() else "blob"
            return f"]({address}/{kind}/HEAD/{target}{hash_sign}{anchor})"
        start = posixpath.dirname(_place(page) or "") or "."
        return f"]({posixpath.relpath(place, start)}{hash_sign}{anchor})"

    rendered = LINK.sub(replace, text)
    filled = rendered.replace(PLACEHOLDER, address)
    return filled.replace(PAGES_PLACEHOLDER, published(address))


def _place(path: str) -> str | None:
    """Return where the site has a file of the repository; None if it has not."""
    if path.startswith(f"{DOCS.name}/"):
        return path.removeprefix(f"{DOCS.name}/")
    return lesson_pages.places(ROOT).get(path)


def prepare(address: str) -> None:
    """Write the pages and the configuration into `build/site`."""
    shutil.rmtree(BUILD, ignore_errors=True)
    docs = BUILD / DOCS.name
    shutil.copytree(DOCS, docs)
    for page in docs.glob("*.md"):
        text = page.read_text("utf-8")
        page.write_text(render(text, address), "utf-8")
    for name, place in lesson_pages.places(ROOT).items():
        text = lesson_pages.unfold((ROOT / name).read_text("utf-8"))
        (docs / place).parent.mkdir(exist_ok=True)
        (docs / place).write_text(render(text, address, name), "utf-8")
    configuration = (ROOT / CONFIGURATION).read_text("utf-8")
    configured = configuration.replace(PLACEHOLDER, address)
    configured = lesson_pages.with_lessons(configured, ROOT)
    (BUILD / CONFIGURATION).write_text(configured, "utf-8")


def main() -> int:
    """Build the site; return 1 if a page has a link that leads nowhere."""
    prepare(repository())
    command = [
        sys.executable,
        "-m",
        "zensical",
        "build",
        "--strict",
        "--clean",
        "--config-file",
        str(BUILD / CONFIGURATION),
    ]
    built = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if built.returncode:
        print(built.stdout + built.stderr, file=sys.stderr)
        print("error: the site was not built: see above.", file=sys.stderr)
        return 1
    site = BUILD / "site"
    print(f"wrote {site.relative_to(ROOT).as_posix()}")
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
