"""Publishers at once, each with its own challengers for all tasks."""

import random
import subprocess
import sys
from collections.abc import Callable

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
from tests.paths import ROOT
from tests.support import factories
from tests.support.service import TASKS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("publishers", [4, pytest.param(8, marks=pytest.mark.nightly)])
def test_all_land_and_the_right_model_is_champion(
    clone: Callable[..., Repo], publishers: int
) -> None:
    chance = random.Random(20)
    repos = [clone(f"clone-{number}") for number in range(publishers)]
    for number, repo in enumerate(repos):
        # Far enough apart for the gate to tell them apart, so that the champion changes
        # often.
        noises = {name: 1.4 ** -chance.uniform(0, publishers) for name in TASKS}
        commit = git(repo.root, "rev-parse", "HEAD")
        factories.bundle(repo.build / "bundle", commit, noises, seed=number)

    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "publish"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for repo in repos
    ]
    said = [process.communicate() for process in running]

    assert [process.returncode for process in running] == [0] * publishers, said
    landed = clone("landed")
    assert verify(landed) == []
    commits = git(
        landed.root, "log", "--reverse", "--format=%H", f"HEAD~{publishers}..HEAD"
    ).split()
    assert sorted(out.strip() for out, _ in said) == sorted(commits)
    assert len(layout.run_folders(landed.mlruns)) == publishers * len(TASKS) * 2
    promotions = 0
    for name in TASKS:
        expected = _replay(name, commits, landed, repos)
        known = registry.versions(landed.mlruns, name)
        assert [entry.run_id for entry in known] == expected
        assert [entry.version for entry in known] == list(range(1, len(expected) + 1))
        promotions += len(expected)
    assert promotions > len(TASKS), "no champion changed: the race was not tried"


def _replay(
    name: str, commits: list[str], landed: Repo, repos: list[Repo]
) -> list[str]:
    """Ask the gate again, bundle by bundle in the order of landing; return the promoted
    runs.
    """
    folders = {
        bundles.read(repo.build / "bundle").tasks[name].parent_run: repo
        for repo in repos
    }
    champion, promoted = None, []
    for commit in commits:
        added = git(
            landed.root,
            "show",
            "--format=",
            "--name-only",
            commit,
            "--",
            f"mlruns/{name}",
        )
        parents = {line.split("/")[3] for line in added.splitlines()} & folders.keys()
        folder = folders[parents.pop()].build / "bundle"
        challenger = bundles.read(folder).tasks[name].challenger
        assert challenger
        run = layout.run_folders(folder / "mlruns")[challenger.run_id]
        model = OnnxModel(run / layout.MODELS / challenger.model_id / "model.onnx")
        holdout = pd.read_csv(
            folder / "holdout" / f"{name}.csv.gz", keep_default_na=False
        )
        if decide(tasks.load(name), challenger, model, champion, holdout).promote:
            champion = model
            promoted.append(challenger.run_id)
    return promoted
