"""`pipeline init`: names, an empty history, and nothing of one's own lost."""

import re
from pathlib import Path

import pytest

from core.errors import UsageError
from core.git import git
from pipeline.copies import identity
from pipeline.copies.init import init
from tests.paths import ROOT
from tests.support import copies, history_factories
from tests.support.copies import Project


@pytest.fixture
def template(tmp_path: Path) -> Project:
    return copies.template(tmp_path / "template")


@pytest.fixture
def copy(template: Project, tmp_path: Path) -> Project:
    return copies.copy(template, tmp_path / "Our Churn")


def test_the_copy_gets_names_of_its_own(copy: Project) -> None:
    own = copy.own()
    commit = init(
        copy.repo, name="Churn, weekly", holder="Jörg & Co", repository="ACME/Churn"
    )
    assert commit == copy.head
    assert git(copy.root, "status", "--porcelain") == ""
    assert copy.text("README.md").splitlines()[:3] == [
        "# Churn, weekly",
        (
            "[![MLOps](https://github.com/ACME/Churn/actions/workflows/mlops.yml/badge.svg)]"
            "(https://github.com/ACME/Churn/actions/workflows/mlops.yml)"
        ),
        "",
    ]
    assert 'name = "churn-weekly"' in copy.text("pyproject.toml")
    assert "Jörg & Co\nCopyright (c) 2026 The maintainers\n" in copy.text("LICENSE")
    assert copy.own() == own
    assert copy.faults() == []
    assert git(copy.root, "rev-list", "--count", "HEAD") == "2"


def test_what_is_not_named_comes_from_the_repository(copy: Project) -> None:
    git(copy.root, "remote", "add", "origin", "git@github.com:ACME/Churn.git")
    init(copy.repo)
    named = identity.read(copy.root)
    assert named
    assert named.name == "Churn"
    assert named.repository == "ACME/Churn"
    assert named.holder == "Ann"


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
    named = identity.read(copy.root)
    assert named
    assert named.repository == expected
    assert ("badge.svg" in copy.text("README.md")) == bool(expected)


def test_a_second_time_changes_only_what_is_asked_for(copy: Project) -> None:
    init(copy.repo, name="Churn", holder="ACME", repository="ACME/churn")
    with pytest.raises(UsageError, match="this is Churn already"):
        init(copy.repo)
    init(copy.repo, holder="Bee Ltd", repository="bee/churn")
    assert copy.text("README.md").count("badge.svg)]") == 1
    assert "ACME" not in copy.text("README.md")
    assert copy.text("README.md").startswith("# Churn\n") and "ACME" not in copy.text(
        "LICENSE"
    )
    assert "Bee Ltd\nCopyright (c) 2026 The maintainers" in copy.text("LICENSE")


def test_an_empty_history_is_whole(copy: Project) -> None:
    note = (
        copy.repo.mlruns / ".local" / "iris" / "note.txt"
    )  # of a notebook; Git ignores it
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    init(copy.repo, name="Churn", empty=True)
    listed = git(
        copy.root, "ls-files", "mlruns", "deployment/models", "results", "data"
    )
    assert listed.splitlines() == [
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


def test_runs_of_one_s_own_are_not_removed_by_mistake(copy: Project) -> None:
    run = history_factories.add_run(
        copy.repo.mlruns,
        experiment="iris",
        tags={"mlflow.source.git.commit": copy.head},
    )
    head = copy.commit("mlops: iris refused")
    with pytest.raises(
        UsageError, match=rf"1 of the 6 runs .*{run.run_id[:8]}.* add --yes"
    ):
        init(copy.repo, empty=True)
    assert copy.head == head
    init(copy.repo, empty=True, yes=True)
    assert (
        git(copy.root, "ls-tree", "-r", "--name-only", head, "mlruns").count("run.json")
        == 6
    )


def test_a_fork_knows_the_template_s_runs_by_its_remote(
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
    "values, words",
    [
        ({"name": ""}, "name: "),
        ({"name": 'a "b"'}, "name: "),
        ({"name": "a\nb"}, "name: "),
        ({"repository": "no owner"}, "repository: "),
    ],
)
def test_a_name_that_cannot_stand_is_refused(
    copy: Project, values: dict[str, str], words: str
) -> None:
    head = copy.head
    with pytest.raises(UsageError, match=f"^{words}"):
        init(copy.repo, **values)  # type: ignore[arg-type]
    assert copy.head == head
    assert git(copy.root, "status", "--porcelain") == ""


def test_changes_and_strangers_are_refused(
    copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy.root / "LICENSE").write_text("x")
    with pytest.raises(UsageError, match=r"1 files .*\(LICENSE\)"):
        init(copy.repo)
    git(copy.root, "checkout", "--", "LICENSE")
    git(copy.root, "config", "--unset", "user.email")
    git(copy.root, "config", "user.useConfigOnly", "true")
    for name in ("EMAIL", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="git config user.email"):
        init(copy.repo)
    assert git(copy.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("path", identity.make(name="any", year=2027).edits())
def test_each_place_of_the_real_files_gets_the_name(path: str) -> None:
    named = identity.make(
        name="Own Thing", repository="own/thing", holder="Own", year=2027
    )
    before = (ROOT / path).read_text("utf-8") if (ROOT / path).is_file() else ""
    if not before or (path == "README.md" and not before.startswith("# ")):
        pytest.skip("this copy has no such file of the template's")
    edit = named.edits()[path]
    after = edit(before)
    lines = [
        new for old, new in zip(before.splitlines(), after.splitlines()) if old != new
    ]
    assert re.search(r"\bown\b", lines[0], re.I)
    assert edit(after) == after
