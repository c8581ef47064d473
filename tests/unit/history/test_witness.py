"""What was written once and is another now is named, with the commit and what mends it."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.files import write_atomic
from core.git import git
from history import layout, prune, registry, runfile
from history.runfile import Run
from tests.conftest import commit_all, posix
from tests.paths import ROOT
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    model_id,
    new_workspace,
    promote,
    verify,
)

IDENTITY = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
MODEL = {"model.onnx": b"onnx"}


class Checkout:
    """A repository with a history, and what people do to it."""

    def __init__(self, root: Path) -> None:
        self.repo = new_workspace(root)
        self.root = self.repo.root
        git(self.root, "init", "--quiet", "-b", "main")
        for name, value in (
            ("user.name", "Tester"),
            ("user.email", "tester@example.org"),
        ):
            git(self.root, "config", name, value)
        (self.root / "results").mkdir()
        (self.root / "results" / "table.csv").write_text("a\n")
        self.run = add_run(
            self.repo.mlruns, {"note.txt": b"a\r\nb\n"}, {model_id(): MODEL}
        )
        promote(self.repo, self.run)
        self.commit("begin")
        self.file = layout.run_folders(self.repo.mlruns)[self.run.run_id] / "run.json"

    def commit(self, message: str) -> str:
        return commit_all(self.root, message)

    def publish(self, content: bytes) -> Run:
        """Add a run whose model becomes the next version, and commit that."""
        run = add_run(self.repo.mlruns, {}, {model_id(): {"model.onnx": content}})
        promote(self.repo, run)
        self.commit("publish")
        return run

    def better(self, path: Path | None = None) -> None:
        """Make a run's metric better by hand, in a file that is well-formed."""
        path = path or self.file
        run = runfile.load(path)
        path.write_bytes(
            runfile.dump(
                run.model_copy(update={"metrics": {"rmse": [(0.1, 0, 0)]}})
            ).encode()
        )

    def better_promotion(self, version: int = 1) -> Path:
        path = registry.path_of(self.repo.mlruns, "housing", version)
        promotion = registry.load(path).model_copy(update={"metrics": {"rmse": 0.1}})
        path.write_bytes(registry.dump(promotion).encode())
        return path

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")[:12]

    def faults(self) -> list[str]:
        return [str(fault) for fault in verify(self.repo)]

    def only_fault(self) -> str:
        (fault,) = self.faults()
        return fault

    def place(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def follow(self, advice: str) -> None:
        """Do what the fault's text says, and commit it."""
        command = re.search(r"`(git [^`]+)`", advice)
        assert command, advice
        _, *arguments = shlex.split(command[1])
        options = ("--no-edit",) if arguments[0] == "revert" else ()
        self.git(*IDENTITY, *arguments, *options)
        if self.git("status", "--porcelain"):
            self.commit("mend")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_a_history_that_only_grew_has_no_fault(checkout: Checkout) -> None:
    checkout.publish(b"better")
    add_run(checkout.repo.mlruns, {"new.txt": b"not yet in Git"})
    assert checkout.faults() == []


def test_an_edited_metric_is_named_with_its_commit_and_can_be_mended(
    checkout: Checkout,
) -> None:
    checkout.better()
    edited = checkout.commit("a better metric")[:12]
    checkout.publish(b"later")
    fault = checkout.only_fault()
    assert fault.startswith(
        f"{checkout.place(checkout.file)}: was changed in commit {edited}:"
    )
    checkout.follow(fault)
    assert checkout.faults() == []


def test_an_edited_promotion_is_named_with_its_commit_and_can_be_mended(
    checkout: Checkout,
) -> None:
    path = checkout.better_promotion()
    edited = checkout.commit("a better promotion")[:12]
    fault = checkout.only_fault()
    assert fault.startswith(f"{checkout.place(path)}: was changed in commit {edited}:")
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("hide", ["", "--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_is_not_committed_is_named(checkout: Checkout, hide: str) -> None:
    if hide:
        checkout.git("update-index", hide, checkout.place(checkout.file))
    checkout.better()
    fault = checkout.only_fault()
    assert "was changed since it was committed" in fault
    if not hide:
        checkout.follow(fault)
        assert checkout.faults() == []


def test_an_edit_that_is_staged_alone_is_named(checkout: Checkout) -> None:
    original = checkout.file.read_bytes()
    checkout.better()
    checkout.git("add", "--all")
    checkout.file.write_bytes(original)
    fault = checkout.only_fault()
    assert "is staged with a change" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("merge", ["--no-ff", "--ff"])
def test_an_edit_on_a_branch_is_named_after_the_merge(
    checkout: Checkout, merge: str
) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    file = layout.run_folders(checkout.repo.mlruns)[run.run_id] / "run.json"
    promoted = checkout.publish(b"better")
    checkout.better(file)
    path = checkout.better_promotion(2)
    edited = checkout.commit("better")[:12]
    checkout.git("switch", "--quiet", "main")
    checkout.git("merge", "--quiet", "--no-edit", merge, "notebook")
    named = {checkout.place(file), checkout.place(path)}
    faults = checkout.faults()
    assert {fault.partition(":")[0] for fault in faults} == named, promoted.run_id
    assert all(f"was changed in commit {edited}" in fault for fault in faults)
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


def test_an_edit_within_a_merge_is_named(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    file = layout.run_folders(checkout.repo.mlruns)[run.run_id] / "run.json"
    checkout.git("switch", "--quiet", "main")
    checkout.publish(b"meanwhile")
    checkout.git("merge", "--quiet", "--no-ff", "--no-commit", "notebook")
    checkout.better(file)
    checkout.better()
    merged = checkout.commit("merge")[:12]
    faults = checkout.faults()
    assert len(faults) == 2
    assert all(f"was changed in commit {merged}" in fault for fault in faults)
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_run_that_was_deleted_and_came_again_as_another_is_named(
    checkout: Checkout, elsewhere: bool
) -> None:
    folder, file = checkout.file.parent, checkout.file
    kept = checkout.root / "kept"
    folder.rename(kept)
    checkout.commit("away")
    target = (
        folder.parent.with_name(f"{folder.parent.name}_2") / folder.name
        if elsewhere
        else folder
    )
    target.parent.mkdir(exist_ok=True)
    kept.rename(target)
    checkout.better(target / file.name)
    checkout.commit("again")
    (fault,) = [fault for fault in checkout.faults() if "run.json" in fault]
    assert "was changed in commit" in fault


def test_a_deleted_promotion_is_named_and_can_be_mended(checkout: Checkout) -> None:
    checkout.publish(b"better")
    checkout.git(*IDENTITY, "revert", "--no-edit", "HEAD")
    reverted = checkout.head()
    fault = checkout.only_fault()
    assert fault.startswith(
        f"mlruns/registry/housing/2.json: was deleted in commit {reverted}"
    )
    assert "promote it again" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


def test_a_promotion_deleted_in_the_work_tree_is_named(checkout: Checkout) -> None:
    checkout.publish(b"better")
    registry.path_of(checkout.repo.mlruns, "housing", 2).unlink()
    assert any(
        "was deleted; promotions are kept for ever" in fault
        for fault in checkout.faults()
    )


def test_a_history_begun_anew_may_use_its_numbers_again(checkout: Checkout) -> None:
    checkout.publish(b"second")
    shutil.rmtree(checkout.repo.mlruns)
    shutil.rmtree(checkout.repo.models)
    assert checkout.faults() == []
    checkout.commit("a history of our own")
    assert checkout.faults() == []
    checkout.publish(b"ours")
    assert checkout.faults() == []


def test_pruned_runs_are_no_fault(checkout: Checkout) -> None:
    for later in range(22):
        add_run(checkout.repo.mlruns, started=STARTED - 400 * DAY_MS + later)
    checkout.commit("runs")
    assert prune.prune(checkout.repo.history())
    assert checkout.faults() == []
    checkout.commit("prune")
    assert checkout.faults() == []


def _diverge(checkout: Checkout, tmp_path: Path) -> Checkout:
    """Let the checkout and a clone of it each make a version 2, and the other a version
    3.
    """
    other = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(checkout.root), str(other))
    template = Checkout.__new__(Checkout)
    template.repo, template.root = Workspace(other), other
    template.publish(b"theirs, second")
    template.publish(b"theirs, third")
    (other / "page.md").write_text("fixed\n")
    template.commit("fix: a page")
    checkout.publish(b"ours, second")
    git(checkout.root, "fetch", "--quiet", str(other), "main")
    return template


WAYS: dict[str, Callable[[Checkout], object]] = {
    "ours": lambda c: c.git(*IDENTITY, "merge", "--quiet", "-X", "ours", "FETCH_HEAD"),
    "theirs": lambda c: c.git(
        *IDENTITY, "merge", "--quiet", "-X", "theirs", "FETCH_HEAD"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_merge_of_two_histories_is_named_as_what_it_is_and_can_be_mended(
    checkout: Checkout, tmp_path: Path, way: str
) -> None:
    _diverge(checkout, tmp_path)
    own = {*layout.run_folders(checkout.repo.mlruns)}
    WAYS[way](checkout)
    told = [fault for fault in checkout.faults() if "merged two histories" in fault]
    assert told and all("merge no unrelated history" in fault for fault in told)
    assert all(f"commit {checkout.head()}" in fault for fault in told)
    checkout.follow(told[0])
    assert checkout.faults() == []
    assert {*layout.run_folders(checkout.repo.mlruns)} == own
    assert (checkout.root / "page.md").is_file()


def test_a_conflict_is_named(checkout: Checkout, tmp_path: Path) -> None:
    _diverge(checkout, tmp_path)
    subprocess.run(
        ["git", *IDENTITY, "merge", "-q", "FETCH_HEAD"], cwd=checkout.root, check=False
    )
    (fault,) = [fault for fault in checkout.faults() if "merge conflict" in fault]
    assert fault.startswith("mlruns/registry/housing/2.json: ")
    checkout.git("merge", "--abort")
    assert checkout.faults() == []


def test_an_update_that_takes_code_alone_is_no_fault(
    checkout: Checkout, tmp_path: Path
) -> None:
    template = _diverge(checkout, tmp_path)
    for number in range(2):
        checkout.git(
            "merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours", "FETCH_HEAD"
        )
        (checkout.root / "page.md").write_bytes(
            (template.root / "page.md").read_bytes()
        )
        checkout.commit("take the template's code")
        assert checkout.faults() == []
        template.publish(b"theirs, later")
        (template.root / "page.md").write_text(f"fixed again: {number}\n")
        template.commit("fix: a page")
        checkout.git("fetch", "--quiet", str(template.root), "main")
        checkout.publish(b"ours, later")
        assert checkout.faults() == []


def heard(repo: Workspace) -> tuple[list[str], str]:
    notices: list[str] = []
    faults = verify(repo, notice=notices.append)
    return [str(fault) for fault in faults], " ".join(notices)


def test_a_shallow_clone_says_what_it_cannot_see(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", checkout.root.as_uri(), str(shallow))
    faults, said = heard(Workspace(shallow))
    assert faults == [] and "git fetch --unshallow" in said
    git(shallow, "fetch", "--quiet", "--unshallow")
    faults, said = heard(Workspace(shallow))
    assert len(faults) == 1 and said == ""


def test_a_folder_without_git_says_so(checkout: Checkout, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    shutil.copytree(checkout.root, exported, ignore=shutil.ignore_patterns(".git"))
    faults, said = heard(Workspace(exported))
    assert faults == [] and "is not in a Git repository" in said
    git(exported, "init", "--quiet")
    faults, said = heard(Workspace(exported))
    assert faults == [] and "There is no commit yet" in said
    inside = checkout.root / "inside"
    shutil.copytree(exported, inside, ignore=shutil.ignore_patterns(".git"))
    faults, said = heard(Workspace(inside))
    assert faults == [] and "does not hold it" in said


def test_a_project_below_the_repository_s_root_is_checked_too(
    checkout: Checkout, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(checkout.root, outer / "ml", ignore=shutil.ignore_patterns(".git"))
    git(outer, "init", "--quiet")
    commit_all(outer, "begin")
    repo = Workspace(outer / "ml")
    assert heard(repo) == ([], "")
    file = repo.root / checkout.place(checkout.file)
    checkout.better(file)
    commit_all(outer, "better")
    (fault,), _ = heard(repo)
    assert "was changed in commit" in fault


def _add(checkout: Checkout, files: dict[str, bytes]) -> str:
    run = add_run(checkout.repo.mlruns, files)
    return checkout.place(
        layout.run_folders(checkout.repo.mlruns)[run.run_id] / "artifacts"
    )


def test_what_git_would_leave_out_is_named_where_it_was_saved(
    checkout: Checkout,
) -> None:
    (checkout.root / ".gitignore").write_text("__pycache__/\n*.log\n")
    checkout.commit("ignore")
    folder = _add(
        checkout, {"code/__pycache__/a.pyc": b"", "out.log": b"x", "kept.txt": b"y"}
    )
    faults = checkout.faults()
    assert [fault.partition(":")[0] for fault in faults] == [
        f"{folder}/code/__pycache__/a.pyc",
        f"{folder}/out.log",
    ]
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


def test_the_user_s_own_ignore_file_counts(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.png\n")
    (tmp_path / "config").write_text(
        f"[core]\nexcludesFile = {(tmp_path / 'ignore').as_posix()}\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    folder = _add(checkout, {"plot.png": b"x"})
    assert checkout.only_fault().startswith(f"{folder}/plot.png: is ignored by Git")
    shutil.copy(ROOT / ".gitignore", checkout.root)
    assert checkout.faults() == []  # the project's own file overrules that


@pytest.mark.parametrize(
    "attribute", ["filter=lfs", "text eol=lf", "ident", "text=auto"]
)
def test_what_git_would_change_is_named_where_it_was_saved(
    checkout: Checkout, attribute: str
) -> None:
    (checkout.root / ".gitattributes").write_text(f"*.csv {attribute}\n")
    folder = _add(checkout, {"table.csv": b"$Id$\r\n"})
    assert checkout.only_fault().startswith(
        f"{folder}/table.csv: would be changed by Git ("
    )
    shutil.copy(ROOT / ".gitattributes", checkout.root)
    assert checkout.faults() == []  # the project's own file overrules that
    attributes = checkout.root / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(f"*.csv {attribute.replace('=auto', '')}\n")
    assert "table.csv: would be changed by Git" in " ".join(checkout.faults())


def test_what_git_has_changed_already_is_named(checkout: Checkout) -> None:
    (checkout.root / ".gitattributes").write_text("*.csv text eol=lf\n")
    folder = _add(checkout, {"table.csv": b"a\r\nb\r\n"})
    checkout.commit("a table")
    (checkout.root / ".gitattributes").unlink()
    named = f"{folder}/table.csv: has other bytes in Git than here"
    assert any(fault.startswith(named) for fault in checkout.faults())


def test_a_repository_within_an_artifact_is_named(checkout: Checkout) -> None:
    folder = _add(checkout, {"project/a.txt": b"a"})
    project = checkout.root / folder / "project"
    git(project, "init", "--quiet")
    commit_all(project, "theirs")
    assert any("Git would leave files out" in fault for fault in checkout.faults())
    checkout.commit("all of it")
    (project / ".git").rename(checkout.root.with_name("theirs.git"))
    assert checkout.only_fault().startswith(
        f"{folder}/project: is not a file in Git but a link to"
    )


@posix
def test_a_link_in_git_is_named(checkout: Checkout) -> None:
    folder = _add(checkout, {"a.txt": b"b.txt"})
    blob = checkout.git("hash-object", "-w", f"{folder}/a.txt")
    checkout.git("add", "--all")
    checkout.git("update-index", "--cacheinfo", f"120000,{blob},{folder}/a.txt")
    assert "is not a file in Git but a symbolic link" in checkout.only_fault()


def test_files_of_the_work_tree_alone_are_not_asked_for_by_a_publish(
    checkout: Checkout,
) -> None:
    checkout.better()
    checkout.commit("a better metric")
    assert verify(checkout.repo, [checkout.run.run_id]) == []


def test_other_text_below_mlruns_may_change(checkout: Checkout) -> None:
    for text in ("one\n", "two\n"):
        write_atomic(checkout.repo.mlruns / "README.md", text)
        checkout.commit("leaderboard")
    write_atomic(checkout.repo.mlruns / "README.md", "three\n")
    assert checkout.faults() == []
