"""Changed, spoiled and missing files of the models that a running API serves."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.serving.model import Model
from tests.support.json_content import Json
from tests.support.load import steady_requests
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, Api, edit, manifest, put_older_version
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def houses() -> list[Json]:
    """Return houses that differ by the income of their neighbours."""
    records = []
    for income in range(1, 16):
        changed = {"MedInc": float(income)}
        records.append(HOUSE | changed)
    return records


HOUSES = houses()


def two_versions(served: Path, folder: Path) -> dict[int, Path]:
    """Copy an older version and the served one; return their folders by version."""
    older = folder / "old"
    newest = folder / "new"
    shutil.copytree(served, older)
    shutil.copytree(served, newest)
    older_version = put_older_version(older, "housing")
    newest_version = manifest(newest)["version"]
    return {older_version: older, newest_version: newest}


def put_into_service(source: Path, served: Path) -> None:
    for name in ("model.onnx", "manifest.json"):
        new = source / name
        shutil.copyfile(new, served / name)


def wait_for_version(api: Api, version: int) -> None:
    def is_served() -> bool:
        health = api.get("/health")
        versions = health["models"]
        return bool(versions["housing"] == version)

    wait_until(is_served)


def check_answer(answer: httpx.Response, models: dict[int, Model]) -> int:
    """Compare a whole answer with the one model that it names; return its version."""
    assert answer.status_code == 200
    content = answer.json()
    version: int = content["model_version"]
    model = models[version]
    assert content["run_id"] == model.manifest.run_id
    values = [row["prediction"] for row in content["predictions"]]
    output = model.run(HOUSES)
    expected = output[:, 0].tolist()
    assert values == pytest.approx(expected, rel=1e-5)
    return version


def test_a_reload_under_load_fails_none_and_each_answer_is_of_one_version(
    own_api: Api,
    tmp_path: Path,
) -> None:
    served = own_api.models / "housing"
    folders = two_versions(served, tmp_path / "kept")
    models = {}
    for version, folder in folders.items():
        models[version] = Model(folder)
    assert len(models) == 2
    versions_in_turn = list(folders) * 3
    with steady_requests(own_api, HOUSES) as answers:
        for version in versions_in_turn:
            put_into_service(folders[version], served)
            wait_for_version(own_api, version)
    assert own_api.metric("model_reload_failures_total") == 0
    versions = {check_answer(answer, models) for answer in answers}
    assert versions == set(models)


def housing_problem(api: Api) -> str | None:
    """Return why the files of the model are refused."""
    models = api.get("/models")
    summary = models["housing"]
    problem: str | None = summary["problem"]
    return problem


def reload_failures(api: Api) -> float:
    return api.metric("model_reload_failures_total", task="housing")


def check_degraded(api: Api, failures: float) -> None:
    """Check that health, metrics and the log report the refusal, and of housing alone."""
    problem = housing_problem(api)
    health = api.get("/health")
    expected = {
        "status": "degraded",
        "problems": [f"housing: {problem}"],
    }
    assert health.items() >= expected.items()
    assert reload_failures(api) == failures
    assert api.metric("model_up_to_date", task="housing") == 0
    assert api.metric("model_up_to_date", task="iris") == 1

    def logged_refusals() -> int:
        log = api.log.read_text("utf-8")
        return log.count("a model was refused")

    wait_until(lambda: logged_refusals() == failures)


def tamper(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:1000])


def exchange(path: Path) -> None:
    models = path.parent.parent
    of_another_task = models / "iris" / path.name
    shutil.copyfile(of_another_task, path)


def mismatch(path: Path) -> None:
    another_digest = "0" * 64
    edit(path.parent, sha256=another_digest)


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API whose files are whole again after each test."""
    folder = tmp_path_factory.mktemp("mended")
    with Api(folder) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("model.onnx", tamper),
        ("model.onnx", truncate),
        ("model.onnx", exchange),
        ("model.onnx", Path.unlink),
        ("manifest.json", mismatch),
        ("manifest.json", truncate),
        ("manifest.json", exchange),
        ("manifest.json", Path.unlink),
    ],
)
def test_a_spoiled_file_is_refused_and_the_old_model_serves_on(
    mended: Api,
    name: str,
    spoil: Callable[[Path], None],
) -> None:
    path = mended.models / "housing" / name
    failures = reload_failures(mended)
    before = mended.post("/predict", HOUSE)
    spoil(path)
    wait_until(lambda: housing_problem(mended))
    check_degraded(mended, failures + 1)
    after = mended.post("/predict", HOUSE)
    assert after["prediction"] == before["prediction"]
    whole = MODELS / "housing" / name
    shutil.copyfile(whole, path)

    def is_ok() -> bool:
        health = mended.get("/health")
        return bool(health["status"] == "ok")

    wait_until(is_ok)
    assert mended.metric("model_up_to_date", task="housing") == 1


def test_without_models_it_starts_says_what_to_do_and_takes_them_when_they_come(
    tmp_path: Path,
) -> None:
    with Api(tmp_path, models=None) as api:
        assert api.get("/health/live") == {"status": "ok"}
        health = api.get("/health/ready", 503)
        problem, *_ = health["problems"]
        assert health["status"] == "not ready"
        assert "git checkout" in problem
        assert api.get("/models") == {}
        refused = api.post("/predict", HOUSE, 503)
        assert "holds no model" in refused["detail"]
        document = api.get("/openapi.json")
        assert document["paths"]
        shutil.copytree(MODELS, api.models)
        wait_until(lambda: sorted(api.get("/models")) == TASKS)
        wait_until(lambda: api.client.get("/health/ready").is_success)
        answer = api.post("/predict", HOUSE)
        assert 0 < answer["prediction"] < 6
