"""One class opens ONNX files, for the API and for the pipeline."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper

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
    table = factories.rows(tasks.load(name), ROWS)
    records = table.to_dict("records")
    feeds = model.feeds_of_records(records)
    outputs = model.run(feeds)
    predictions = model.predict(table)
    outputs_as_predictions = outputs.reshape(predictions.shape)
    np.testing.assert_array_equal(outputs_as_predictions, predictions)


def one_number_and_one_text() -> OnnxModel:
    """A model with one column of each type; it returns the number."""
    size = helper.make_tensor_value_info("size", TensorProto.FLOAT, [None, 1])
    kind = helper.make_tensor_value_info("kind", TensorProto.STRING, [None, 1])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 1])
    node = helper.make_node("Identity", ["size"], ["output"])
    graph = helper.make_graph([node], "identity", [size, kind], [output])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    return OnnxModel(model.SerializeToString())


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_type_may_have_only_one_column(rows: int) -> None:
    model = one_number_and_one_text()
    table = pd.DataFrame({"kind": ["ab", "c", "d"], "size": [1.5, 2.5, 3.5]})[:rows]
    from_records = model.feeds_of_records(table.to_dict("records"))
    from_table = model.feeds_of_table(table)
    assert from_records.keys() == from_table.keys() == {"size", "kind"}
    for name, column in from_table.items():
        np.testing.assert_array_equal(from_records[name], column)
        assert from_records[name].dtype == column.dtype
    outputs = model.run(from_records)
    assert outputs.ravel().tolist() == table["size"].tolist()


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
    names = [feature.name for feature in features]
    names_of_texts = [feature.name for feature in features if feature.categories]
    assert model.columns == tuple(names)
    assert model.text_columns == names_of_texts


def test_a_model_has_the_digest_and_the_size_of_its_file() -> None:
    path = path_of("credit")
    content = path.read_bytes()
    digest = sha256_file(path)
    for model in (OnnxModel(path), OnnxModel(content)):
        assert model.sha256 == digest
        assert model.size == len(content)


def test_a_missing_column_is_named() -> None:
    model = OnnxModel(path_of("iris"))
    columns = {"petal_length": [1.0], "sepal_length": [2.0]}
    with pytest.raises(KeyError, match="sepal_width"):
        model.predict(pd.DataFrame(columns))
