"""The whole workflow with a real engine: images are built, pushed and tried, and
`latest` moves or stays.

The slow ones take minutes each: `nox -s stack -- -m slow`.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from core.file_names import RELEASE
from core.git import git, git_bytes
from pipeline.release.schema import Release
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.stack.engine import Stack, docker
from tests.stack.release import IMAGES, Registry
from tests.support.factories import PARAMS
from tests.support.small_project import ONE_PYTHON, Project
from tools.rehearse import events
from tools.rehearse.act import REPOSITORY, Run
from tools.rehearse.docker import own_stack, registry
from tools.rehearse.github import GitHub, github

OWNER = "mlops-rehearsal"
MODEL = "deployment/models/iris/model.onnx"
OF_A_FORK = {"plan", "lint", "test", "train", "smoke", "verdict"}
PUSHES = 5


@pytest.fixture(scope="module")
def there(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry; the stack's images are built before it is needed, so that the cache
    has them.
    """
    _, name = REPOSITORY.split("/")
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield Registry(address, f"{OWNER}/{name}".lower())


@pytest.fixture
def api() -> Iterator[GitHub]:
    with github() as server:
        yield server


@pytest.fixture
def project(there: Registry, api: GitHub, tmp_path: Path) -> Iterator[Project]:
    """A project whose images go to the registry, and are gone from the engine
    afterwards.
    """
    environment = own_stack(tmp_path, ["grafana", "cadvisor"])
    environment["OWNER"] = OWNER
    project = Project(tmp_path, api, environment)
    project.runner.variables["REGISTRY"] = there.address
    yield project
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    for name in images.split():
        if f"/{OWNER}/" in name:
            docker("rmi", name)


def write_parameters(clone: Path, regularisation: str | float) -> None:
    """Let logistic regressions be trained with a regularisation, and no other model."""
    content = PARAMS % regularisation
    (clone / "params.yaml").write_text(content, "utf-8")


def model_at(project: Project, commit: str) -> str:
    """Return the Git object of the model at a commit."""
    return git(project.origin, "rev-parse", f"{commit}:{MODEL}")


def published_by(run: Run) -> str:
    """Return the commit that a run has published."""
    publish = run.jobs["publish"]
    return publish.outputs["commit"]


@pytest.mark.slow
def test_a_worse_model_is_a_green_push_and_the_champion_stays(
    project: Project, there: Registry
) -> None:
    served = model_at(project, "main")
    write_parameters(project.clone, "0.00001")
    run = project.push("feat: a worse model", *ONE_PYTHON)
    results = set(run.results.values())
    assert results == {"success"}, run.failures
    commit = published_by(run)
    assert_release_is_declared(run, project, commit, there)
    assert model_at(project, "main") == served
    added = git(project.origin, "diff", "--name-only", f"{commit}~1", commit)
    assert added.count("run.json") == 3
    assert_refusal_is_explained(run, commit, there)
    status = project.github.statuses[commit]
    assert status["state"] == "success"
    assert_signature_names_the_model(run, project, commit)

    latest = there.digest("mlops-api", "latest")
    assert latest
    assert_unusable_image_stops_a_run(project)
    assert there.digest("mlops-api", "latest") == latest


def assert_release_is_declared(
    run: Run, project: Project, commit: str, there: Registry
) -> None:
    """Look at the last commit: the release of the published one, and nothing else."""
    declared = run.jobs["release"]
    assert declared.result == "success"
    assert git(project.origin, "rev-parse", "main~1") == commit
    changed = git(project.origin, "diff", "--name-only", commit, "main")
    assert changed == RELEASE
    text = git(project.origin, "show", f"main:{RELEASE}")
    release = Release.parse(f"{text}\n")
    assert release.commit == commit
    release.require_models(project.origin)
    digest = there.digest("mlops-api", f"sha-{commit}")
    assert release.images["api"].endswith(f"/mlops-api@{digest}")
    # The engine's own builder has pushed no index; the tag `latest` is always one.
    assert digest in there.listed("mlops-api", "latest")


def assert_refusal_is_explained(run: Run, commit: str, there: Registry) -> None:
    """Look at the page of a run whose model was refused."""
    page = run.summary
    assert page.startswith("# ✅ Published: iris v2 stays\n")
    parts = (
        "was **not** promoted",
        "better than champion",
        "logistic_regression",
        commit[:7],
    )
    for part in parts:
        assert part in page
    tag = f"sha-{commit}"
    for image in IMAGES:
        digest = there.digest(image, tag)
        assert digest
        assert digest in page


def assert_signature_names_the_model(run: Run, project: Project, commit: str) -> None:
    """Look at what would be signed: the commit that was built, and the model in it."""
    attested = run.folder / "attested" / "mlops-api.json"
    signed = json.loads(attested.read_text("utf-8"))
    source, *models = signed["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": commit}
    content = git_bytes(project.origin, "show", f"main:{MODEL}")
    digest = hashlib.sha256(content).hexdigest()
    assert {"name": MODEL, "digest": {"sha256": digest}} in models


def assert_unusable_image_stops_a_run(project: Project) -> None:
    """Push another model, whose image has a critical vulnerability.

    What is on main stays there, and `latest` is not moved.
    """
    project.pull()
    write_parameters(project.clone, "0.00002")
    project.runner.environment["REHEARSAL_CRITICAL"] = "mlops-api"
    red = project.push("feat: the next one", *ONE_PYTHON)
    assert red.results["smoke"] == "failure"
    assert red.results["verdict"] == "failure"
    assert red.results.get("release", "skipped") == "skipped"
    parts = (
        "Stopped: smoke failed",
        ".trivyignore",
        "are published",
        "`latest` was not moved",
    )
    for part in parts:
        assert part in red.summary
    assert project.main == published_by(red)


@pytest.mark.slow
def test_a_pull_request_from_a_fork_passes_and_publishes_nothing(
    project: Project, there: Registry
) -> None:
    project.push("feat: smaller", "--job", "plan")
    before = project.main
    clone = project.clone
    git(clone, "switch", "--quiet", "--create", "change")
    write_parameters(clone, 0.5)
    # A fork has no secrets, and a token that cannot write.
    project.hook("pre-receive", "exit 1")
    commit = commit_all(clone, "feat: C")
    event = events.pull_request(clone, 7, "somebody/name")
    run = project.runner.run(clone, "pull_request", event, *ONE_PYTHON)
    results = run.results
    assert results["verdict"] == "success", run.failures
    succeeded = {job for job in results if results[job] == "success"}
    assert succeeded == OF_A_FORK
    assert project.main == before
    tag = f"sha-{commit}"
    assert there.digest("mlops-api", tag) == ""
    assert "nothing published" in run.summary
    assert "What was tried" in run.summary
    assert project.github.comments == []


@pytest.mark.slow
def test_five_pushes_that_overlap_are_all_published(
    tmp_path: Path, api: GitHub
) -> None:
    project = Project(tmp_path, api)
    before = project.runs()
    project.push("feat: smaller", "--job", "plan")
    pushing = Lock()

    def push(number: int) -> Run:
        """Push a change on top of the others, before any of them has been answered."""
        with pushing:
            clone = project.another(f"clone-{number}")
            write_parameters(clone, 0.02 * 4**number)
            commit_all(clone, f"feat: C of {number}")
            git(clone, "push", "--quiet", "origin", "HEAD:main")
        event = events.push(clone)
        publish = ("--job", "publish", *ONE_PYTHON)
        return project.runner.run(clone, "push", event, *publish)

    with ThreadPoolExecutor(PUSHES) as pool:
        runs = list(pool.map(push, range(PUSHES)))

    log = git(project.origin, "log", "--format=%H", "main")
    landed = log.split()
    published = {published_by(run) for run in runs}
    assert len(published) == PUSHES
    assert published.issubset(landed)
    added = project.runs() - before
    assert len(added) == PUSHES * 3
    clone = Repo.open(project.another("look"))
    assert verify(clone) == []
    # Each decision was made against the champion that stood at its commit.
    for commit in published:
        subject = git(project.origin, "log", "-1", "--format=%s", commit)
        previous = model_at(project, f"{commit}~1")
        stays = model_at(project, commit) == previous
        assert stays == ("stays" in subject)
