"""Publishers at once, each with its own challengers for all tasks."""

import subprocess
import sys

import pandas as pd
import pytest

from core.git import git
from core.onnx_model import OnnxModel
from history import layout, registry
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.publish.gate import decide
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import Clone
from tests.paths import ROOT
from tests.support import factories
from tests.support.publishing_team import BETTER, GOOD, WORSE
from tests.support.service import TASKS

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
# Models of rows with such different noise are clearly better and worse to the gate.
NOISES = (WORSE, GOOD, BETTER)


def start_publish(repo: Repo) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "publish"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_bundles(repos: list[Repo]) -> None:
    """Give each repository a challenger of another quality for each task.

    Whoever lands first has the worst challenger of one task, which a later one replaces.
    """
    for number, repo in enumerate(repos):
        noises = {}
        for place, name in enumerate(TASKS):
            noises[name] = NOISES[(number + place) % len(NOISES)]
        commit = git(repo.root, "rev-parse", "HEAD")
        factories.bundle(repo.build / "bundle", commit, noises, seed=number)


@pytest.mark.parametrize("publishers", [4, 8, 20])
def test_all_land_and_the_right_model_is_champion(
    clone: Clone, publishers: int
) -> None:
    repos = [clone(f"clone-{number}") for number in range(publishers)]
    write_bundles(repos)
    processes = [start_publish(repo) for repo in repos]
    printed = []
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        printed.append(output.strip())

    landed = clone("landed")
    assert verify(landed) == []
    revisions = f"HEAD~{publishers}..HEAD"
    log = git(landed.root, "log", "--reverse", "--format=%H", revisions)
    commits = log.split()
    assert sorted(printed) == sorted(commits)
    runs = layout.run_folders(landed.mlruns)
    assert len(runs) == publishers * len(TASKS) * 2
    promotions = 0
    for name in TASKS:
        expected = _replay(name, commits, landed, repos)
        versions = registry.versions(landed.mlruns, name)
        assert [entry.run_id for entry in versions] == expected
        numbers = [entry.version for entry in versions]
        assert numbers == list(range(1, len(expected) + 1))
        promotions += len(expected)
    assert promotions > len(TASKS), "no champion changed: the race was not tried"


def _replay(
    name: str, commits: list[str], landed: Repo, repos: list[Repo]
) -> list[str]:
    """Repeat the gate's decisions in the order of landing; return the promoted runs."""
    bundle_of_run = {}
    for repo in repos:
        folder = repo.build / "bundle"
        parent_run = bundles.read(folder).tasks[name].parent_run
        bundle_of_run[parent_run] = folder
    champion = None
    compared: set[str] = set()
    promoted = []
    for commit in commits:
        show = ("show", "--format=", "--name-only", commit)
        added = git(landed.root, *show, "--", f"mlruns/{name}")
        run_ids = {line.split("/")[3] for line in added.splitlines()}
        (parent_run,) = run_ids & bundle_of_run.keys()
        folder = bundle_of_run[parent_run]
        challenger = bundles.read(folder).tasks[name].challenger
        assert challenger
        run = layout.run_folders(folder / "mlruns")[challenger.run_id]
        model = OnnxModel(run / layout.MODELS / challenger.model_id / "model.onnx")
        rows = folder / "holdout" / f"{name}.csv.gz"
        holdout = pd.read_csv(rows, keep_default_na=False)
        earlier = len(compared - {model.sha256})
        task = tasks.load(name)
        decision = decide(task, challenger, model, champion, holdout, earlier)
        if decision.compared:
            compared.add(decision.compared)
        if decision.promote:
            champion = model
            compared.clear()
            promoted.append(challenger.run_id)
    return promoted
