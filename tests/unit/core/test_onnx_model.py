"""One class opens ONNX files, for the API and for the pipeline."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, ValueInfoProto, helper

from core.files import sha256_file
from core.onnx_model import OnnxModel
from pipeline import tasks
from tests.support import factories
from tests.support.service import MODELS, TASKS, make

ROWS = 20


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


def path_of(task: str) -> Path:
    return MODELS / task / "model.onnx"


@pytest.mark.parametrize("name", TASKS)
def test_records_and_a_table_are_answered_alike(name: str) -> None:
    model = OnnxModel(path_of(name))
    task = tasks.load(name)
    table = factories.rows(task, ROWS)
    records = table.to_dict("records")
    feeds = model.feeds_of_records(records)
    outputs = model.run(feeds)
    predictions = model.predict(table)
    outputs_as_predictions = outputs.reshape(predictions.shape)
    np.testing.assert_array_equal(outputs_as_predictions, predictions)


def column(name: str, kind: int) -> ValueInfoProto:
    """Return a column of any number of rows."""
    return helper.make_tensor_value_info(name, kind, [None, 1])


def one_number_and_one_text() -> OnnxModel:
    """A model with one column of each type; it returns the number."""
    size = column("size", TensorProto.FLOAT)
    kind = column("kind", TensorProto.STRING)
    output = column("output", TensorProto.FLOAT)
    node = helper.make_node("Identity", ["size"], ["output"])
    graph = helper.make_graph(
        nodes=[node],
        name="identity",
        inputs=[size, kind],
        outputs=[output],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(
        graph,
        opset_imports=[opset],
        ir_version=10,
    )
    content = model.SerializeToString()
    return OnnxModel(content)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_type_may_have_only_one_column(rows: int) -> None:
    model = one_number_and_one_text()
    columns = {
        "kind": ["ab", "c", "d"],
        "size": [1.5, 2.5, 3.5],
    }
    table = pd.DataFrame(columns)[:rows]
    records = table.to_dict("records")
    from_records = model.feeds_of_records(records)
    from_table = model.feeds_of_table(table)
    assert from_table.keys() == {"size", "kind"}
    assert from_records.keys() == {"size", "kind"}
    for name, expected in from_table.items():
        feed = from_records[name]
        np.testing.assert_array_equal(feed, expected)
        assert feed.dtype == expected.dtype
    outputs = model.run(from_records)
    sizes = table["size"].tolist()
    assert outputs.ravel().tolist() == sizes


@pytest.mark.parametrize("name", TASKS)
def test_a_classification_has_a_column_for_each_class(name: str) -> None:
    model = OnnxModel(path_of(name))
    task = tasks.load(name)
    table = factories.rows(task, ROWS)
    feeds = model.feeds_of_table(table)
    outputs = model.run(feeds)
    predictions = model.predict(table)
    assert outputs.dtype == np.float32
    assert predictions.dtype == np.float64
    classes = len(task.target.classes)
    if classes:
        assert outputs.shape == (ROWS, classes)
        assert predictions.shape == (ROWS, classes)
    else:
        assert outputs.shape == (ROWS, 1)
        assert predictions.shape == (ROWS,)


def test_a_model_names_its_columns() -> None:
    model = OnnxModel(path_of("credit"))
    features = tasks.load("credit").features
    names = []
    names_of_texts = []
    for feature in features:
        names.append(feature.name)
        if feature.categories:
            names_of_texts.append(feature.name)
    assert model.columns == tuple(names)
    assert model.text_columns == names_of_texts


def test_a_model_has_the_digest_and_the_size_of_its_file() -> None:
    path = path_of("credit")
    content = path.read_bytes()
    digest = sha256_file(path)
    from_file = OnnxModel(path)
    from_bytes = OnnxModel(content)
    for model in (from_file, from_bytes):
        assert model.sha256 == digest
        assert model.size == len(content)


def test_a_missing_column_is_named() -> None:
    model = OnnxModel(path_of("iris"))
    columns = {
        "petal_length": [1.0],
        "sepal_length": [2.0],
    }
    table = pd.DataFrame(columns)
    with pytest.raises(KeyError, match="sepal_width"):
        model.predict(table)
