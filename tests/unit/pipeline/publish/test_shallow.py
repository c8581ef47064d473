"""Publishing from shallow and partial clones: they fetch what they need, not the rest."""

from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git, succeeds
from pipeline.publish import remote as remotes
from pipeline.publish.loop import Change, land
from pipeline.publish.publish import publish
from pipeline.publish.tip import Tip
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import Clone, commit_all
from tests.support.publishing import note, show
from tests.support.publishing_team import BETTER, GOOD, Team


def push_commits(repo: Repo, count: int) -> list[str]:
    """Push some commits to the origin, and return them, the oldest first."""
    commits = []
    for number in range(count):
        file = repo.root / "notes.txt"
        file.write_text(str(number))
        commit = commit_all(repo.root, f"docs: note {number}")
        commits.append(commit)
    git(repo.root, "push", "--quiet", "origin", "HEAD:main")
    return commits


def depth(repo: Repo) -> int:
    commits = git(repo.root, "rev-list", remotes.FETCHED)
    return len(commits.split())


def land_if_contained(repo: Repo, commit: str) -> str:
    """Publish a note if the branch contains a commit; return the commit that landed."""

    def change(tip: Tip) -> Change:
        tip.require(commit, "the bundle")
        return note("mine")(tip)

    landed, _ = land(
        repo,
        "origin",
        "main",
        change,
        made_from=commit,
    )
    return landed


def test_a_clone_of_the_bundle_s_commit_fetches_no_older_one(
    clone: Clone,
    origin: Path,
) -> None:
    author = clone("author")
    push_commits(author, 9)
    shallow = clone("shallow", "--depth=1")
    made_from = git(shallow.root, "rev-parse", "HEAD")
    push_commits(author, 2)
    landed = land_if_contained(shallow, made_from)
    assert git(origin, "rev-parse", "main") == landed
    assert depth(shallow) == 3


def test_a_clone_that_lacks_the_bundle_s_commit_fetches_some_older_ones(
    clone: Clone,
    origin: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remotes, "_DEEPER", (2, 4))
    commits = push_commits(clone("author"), 20)
    shallow = clone("shallow", "--depth=1")
    landed = land_if_contained(shallow, commits[-5])
    assert git(origin, "rev-parse", "main") == landed
    assert depth(shallow) == 7
    is_shallow = git(shallow.root, "rev-parse", "--is-shallow-repository")
    assert is_shallow == "true"
    another = clone("another", "--depth=1")
    oldest = commits[0]
    message = "which the branch does not contain"
    with pytest.raises(PipelineError, match=message):
        land_if_contained(another, oldest)


def test_a_bundle_that_landed_earlier_is_found_with_its_own_commit(
    team: Team,
    clone: Clone,
) -> None:
    folder = team.write_bundle(iris=GOOD)
    first, _ = team.publish_bundle(folder)
    team.publish(iris=BETTER)
    shallow = clone("shallow", "--depth=1")
    commit, notice = publish(shallow, folder, "origin", "main")
    assert commit == first
    assert notice.startswith("This bundle was already published")


def missing(repo: Repo) -> set[str]:
    """Return the paths at the branch's tip whose content a partial clone lacks."""
    options = (
        "--objects",
        "--missing=print",
        "--no-object-names",
    )
    listing = git(repo.root, "rev-list", *options, "HEAD")
    absent = set()
    for name in listing.split():
        if name.startswith("?"):
            absent.add(name.removeprefix("?"))
    entries = git(repo.root, "ls-tree", "-r", "HEAD")
    paths = set()
    for entry in entries.splitlines():
        fields, path = entry.split("\t")
        _, _, name = fields.split()
        if name in absent:
            paths.add(path)
    return paths


def packs(repo: Repo) -> set[Path]:
    """Return the files in which Git keeps what it fetched."""
    folder = repo.root / ".git/objects/pack"
    return set(folder.glob("*.pack"))


@pytest.mark.slow
def test_a_sparse_clone_without_blobs_fetches_what_a_publication_reads(
    team: Team,
    clone: Clone,
    origin: Path,
) -> None:
    git(origin, "config", "uploadpack.allowFilter", "true")
    team.publish(
        credit=GOOD,
        housing=GOOD,
        iris=GOOD,
    )
    options = ("--filter=blob:none", "--sparse", "--depth=1")
    sparse = clone("sparse", *options)
    packs_before = packs(sparse)
    folder = team.write_bundle(housing=BETTER)
    commit, message = publish(sparse, folder, "origin", "main")
    assert "housing v2 promoted" in message
    assert verify(team.origin) == []
    assert git(origin, "rev-parse", "main") == commit
    # Not a request for each file.
    fetched = packs(sparse) - packs_before
    assert len(fetched) < 12
    git(sparse.root, "reset", "--quiet", "--soft", commit)
    left = missing(sparse)
    assert any("/models/m-" in path for path in left), left
    # The runs of other tasks have summaries that hold, and are not read.
    experiments = set()
    for path in left:
        if path.endswith("run.json"):
            _, experiment, *_ = path.split("/")
            experiments.add(experiment)
    assert experiments == {"credit", "iris"}


def test_files_that_a_clone_never_had_stay_in_the_tree(
    clone: Clone,
    origin: Path,
) -> None:
    git(origin, "config", "uploadpack.allowFilter", "true")
    author = clone("author")
    docs = author.root / "docs"
    docs.mkdir()
    (docs / "page.md").write_text("a page")
    push_commits(author, 1)
    partial = clone("partial", "--filter=blob:none", "--sparse")
    page = git(origin, "rev-parse", "main:docs/page.md")
    land(partial, "origin", "main", note("mine"))
    assert show(origin, "docs/page.md") == "a page"
    git(partial.root, "config", "remote.origin.url", "/nowhere")
    assert not succeeds(partial.root, "cat-file", "-e", page)
