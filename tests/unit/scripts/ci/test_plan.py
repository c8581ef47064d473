"""Which jobs an event calls for: by where, by what changed in real Git, and by the
budget.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.git import git
from scripts.ci import budget
from scripts.ci.plan import NOTHING, Event, plan
from tests.conftest import commit_all
from tests.paths import ROOT

OWN = "chore(publish): iris v2 promoted\n\nMlops-Publish: 0123456789abcdef\n"
FULL, SMALL = budget.BUDGETS["full"], budget.BUDGETS["small"]


class Project:
    """A repository, and what its workflow's first job says when something happens to
    it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repo"
        self.output, self.event = folder / "output", folder / "event.json"
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--initial-branch=trunk")
        (self.folder / "deployment/models/iris").mkdir(parents=True)
        (self.folder / "deployment/models/iris/manifest.json").write_text("{}")
        self.before = self.commit("feat: a change by hand", "params.yaml")

    def commit(self, message: str, *paths: str) -> str:
        """Change files and commit them."""
        for path in paths:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                target.read_text("utf-8") + "1" if target.is_file() else "1"
            )
        return commit_all(self.folder, message)

    def publish(self, *paths: str) -> str:
        """Commit as the pipeline does."""
        return self.commit(
            OWN, *(paths or ("mlruns/iris/run.json", "data/iris.csv.gz"))
        )

    def run(
        self, name: str = "push", ref: str = "refs/heads/trunk", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script in a checkout as a workflow does, with the standard library
        alone.
        """
        after = git(self.folder, "rev-parse", "HEAD")
        event: dict[str, Any] = {
            "before": more.pop("before", self.before),
            "after": after,
        }
        event["repository"] = {
            "default_branch": "trunk",
            "private": more.pop("private", "") != "",
        }
        event["merge_group"] = {"base_sha": self.before, "head_sha": after}
        self.event.write_text(json.dumps(event))
        self.output.unlink(missing_ok=True)
        own = {n: t for n, t in os.environ.items() if n not in ("ACT", "MLOPS_BUDGET")}
        own |= {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_REF": ref,
            "GITHUB_OUTPUT": str(self.output),
        }
        own |= {"GITHUB_EVENT_PATH": str(self.event), "PYTHONPATH": str(ROOT)} | more
        command = [sys.executable, "-S", "-m", "scripts.ci.plan"]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )

    def outputs(self, *event: str, **more: str) -> dict[str, str]:
        """Return the outputs that the script writes."""
        done = self.run(*event, **more)
        assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
        return dict(
            line.split("=", 1) for line in self.output.read_text("utf-8").splitlines()
        )

    def jobs(self, *event: str, **more: str) -> set[str]:
        """Return the jobs that are planned."""
        outputs = self.outputs(*event, **more)
        assert outputs["why"].endswith(".")
        return set(json.loads(outputs["jobs"]))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


CHECKS = {"lint", "test", "test-windows", "train"}
SHIPPED = {"images", "smoke", "release"}


def test_a_push_to_the_default_branch_is_published_whatever_its_name(
    project: Project,
) -> None:
    project.commit("feat: more", "params.yaml")
    assert project.jobs() == CHECKS | {"publish", "images-arm", "e2e"} | SHIPPED
    assert project.jobs("push", "refs/heads/main") == CHECKS


def test_of_a_branch_it_is_told_what_would_be_published(project: Project) -> None:
    assert project.jobs("workflow_dispatch", "refs/heads/topic") == CHECKS


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_a_request_is_tried_as_a_whole_and_not_published(
    project: Project, event: str
) -> None:
    project.commit("feat: more", "params.yaml")
    assert project.jobs(event, "refs/pull/7/merge") == CHECKS | {"smoke", "e2e"}


def test_without_a_model_in_service_a_request_starts_no_stack(project: Project) -> None:
    (project.folder / "deployment/models/iris/manifest.json").unlink()
    project.commit("chore: begin anew", "params.yaml")
    assert project.jobs("pull_request", "refs/pull/7/merge") == CHECKS
    assert "publish" in project.jobs()


def test_the_pipelines_own_commit_is_not_answered(project: Project) -> None:
    project.publish()
    assert project.jobs() == set()
    # Somebody who asks for a run gets one, whatever was last.
    assert "publish" in project.jobs("workflow_dispatch")


def test_a_commit_of_the_pipeline_at_the_tip_hides_nothing_below_it(
    project: Project,
) -> None:
    project.commit("feat: more", "params.yaml")
    project.publish()
    assert "publish" in project.jobs()


@pytest.mark.parametrize("before", [NOTHING, "f" * 40])
def test_a_branch_that_is_new_or_rewritten_is_answered(
    project: Project, before: str
) -> None:
    # A mirror into an empty repository; a push after which the old tip is gone.
    project.publish()
    assert "publish" in project.jobs(before=before)


def test_a_branch_that_was_set_back_is_answered(project: Project) -> None:
    before = project.commit("feat: more", "params.yaml")
    git(project.folder, "reset", "--quiet", "--hard", "HEAD~1")
    assert "publish" in project.jobs(before=before)


def test_calling_oneself_the_pipeline_changes_nothing(project: Project) -> None:
    for name in ("mlops-bot", "github-actions[bot]"):
        (project.folder / "code.py").write_text(name)
        who = (
            "-c",
            f"user.name={name}",
            "-c",
            f"user.email={name}@users.noreply.github.com",
        )
        git(project.folder, "add", "--all")
        git(project.folder, *who, "commit", "--quiet", "--message", OWN)
        assert "publish" in project.jobs(
            before=git(project.folder, "rev-parse", "HEAD~1")
        )


def test_a_change_of_the_pipelines_files_by_hand_is_answered(project: Project) -> None:
    project.commit("data: two more rows", "data/iris.csv.gz")
    assert "publish" in project.jobs()


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_for_documents_nothing_is_trained_or_built(
    project: Project, event: str
) -> None:
    project.commit(
        "docs: why", "docs/why.md", "docs/images/a.png", "README.md", "LICENSE"
    )
    outputs = project.outputs(event)
    assert json.loads(outputs["jobs"]) == ["lint", "test"]
    assert json.loads(outputs["pythons"]) == ["3.13"]


@pytest.mark.parametrize(
    "path", ["docs.py", "pipeline/README.md", "requirements/dev.txt"]
)
def test_what_only_looks_like_documents_is_code(project: Project, path: str) -> None:
    project.commit("docs: why", "docs/why.md", path)
    assert "train" in project.jobs()


def test_a_private_repository_does_less_unless_it_asks_for_more(
    project: Project,
) -> None:
    project.commit("feat: more", "params.yaml")
    small = project.outputs(private="yes")
    assert (
        set(json.loads(small["jobs"])) == {"lint", "test", "train", "publish"} | SHIPPED
    )
    assert json.loads(small["pythons"]) == ["3.13"] and small["scan"] == "false"
    assert json.loads(small["images"]) == ["mlops-api mlflow-server trainer"]
    assert int(small["minutes"]) <= 25
    full = project.outputs(private="yes", MLOPS_BUDGET="full")
    assert {"test-windows", "images-arm", "e2e"} <= set(
        json.loads(full["jobs"])
    ) and full["scan"] == "true"
    assert json.loads(full["pythons"]) == ["3.11", "3.12", "3.13"]
    assert len(json.loads(full["images"])) == 3
    asked = project.outputs(MLOPS_BUDGET="small")
    assert asked["jobs"] == small["jobs"] and asked["minutes"] == ""


def test_a_budget_that_does_not_exist_is_said(project: Project) -> None:
    done = project.run(MLOPS_BUDGET="tiny")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "MLOPS_BUDGET is 'tiny': set it to full or small" in done.stderr
    assert "failure=MLOPS_BUDGET" in project.output.read_text("utf-8")


def test_a_rehearsal_leaves_out_what_it_cannot_run(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    jobs = project.jobs(ACT="true")
    assert not {"e2e", "images-arm", "test-windows"} & jobs and "publish" in jobs


def test_every_plan_says_why() -> None:
    main = Event("push", "refs/heads/main", "main")
    assert "main" in plan(main, FULL).why
    assert "topic" in plan(Event("push", "refs/heads/topic", "main"), SMALL).why
    assert "own" in plan(Event("push", "refs/heads/main", "main", own=True), FULL).why
