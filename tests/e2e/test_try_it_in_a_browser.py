"""The page at `/` in a real browser, with a real API behind a prefix."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.api_with_worker import api_with_worker
from tests.support.browser import in_a_browser
from tests.support.browser_page import BrowserPage, browser_page
from tests.support.json_content import Json
from tests.support.service import TASKS
from tests.support.serving import Api, golden, served_manifest

pytestmark = [pytest.mark.slow, in_a_browser]
MLFLOW = "http://127.0.0.1:5000"
SETTINGS = {"API_ROOT_PATH": "/ml", "API_MLFLOW_URL": MLFLOW}
# What the field with the focus says about itself.
FOCUSED = """({
  name: document.activeElement.name,
  invalid: document.activeElement.getAttribute("aria-invalid"),
})"""
# The widths of the bars of a table, from top to bottom.
WIDTHS = "%s.map(row => Number(row.querySelector('rect').getAttribute('width')))"
# Requests are refused as a proxy with keys does; the last one's headers are kept.
REFUSE = """window.fetch = async (address, request) => {
  window.sent = request.headers;
  return new Response('{"detail": "A key is needed."}', {status: 401});
}"""
every_task = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("served")
    with Api(folder, **SETTINGS) as api:
        yield api


@pytest.fixture(scope="module")
def page(
    served: Api, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserPage]:
    profile = tmp_path_factory.mktemp("profile")
    with browser_page(profile) as browser:
        browser.open(f"http://127.0.0.1:{served.port}/ml")
        yield browser
        assert browser.faults == []


def field(task: str, name: str) -> str:
    """Return the selector of a field."""
    return f'#task-{task} [name="{name}"]'


def click(page: BrowserPage, task: str, name: str) -> None:
    """Click a button by its text."""
    buttons = f"[...document.querySelectorAll('#task-{task} button')]"
    button = f"{buttons}.find(one => one.innerText == {json.dumps(name)})"
    page.evaluate(f"{button}.click()")


def predict(page: BrowserPage, task: str) -> str:
    """Select *Predict*, and return the sentence with the answer."""
    click(page, task, "Predict")
    return page.text_of_new(f"#task-{task} .result")


@every_task
def test_the_example_of_every_task_is_answered_as_the_api_answers(
    page: BrowserPage, served: Api, task: str
) -> None:
    sentence = predict(page, task)
    record = golden(task)
    has_interval = task == "housing"
    query = "?interval=90" if has_interval else ""
    expected = served.post(f"/predict/{task}{query}", record)
    interval = page.evaluate(
        f"document.querySelector('#task-{task} .interval').innerText"
    )
    assert interval.startswith("90 % prediction interval: ") == has_interval
    if "confidence" in expected:
        label = expected["prediction"].replace("_", " ")
        percent = round(100 * expected["confidence"], 1)
        end = f": {label} with a confidence of {percent:g} %"
        assert sentence.endswith(end)
    else:
        number = re.search(r": (-?[\d.]+) ", sentence)
        assert number
        shown = float(number[1])
        assert shown == pytest.approx(expected["prediction"], rel=1e-3)
        assert expected["unit"] in sentence
        low, high = re.findall(r"[\d.]+", interval.partition(":")[2])
        bounds = expected["interval"]
        assert float(low) == pytest.approx(bounds["low"], rel=1e-3)
        assert float(high) == pytest.approx(bounds["high"], rel=1e-3)


@every_task
def test_the_model_and_its_answer_are_linked_to_the_run(
    page: BrowserPage, task: str
) -> None:
    predict(page, task)
    links = f"[...document.querySelectorAll('#task-{task} a')]"
    addresses = page.evaluate(f"{links}.map(link => link.href)")
    run_id = served_manifest(task)["run_id"]
    run = f"{MLFLOW}/#/runs/{run_id}"
    assert addresses == [run, run]


def test_other_values_by_the_keyboard_change_the_answer(
    page: BrowserPage, served: Api
) -> None:
    example = golden("iris")
    record = example | {"petal_length": 1.4, "petal_width": 0.2}
    of_example = served.post("/predict/iris", example)["prediction"]
    expected = served.post("/predict/iris", record)["prediction"]
    assert expected != of_example
    for name in ("petal_length", "petal_width"):
        selector = field("iris", name)
        page.type_into(selector, str(record[name]))
    page.press("Enter")
    sentence = page.text_of_new("#task-iris .result")
    assert f": {expected} with" in sentence
    click(page, "iris", "Example values")
    selector = json.dumps(field("iris", "petal_length"))
    value = page.evaluate(f"document.querySelector({selector}).value")
    assert float(value) == example["petal_length"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("99", "less than or equal to"),
        ("much", "valid number"),
        ("", "valid number"),
    ],
)
def test_a_bad_value_is_marked_at_its_field_and_nothing_is_predicted(
    page: BrowserPage, text: str, fault: str
) -> None:
    selector = field("housing", "MedInc")
    page.type_into(selector, text)
    page.press("Enter")
    sentence = page.text_of_new("#task-housing [role=status] .bad")
    assert sentence == "✕ No prediction: see MedInc."
    focused: Json = page.evaluate(FOCUSED)
    assert focused == {"name": "MedInc", "invalid": "true"}
    assert fault in page.text("#task-housing .fields")
    click(page, "housing", "Example values")
    assert "✕" not in page.text("#task-housing")


@pytest.fixture(scope="module")
def explaining_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserPage]:
    """The page of an API that has a worker beside it."""
    folder = tmp_path_factory.mktemp("explaining")
    with api_with_worker(folder) as api, browser_page(folder / "profile") as browser:
        browser.open(f"http://127.0.0.1:{api.port}")
        yield browser
        assert browser.faults == []


@pytest.mark.nightly
@every_task
def test_an_explanation_names_every_value_with_a_bar(
    explaining_page: BrowserPage, task: str
) -> None:
    page = explaining_page
    predict(page, task)
    click(page, task, "Explain this answer")
    output = f"#task-{task} .answer:last-child"
    page.text_of_new(f"{output} table")
    rows = f"[...document.querySelectorAll('{output} tbody tr')]"
    names: list[str] = page.evaluate(f"{rows}.map(row => row.cells[0].innerText)")
    record = golden(task)
    assert sorted(names) == sorted(record)
    widths: list[float] = page.evaluate(WIDTHS % rows)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == pytest.approx(49)
    summary = page.text(f"{output} [role=status]")
    assert summary.startswith(f"{names[0]} contributes most to")


def test_every_field_and_button_has_a_name_for_screen_readers(
    page: BrowserPage,
) -> None:
    names: dict[str, list[str]] = {
        "textbox": [],
        "combobox": [],
        "button": [],
    }
    for node in page.command("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if role in names and not node["ignored"]:
            name = node["name"]["value"]
            names[role].append(name)
    fields = names["textbox"] + names["combobox"]
    features = 0
    for task in TASKS:
        manifest = served_manifest(task)
        features += len(manifest["features"])
    assert len(fields) == features
    assert all(fields)
    assert names["button"].count("Predict") == len(TASKS)


def test_the_keyboard_reaches_the_buttons_after_the_fields(page: BrowserPage) -> None:
    selector = json.dumps(field("iris", "petal_width"))
    page.evaluate(f"document.querySelector({selector}).focus()")
    for expected in ("Predict", "Example values"):
        page.press("Tab")
        reached = page.evaluate("document.activeElement.innerText")
        assert reached == expected


def test_an_explanation_without_a_worker_is_refused_in_a_sentence(
    page: BrowserPage,
) -> None:
    predict(page, "iris")
    click(page, "iris", "Explain this answer")
    sentence = page.text_of_new("#task-iris .answer:last-child .bad")
    assert sentence.startswith("✕ ")
    assert "worker" in sentence


def test_where_predictions_need_a_key_the_page_asks_for_it(page: BrowserPage) -> None:
    page.evaluate(REFUSE)
    click(page, "iris", "Example values")
    click(page, "iris", "Predict")
    sentence = page.text_of_new("#task-iris [role=status] .bad")
    assert sentence == "✕ A key is needed."
    assert "X-API-Key" not in page.evaluate("sent")
    assert page.evaluate("document.getElementById('locked').checkVisibility()")
    page.type_into("#key", "of the team")
    click(page, "iris", "Predict")
    page.wait_for("sent['X-API-Key'] == 'of the team'")
