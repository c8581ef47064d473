"""The jobs that an event needs: by its branch, the changes in real Git, the budget."""

import json
from pathlib import Path

import pytest

from core.git import git
from scripts.ci import budget
from scripts.ci.plan import NOTHING, Event, plan
from tests.unit.scripts.ci.project import MANIFEST, OWN, Project

FULL = budget.BUDGETS["full"]
SMALL = budget.BUDGETS["small"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


CHECKS = {"lint", "test", "test-windows", "train"}
SHIPPED = {"images", "smoke", "release", "model-releases"}


def test_a_push_to_the_default_branch_is_published_whatever_its_name(
    project: Project,
) -> None:
    project.commit("feat: more", "params.yaml")
    published = CHECKS | SHIPPED | {"publish", "images-arm", "e2e"}
    assert project.jobs("push", "refs/heads/trunk") == published
    assert project.jobs("push", "refs/heads/main") == CHECKS


def test_another_branch_is_trained_and_not_published(project: Project) -> None:
    assert project.jobs("workflow_dispatch", "refs/heads/topic") == CHECKS


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_a_request_is_tested_as_a_whole_and_not_published(
    project: Project,
    event: str,
) -> None:
    project.commit("feat: more", "params.yaml")
    jobs = project.jobs(event, "refs/pull/7/merge")
    assert jobs == CHECKS | {"smoke", "e2e"}


def test_without_a_model_in_service_a_request_starts_no_stack(project: Project) -> None:
    (project.folder / MANIFEST).unlink()
    project.commit("chore: begin anew", "params.yaml")
    assert project.jobs("pull_request", "refs/pull/7/merge") == CHECKS
    assert "publish" in project.jobs()


def test_the_pipelines_own_commit_is_not_answered(project: Project) -> None:
    project.publish()
    assert project.jobs() == set()
    # A manual start always gets a run.
    assert "publish" in project.jobs("workflow_dispatch")


def test_a_commit_of_the_pipeline_at_the_tip_hides_nothing_below_it(
    project: Project,
) -> None:
    project.commit("feat: more", "params.yaml")
    project.publish()
    assert "publish" in project.jobs()


@pytest.mark.parametrize("before", [NOTHING, "f" * 40])
def test_a_branch_that_is_new_or_rewritten_is_answered(
    project: Project,
    before: str,
) -> None:
    # A mirror into an empty repository; a push after which the old tip is gone.
    project.publish()
    assert "publish" in project.jobs(before=before)


def test_a_branch_that_was_set_back_is_answered(project: Project) -> None:
    before = project.commit("feat: more", "params.yaml")
    git(project.folder, "reset", "--quiet", "--hard", "HEAD~1")
    assert "publish" in project.jobs(before=before)


def test_calling_oneself_the_pipeline_changes_nothing(project: Project) -> None:
    folder = project.folder
    code = folder / "code.py"
    for name in ("mlops-bot", "github-actions[bot]"):
        code.write_text(name)
        author = [
            "-c",
            f"user.name={name}",
            "-c",
            f"user.email={name}@users.noreply.github.com",
        ]
        git(folder, "add", "--all")
        git(folder, *author, "commit", "--quiet", "--message", OWN)
        before = git(folder, "rev-parse", "HEAD~1")
        assert "publish" in project.jobs(before=before)


def test_a_manual_change_of_the_pipelines_files_is_answered(project: Project) -> None:
    project.commit("data: two more rows", "data/iris.csv.gz")
    assert "publish" in project.jobs()


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_for_documents_nothing_is_trained_or_built(
    project: Project,
    event: str,
) -> None:
    project.commit(
        "docs: why",
        "docs/why.md",
        "docs/images/a.png",
        "README.md",
        "LICENSE",
    )
    outputs = project.outputs(event)
    jobs = json.loads(outputs["jobs"])
    assert jobs == ["lint", "test"]
    pythons = json.loads(outputs["pythons"])
    assert pythons == ["3.13"]


def test_going_back_to_an_earlier_release_makes_no_new_one(project: Project) -> None:
    project.commit('Revert "chore(release): iris v2"', "deployment/release.json")
    assert project.jobs() == {"lint", "test"}


@pytest.mark.parametrize(
    "path",
    ["docs.py", "pipeline/README.md", "requirements/dev.txt"],
)
def test_what_only_looks_like_documents_is_code(project: Project, path: str) -> None:
    project.commit("docs: why", "docs/why.md", path)
    assert "train" in project.jobs()


def test_a_private_repository_does_less_by_default(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    outputs = project.outputs(private="yes")
    jobs = json.loads(outputs["jobs"])
    checks = CHECKS - {"test-windows"}
    assert set(jobs) == checks | SHIPPED | {"publish"}
    pythons = json.loads(outputs["pythons"])
    assert pythons == ["3.13"]
    images = json.loads(outputs["images"])
    assert images == ["mlops-api mlflow-server trainer"]
    assert outputs["scan"] == "false"
    minutes = int(outputs["minutes"])
    assert minutes <= 25


def test_a_private_repository_may_have_the_full_budget(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    outputs = project.outputs(private="yes", MLOPS_BUDGET="full")
    jobs = json.loads(outputs["jobs"])
    of_the_full_budget = {"test-windows", "images-arm", "e2e"}
    assert of_the_full_budget <= set(jobs)
    pythons = json.loads(outputs["pythons"])
    assert pythons == ["3.11", "3.12", "3.13"]
    images = json.loads(outputs["images"])
    assert len(images) == 3
    assert outputs["scan"] == "true"


def test_a_public_repository_may_have_the_small_budget(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    private = project.outputs(private="yes")
    public = project.outputs(MLOPS_BUDGET="small")
    assert public["jobs"] == private["jobs"]
    assert public["minutes"] == ""


def test_an_unknown_budget_is_refused(project: Project) -> None:
    done = project.run(MLOPS_BUDGET="tiny")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "MLOPS_BUDGET is 'tiny': set it to full or small" in done.stderr
    output = project.output.read_text("utf-8")
    assert "failure=MLOPS_BUDGET" in output


def shards(outputs: dict[str, str]) -> list[str]:
    """Return the numbers of the jobs that train."""
    numbers: list[str] = json.loads(outputs["shards"])
    assert outputs["shard_count"] == str(len(numbers))
    return numbers


def test_one_job_trains_unless_the_repository_asks_for_more(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    one = project.outputs(private="yes")
    assert shards(one) == [""]
    three = project.outputs(private="yes", MLOPS_TRAIN_JOBS="3")
    assert shards(three) == ["1", "2", "3"]
    minutes_of_one = int(one["minutes"])
    minutes_of_three = int(three["minutes"])
    assert minutes_of_three > minutes_of_one


def test_a_training_that_is_only_reported_has_one_job(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    for event in ("pull_request", "merge_group"):
        outputs = project.outputs(event, MLOPS_TRAIN_JOBS="3")
        assert shards(outputs) == [""]


def test_no_job_is_without_one_of_the_tasks_that_are_named(project: Project) -> None:
    start = ("workflow_dispatch", "refs/heads/trunk")
    two = project.outputs(*start, tasks="iris credit", MLOPS_TRAIN_JOBS="3")
    assert shards(two) == ["1", "2"]
    one = project.outputs(*start, tasks="iris", MLOPS_TRAIN_JOBS="3")
    assert shards(one) == [""]


@pytest.mark.parametrize("number", ["0", "-1", "21", "two", "1.5"])
def test_another_number_of_jobs_is_refused(project: Project, number: str) -> None:
    done = project.run(MLOPS_TRAIN_JOBS=number)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    message = f"MLOPS_TRAIN_JOBS is '{number}': set it to a number from 1 to 20"
    assert message in done.stderr


def test_a_rehearsal_leaves_out_what_it_cannot_run(project: Project) -> None:
    project.commit("feat: more", "params.yaml")
    jobs = project.jobs(ACT="true")
    left_out = {"e2e", "images-arm", "test-windows"}
    assert not left_out & jobs
    assert "publish" in jobs


def test_every_plan_has_a_reason() -> None:
    main = Event("push", "refs/heads/main", "main")
    topic = Event("push", "refs/heads/topic", "main")
    own = Event("push", "refs/heads/main", "main", own=True)
    planned_for_main = plan(main, FULL)
    planned_for_topic = plan(topic, SMALL)
    planned_for_own = plan(own, FULL)
    assert "main" in planned_for_main.why
    assert "topic" in planned_for_topic.why
    assert "own" in planned_for_own.why
