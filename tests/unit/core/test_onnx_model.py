"""One class opens ONNX files, for the API and for the pipeline."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.files import sha256_file
from core.onnx_model import OnnxModel
from pipeline import tasks
from tests.support import factories
from tests.support.service import MODELS, TASKS, make


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


@pytest.mark.parametrize("name", TASKS)
def test_records_and_a_table_are_answered_alike(name: str) -> None:
    path = MODELS / name / "model.onnx"
    task = tasks.load(name)
    model = OnnxModel(path)
    table = factories.rows(task, 20)
    records = [dict(zip(table.columns, row)) for row in table.itertuples(index=False)]
    outputs = model.run(model.feeds_of_records(records))
    predictions = model.predict(table)
    np.testing.assert_array_equal(outputs.reshape(predictions.shape), predictions)
    assert outputs.dtype == np.float32 and predictions.dtype == np.float64
    columns = len(task.target.classes) or 1
    assert outputs.shape == (20, columns)
    assert predictions.ndim == (2 if task.target.classes else 1)


def test_a_model_names_its_columns_and_its_file(tmp_path: Path) -> None:
    path = MODELS / "credit" / "model.onnx"
    features = tasks.load("credit").features
    model = OnnxModel(path)
    assert model.columns == tuple(feature.name for feature in features)
    texts = [feature.name for feature in features if feature.categories]
    assert model.text_columns == texts
    assert model.sha256 == sha256_file(path) and model.size == path.stat().st_size
    assert OnnxModel(path.read_bytes()).sha256 == model.sha256


def test_a_missing_column_is_named() -> None:
    model = OnnxModel(MODELS / "iris" / "model.onnx")
    with pytest.raises(KeyError, match="sepal_width"):
        model.predict(pd.DataFrame({"petal_length": [1.0], "sepal_length": [2.0]}))
