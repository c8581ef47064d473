"""The stages of a training: together they leave what `pipeline train` leaves."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from core.manifest import Parity
from history import layout, runfile
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.bundle import Bundle
from pipeline.data import table as tables
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.stages import (
    candidate_files,
    evaluate,
    features,
    prepare,
    register,
    train,
    validate,
)
from pipeline.stages.candidate_files import Timed
from pipeline.stages.folder import StageFolder
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.settings import load
from pipeline.train.train import train as train_at_once
from tests.conftest import commit_all
from tests.support.generated_rows import rows

HOUSING = tasks.load("housing")
ROWS = 900  # of which enough of all groups of its slices are held out
PARAMS = """\
seed: 7
holdout_share: 0.2
tasks:
  housing:
    folds: 3
    exclude: [Population]
    candidates:
      dummy: {}
      gradient_boosting: {n_estimators: 5}
      linear_regression: {fit_intercept: neither}
"""
CANDIDATE = Candidate(
    algorithm="ridge",
    parameters={"alpha": 0.1},
    folds=[0.1, 1 / 3],
    cross_validation={"rmse_mean": 2 / 3, "rmse_std": 0.1},
    holdout={"rmse": 0.7},
    groups={"slice_price_low_rmse": 0.1 + 0.2},
    onnx=b"model",
    parity=Parity(rows=3, mismatches=0, largest_difference=float("nan"), tolerance=0.1),
    importance=np.array([[0.1, 0.2], [1 / 3, 0.4]]),
    fit_seconds=1.5,
    latency_ms=0.25,
    out_of_fold=np.array([[1.5, 1.4], [2.5, 1 / 7]]),
)
FAILURE = Failure("forest", {"n": 1}, "ValueError: n is too small")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    root = tmp_path_factory.mktemp("stages")
    git(root, "init", "--quiet", "-b", "main")
    (root / "params.yaml").write_text(PARAMS)
    (root / ".gitignore").write_text("build/\n")
    table = rows(HOUSING, ROWS)
    ranks = table["MedHouseVal"].rank(pct=True)
    evenly = (6 * ranks).round(3)
    values = table.assign(MedHouseVal=evenly)
    tables.write(root / "data" / "housing.csv.gz", values)
    commit_all(root, "feat: begin")
    return Repo.open(root)


@pytest.fixture(scope="module")
def settings(repo: Repo) -> Params:
    return load(repo)


def model_files(folder: Path, bundle: Bundle) -> dict[str, bytes]:
    """Return the files of the challenger of housing by their names."""
    challenger = bundle.tasks["housing"].challenger
    assert challenger
    (model,) = folder.rglob(challenger.model_id)
    return {path.name: path.read_bytes() for path in model.glob("m*.*")}


def artifacts(folder: Path) -> dict[str, bytes]:
    """Return the artifacts of a bundle's runs by algorithm and file."""
    files = {}
    for place in layout.run_folders(folder / "mlruns").values():
        run = runfile.load(place / layout.RUN_FILE)
        for path in place.glob("artifacts/*"):
            files[f"{run.name}/{path.name}"] = path.read_bytes()
    return files


@pytest.mark.slow
def test_the_stages_leave_the_bundle_of_a_training(
    repo: Repo, settings: Params
) -> None:
    sentences = [
        prepare.run(repo, HOUSING),
        features.run(repo, HOUSING, settings),
        train.run(repo, HOUSING, settings),
        evaluate.run(repo, HOUSING, settings),
        validate.run(repo, HOUSING),
        register.run(repo, HOUSING, settings),
    ]
    assert sentences[0] == "housing: 900 rows of data/housing.csv.gz"
    assert sentences[2] == (
        "housing: 2 candidates are trained, linear_regression failed"
    )
    folder = StageFolder(repo, "housing").bundle
    by_stages = bundles.read(folder)
    at_once = train_at_once(repo, [], repo.build / "bundle")
    expected = model_files(repo.build / "bundle", at_once)
    assert set(expected) == {"model.onnx", "manifest.json"}
    assert model_files(folder, by_stages) == expected
    assert artifacts(folder) == artifacts(repo.build / "bundle")
    check_evidence(by_stages, at_once)


def check_evidence(by_stages: Bundle, at_once: Bundle) -> None:
    """Check that two bundles have the same evidence but for IDs and the clock."""
    assert (by_stages.commit, by_stages.dirty) == (at_once.commit, at_once.dirty)
    one, other = by_stages.tasks["housing"], at_once.tasks["housing"]
    assert one.data_digest == other.data_digest
    assert len(one.run_ids) == len(other.run_ids)
    assert one.challenger
    assert other.challenger
    own = {"run_id", "model_id", "latency_ms"}
    assert one.challenger.model_dump(exclude=own) == other.challenger.model_dump(
        exclude=own
    )


def test_a_stage_before_its_time_says_what_is_missing(
    tmp_path: Path, settings: Params
) -> None:
    with pytest.raises(UsageError, match=r"table\.csv\.gz is missing: `dvc repro`"):
        features.run(Repo(tmp_path), HOUSING, settings)


def test_candidates_that_all_fail_end_the_stage(repo: Repo, settings: Params) -> None:
    section = settings.tasks["housing"]
    failing = {"linear_regression": {"fit_intercept": "neither"}}
    update = {"housing": section.model_copy(update={"candidates": failing})}
    changed = settings.model_copy(update={"tasks": update})
    prepare.run(repo, HOUSING)
    features.run(repo, HOUSING, changed)
    with pytest.raises(PipelineError) as caught:
        train.run(repo, HOUSING, changed)
    sentence = str(caught.value)
    assert sentence.startswith("housing: every candidate failed (linear_regression: ")
    assert sentence.endswith("correct tasks.housing.candidates in params.yaml.")


def test_candidates_are_the_same_after_they_were_written(tmp_path: Path) -> None:
    results: list[Candidate | Failure] = [CANDIDATE, FAILURE]
    candidate_files.write(tmp_path, results)
    timed = [Timed(CANDIDATE, 10.5), Timed(FAILURE, 11.5)]
    timings = tmp_path / "timings.json"
    timings.write_text(candidate_files.render_timings(timed))
    first, second = candidate_files.read_timed(tmp_path, timings)
    assert second == timed[1]
    assert first.began == 10.5
    assert isinstance(first.result, Candidate)
    for name, value in vars(CANDIDATE).items():
        read = vars(first.result)[name]
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(read, value)
        else:
            assert repr(read) == repr(value)  # a NaN is not equal to itself


def test_the_clock_changes_no_file_of_a_candidate(tmp_path: Path) -> None:
    slower = Candidate(**vars(CANDIDATE) | {"fit_seconds": 9.0, "latency_ms": 9.0})
    for name, candidate in (("one", CANDIDATE), ("other", slower)):
        candidate_files.write(tmp_path / name, [candidate])
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()
