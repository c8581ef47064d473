"""`pipeline init`: the copy's names, an empty history, and no loss of own runs."""

import re
from pathlib import Path

import pytest

from core.errors import UsageError
from core.file_names import RELEASE
from core.git import git
from pipeline.copies import identity
from pipeline.copies.init import init
from tests.paths import ROOT
from tests.support import copies, history_factories
from tests.support.copies import Project

# A regular expression for `git grep`.
IMAGE = r"ghcr\.io/local/|\$\{REPOSITORY:-"


@pytest.fixture
def copy(template: Project, tmp_path: Path) -> Project:
    """Return a copy in a folder whose name has a space."""
    return copies.copy(template, tmp_path / "Our Churn")


def test_the_copy_gets_names_of_its_own(copy: Project) -> None:
    own = copy.own()
    commit = init(
        copy.repo, name="Churn, weekly", holder="Jörg & Co", repository="ACME/Churn"
    )
    assert commit == copy.head
    assert git(copy.root, "status", "--porcelain") == ""
    workflow = "https://github.com/ACME/Churn/actions/workflows/mlops.yml"
    assert copy.text("README.md").splitlines()[:3] == [
        "# Churn, weekly",
        f"[![MLOps]({workflow}/badge.svg)]({workflow})",
        "",
    ]
    assert 'name = "churn-weekly"' in copy.text("pyproject.toml")
    assert "Jörg & Co\nCopyright (c) 2026 The maintainers\n" in copy.text("LICENSE")
    assert copy.own() == own
    assert copy.faults() == []
    assert git(copy.root, "rev-list", "--count", "HEAD") == "2"


def test_the_first_init_removes_the_release_of_the_template(copy: Project) -> None:
    copy.write(RELEASE, "{}\n")
    init(copy.repo, name="Churn")
    assert git(copy.root, "ls-files", RELEASE) == ""
    # Later ones keep that of the copy.
    copy.write(RELEASE, "{}\n")
    init(copy.repo, name="Weekly churn")
    assert git(copy.root, "ls-files", RELEASE) == RELEASE


def test_names_that_are_not_given_come_from_the_repository(copy: Project) -> None:
    git(copy.root, "remote", "add", "origin", "git@github.com:ACME/Churn.git")
    init(copy.repo)
    names = identity.read(copy.root)
    assert names
    assert names.name == "Churn"
    assert names.repository == "ACME/Churn"
    assert names.holder == "Ann"


@pytest.mark.parametrize(
    "address, expected",
    [
        ("https://github.com/ACME/churn", "ACME/churn"),
        ("https://github.com/ACME/churn.git", "ACME/churn"),
        ("ssh://git@github.com:22/ACME/My.Copy.git", "ACME/My.Copy"),
        ("https://user:secret@github.example.org/a/b/", "a/b"),
        ("/srv/git/churn.git", None),
        ("https://gitlab.com/ACME/churn.git", None),
    ],
)
def test_only_github_has_a_badge(
    copy: Project, address: str, expected: str | None
) -> None:
    git(copy.root, "remote", "add", "origin", address)
    init(copy.repo)
    names = identity.read(copy.root)
    assert names
    assert names.repository == expected
    has_badge = "badge.svg" in copy.text("README.md")
    assert has_badge == bool(expected)


def test_a_second_time_changes_only_the_given_names(copy: Project) -> None:
    init(copy.repo, name="Churn", holder="ACME", repository="ACME/churn")
    message = "nothing to change, because the files already have the name Churn"
    with pytest.raises(UsageError, match=message):
        init(copy.repo)
    init(copy.repo, holder="Bee Ltd", repository="bee/churn")
    readme = copy.text("README.md")
    assert readme.count("badge.svg)]") == 1
    assert readme.startswith("# Churn\n")
    assert "ACME" not in readme
    licence = copy.text("LICENSE")
    assert "Bee Ltd\nCopyright (c) 2026 The maintainers" in licence
    assert "ACME" not in licence


def test_an_empty_history_is_complete(copy: Project) -> None:
    note = copy.repo.mlruns / ".local" / "iris" / "note.txt"  # ignored by Git
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    init(copy.repo, name="Churn", empty=True)
    folders = ["mlruns", "deployment/models", "results", "data"]
    listing = git(copy.root, "ls-files", *folders)
    assert listing.splitlines() == [
        "data/README.md",
        "data/iris.csv.gz",
        "deployment/models/.gitkeep",
        "mlruns/README.md",
        "results/model_comparison.csv",
    ]
    assert "No run has been published yet." in copy.text("mlruns/README.md")
    assert copy.faults() == []
    assert note.read_text("utf-8") == "mine"
    copy.promote()
    assert copy.faults() == []


def test_own_runs_are_not_removed_by_mistake(copy: Project) -> None:
    run = history_factories.add_run(
        copy.repo.mlruns,
        experiment="iris",
        tags={"mlflow.source.git.commit": copy.head},
    )
    head = copy.commit("mlops: iris refused")
    message = (
        rf"would remove runs of your own \(1 of the 6 runs, such as {run.run_id[:8]}"
    )
    with pytest.raises(UsageError, match=message):
        init(copy.repo, empty=True)
    assert copy.head == head
    init(copy.repo, empty=True, yes=True)
    earlier = git(copy.root, "ls-tree", "-r", "--name-only", head, "mlruns")
    assert earlier.count("run.json") == 6


def test_a_fork_recognizes_the_template_s_runs_by_its_remote(
    template: Project, tmp_path: Path
) -> None:
    history_factories.add_run(
        template.repo.mlruns,
        experiment="iris",
        tags={"mlflow.source.git.commit": template.head},
    )
    template.commit("mlops: iris refused")
    fork = copies.fork(template, tmp_path / "fork")
    with pytest.raises(UsageError, match="--yes"):
        init(fork.repo, empty=True)
    git(fork.root, "remote", "rename", "origin", "upstream")
    assert init(fork.repo, empty=True) == fork.head


@pytest.mark.parametrize(
    "values, key",
    [
        ({"name": ""}, "name"),
        ({"name": 'a "b"'}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"repository": "no owner"}, "repository"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(
    copy: Project, values: dict[str, str], key: str
) -> None:
    head = copy.head
    with pytest.raises(UsageError, match=f"^{key}: "):
        init(copy.repo, **values)  # type: ignore[arg-type]
    assert copy.head == head
    assert git(copy.root, "status", "--porcelain") == ""


def test_uncommitted_changes_are_refused(copy: Project) -> None:
    (copy.root / "LICENSE").write_text("x")
    with pytest.raises(UsageError, match=r"uncommitted changes \(LICENSE\): commit"):
        init(copy.repo)
    (copy.root / "VERSION").write_text("x")
    with pytest.raises(UsageError, match=r"\(LICENSE and 1 more\)"):
        init(copy.repo)


def test_a_commit_without_an_author_is_refused(
    copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(copy.root, "config", "--unset", "user.email")
    git(copy.root, "config", "user.useConfigOnly", "true")
    for name in ("EMAIL", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="git config user.email"):
        init(copy.repo)
    assert git(copy.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("path", identity.make(name="any", year=2027).edits())
def test_each_place_of_the_real_files_gets_the_name(path: str) -> None:
    names = identity.make(
        name="Own Thing", repository="own/thing", holder="Own", year=2027
    )
    file = ROOT / path
    before = file.read_text("utf-8") if file.is_file() else ""
    has_own_readme = path == "README.md" and not before.startswith("# ")
    if not before or has_own_readme:
        pytest.skip("this copy does not have the template's file")
    edit = names.edits()[path]
    after = edit(before)
    changed = []
    for old, new in zip(before.splitlines(), after.splitlines()):
        if old != new:
            changed.append(new)
    assert re.search(r"\bown\b", changed[0], re.IGNORECASE)
    assert edit(after) == after


def test_every_file_with_the_name_of_a_local_image_gets_the_copy_s() -> None:
    names = git(ROOT, "grep", "-lE", IMAGE, "--", ".", ":!tests/unit").splitlines()
    assert names
    assert set(names) <= identity.make(name="any", year=2027).edits().keys()
