"""The whole workflow with a real engine: images built, pushed and tried, `latest` moved
or not.

Those that are slow take minutes each: `nox -s stack -- -m slow`.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from core.git import git, git_bytes
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.stack.engine import Stack, docker
from tests.stack.release import Registry
from tests.support.factories import PARAMS
from tests.support.small_project import ONE_PYTHON, Project
from tools.rehearse import events
from tools.rehearse.act import REPOSITORY, Run
from tools.rehearse.docker import own_stack, registry
from tools.rehearse.github import GitHub, github

OWNER = "mlops-rehearsal"
IMAGES = ("mlops-api", "mlops-mlflow", "mlops-pipeline")


@pytest.fixture(scope="module")
def there(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry; the stack's images are built before it is needed, so that the cache
    has them.
    """
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield Registry(address, f"{OWNER}/{REPOSITORY.partition('/')[2]}")


@pytest.fixture
def api() -> Iterator[GitHub]:
    with github() as server:
        yield server


@pytest.fixture
def project(there: Registry, api: GitHub, tmp_path: Path) -> Iterator[Project]:
    """A project whose images go to the registry, and are gone from the engine
    afterwards.
    """
    environment = own_stack(tmp_path, ["grafana", "cadvisor"]) | {"OWNER": OWNER}
    found = Project(tmp_path, api, environment)
    found.runner.variables["REGISTRY"] = there.address
    yield found
    for name in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split():
        if f"/{OWNER}/" in name:
            docker("rmi", name)


@pytest.mark.slow
def test_a_worse_model_is_a_green_push_and_the_champion_stays(
    project: Project, there: Registry
) -> None:
    served = git(project.origin, "rev-parse", "main:deployment/models/iris/model.onnx")
    (project.clone / "params.yaml").write_text(PARAMS % "0.00001", "utf-8")
    run = project.push("feat: a worse model", *ONE_PYTHON)
    assert set(run.results.values()) == {"success"}, (run.results, run.summary)
    commit = run.jobs["publish"].outputs["commit"]
    assert commit == project.main
    assert (
        git(project.origin, "rev-parse", "main:deployment/models/iris/model.onnx")
        == served
    )
    added = git(project.origin, "diff", "--name-only", "main~1", "main").splitlines()
    assert sum(path.endswith("run.json") for path in added) == 3

    page = run.summary
    assert page.startswith("# ✅ Published: iris v2 stays\n")
    for told in (
        "The gate refused",
        "better than champion",
        "logistic_regression",
        commit[:7],
    ):
        assert told in page
    for image in IMAGES:
        digest = there.digest(image, f"sha-{commit}")
        assert digest and digest in page
    latest = there.digest("mlops-api", "latest")
    assert latest
    assert project.github.statuses[commit]["state"] == "success"
    # What would be signed names the commit that was built, and the model that is in it.
    signed = json.loads((run.folder / "attested" / "mlops-api.json").read_text("utf-8"))
    source, model = signed["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": commit}
    content = git_bytes(
        project.origin, "show", "main:deployment/models/iris/model.onnx"
    )
    assert model["digest"] == {"sha256": hashlib.sha256(content).hexdigest()}

    # An image that must not be used stops the next one: what is on main stays, `latest`
    # too.
    project.pull()
    (project.clone / "params.yaml").write_text(PARAMS % "0.00002", "utf-8")
    project.runner.environment["REHEARSAL_CRITICAL"] = "mlops-api"
    red = project.push("feat: the next one", *ONE_PYTHON)
    assert red.results["smoke"] == red.results["verdict"] == "failure"
    assert red.results.get("release", "skipped") == "skipped"
    assert "Stopped: smoke failed" in red.summary and ".trivyignore" in red.summary
    assert "are published" in red.summary and "`latest` was not moved" in red.summary
    assert project.main == red.jobs["publish"].outputs["commit"]
    assert there.digest("mlops-api", "latest") == latest


@pytest.mark.slow
def test_a_pull_request_from_a_fork_passes_and_publishes_nothing(
    project: Project, there: Registry
) -> None:
    project.push("feat: smaller", "--job", "plan")
    before = project.main
    git(project.clone, "switch", "--quiet", "--create", "change")
    (project.clone / "params.yaml").write_text(PARAMS % 0.5, "utf-8")
    # A fork has no secrets, and a token that cannot write.
    project.hook("pre-receive", "exit 1")
    git(
        project.clone,
        "-c",
        "user.name=F",
        "-c",
        "user.email=f@e.org",
        "commit",
        "-qam",
        "feat: C",
    )
    event = events.pull_request(project.clone, 7, "somebody/name")
    run = project.runner.run(project.clone, "pull_request", event, *ONE_PYTHON)
    assert run.results["verdict"] == "success", (run.results, run.summary)
    assert {name for name, result in run.results.items() if result == "success"} == {
        "plan",
        "lint",
        "test",
        "train",
        "smoke",
        "verdict",
    }
    assert project.main == before
    assert (
        there.digest("mlops-api", f"sha-{git(project.clone, 'rev-parse', 'HEAD')}")
        == ""
    )
    assert "nothing published" in run.summary and "The gate" in run.summary
    assert project.github.comments == []


@pytest.mark.slow
def test_five_pushes_that_overlap_are_all_published(
    tmp_path: Path, api: GitHub
) -> None:
    project = Project(tmp_path, api)
    before = project.runs()
    project.push("feat: smaller", "--job", "plan")

    def push(number: int) -> Run:
        """Push a change on top of the others', before the answer to one of them has
        come.
        """
        with pushing:
            clone = project.another(f"clone-{number}")
            (clone / "params.yaml").write_text(PARAMS % (0.02 * 4**number), "utf-8")
            commit_all(clone, f"feat: C of {number}")
            git(clone, "push", "--quiet", "origin", "HEAD:main")
        here = events.push(clone)
        return project.runner.run(clone, "push", here, "--job", "publish", *ONE_PYTHON)

    pushing = Lock()
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(push, range(5)))

    landed = git(project.origin, "log", "--format=%H", "main").split()
    published = [run.jobs["publish"].outputs["commit"] for run in answers]
    assert len(set(published) & set(landed)) == 5
    assert len(project.runs() - before) == 5 * 3
    seen = Repo.open(project.another("look"))
    assert verify(seen) == []
    # The right champion: each decision was made against the one that stood at its
    # commit.
    for commit in published:
        subject = git(project.origin, "log", "-1", "--format=%s", commit)
        model = f"{commit}{{}}:deployment/models/iris/model.onnx"
        same = git(project.origin, "rev-parse", model.format("")) == git(
            project.origin, "rev-parse", model.format("~1")
        )
        assert same == ("stays" in subject)
