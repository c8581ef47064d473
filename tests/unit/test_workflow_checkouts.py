"""The checkouts of the workflows: each takes the folders that its job needs, no more."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.workflow_files import FOLDER, Workflow, workflows

WORKFLOWS = workflows()
PROGRAM = re.compile(r"python3 -m (scripts\.[\w.]+)")
EVERYTHING_BUT_RUNS = ["/*", "!/mlruns/*/"]


def sparse_folders(step: Json) -> list[str]:
    """Return the folders that a step checks out, if it does not check out all."""
    options = step.get("with", {})
    folders: str = options.get("sparse-checkout", "")
    if options.get("sparse-checkout-cone-mode") is False:
        assert folders.split() == EVERYTHING_BUT_RUNS
        return []
    return folders.split()


def test_runs_are_checked_out_where_they_are_read_from_files_alone() -> None:
    whole = set()
    for workflow in WORKFLOWS:
        for job, step in workflow.steps():
            is_checkout = step.get("uses", "").startswith("actions/checkout@")
            if is_checkout and "sparse-checkout" not in step["with"]:
                whole.add(f"{workflow.name} {job}")
    assert whole == {
        "course.yml course",
        "mlops.yml test",
        "mlops.yml test-windows",
        "mlops.yml e2e",
        "mlops.yml smoke",
        "nightly.yml course",
        "nightly.yml documents",
        "nightly.yml e2e",
        "nightly.yml kubernetes",
        "nightly.yml reproduce",
        "nightly.yml stack",
        "pages.yml build",
        "security.yml scorecard",
    }


def test_what_runs_without_the_token_asks_the_origin_for_no_object() -> None:
    # A sparse checkout is a partial clone: without a filter of its own, Git would fetch
    # every file that is read later, and a private repository refuses that.
    jobs = yaml.safe_load((FOLDER / "mlops.yml").read_text("utf-8"))["jobs"]
    for name in ("train", "publish", "release"):
        (checkout,) = (
            step
            for step in jobs[name]["steps"]
            if "sparse-checkout" in step.get("with", {})
        )
        assert checkout["with"]["filter"] == "blob:limit=1g"
        assert checkout["with"]["fetch-depth"] == 0


def check_imports(program: str, folders: list[str], checkout: Path) -> None:
    """Import a program where only some of the folders are."""
    for name in folders:
        shutil.copytree(ROOT / name, checkout / name, dirs_exist_ok=True)
    command = [sys.executable, "-S", "-c", f"import {program}"]
    subprocess.run(command, cwd=checkout, check=True)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_a_sparse_checkout_holds_all_that_its_programs_import(
    workflow: Workflow, tmp_path: Path
) -> None:
    for job, step in workflow.steps():
        folders = sparse_folders(step)
        if not folders:
            continue
        checkout = tmp_path / "-".join(folders)
        for program in PROGRAM.findall(str(workflow.jobs[job]["steps"])):
            check_imports(program, folders, checkout)
