"""What a worker runs: only for a caller that has the same code."""

import pickle
from operator import mul

import pytest

from core.errors import PipelineError
from pipeline import code_version
from pipeline.cluster import remote_call


def test_the_function_gets_the_shared_data_and_the_item() -> None:
    content = pickle.dumps((mul, 7))
    assert remote_call.call(6, content, code_version.describe()) == 42


def test_a_worker_with_other_code_refuses_before_it_unpickles() -> None:
    ours = code_version.describe() | {"code": "0" * 64}
    with pytest.raises(PipelineError, match="joined later has code .*, here 0{12}"):
        remote_call.call(6, b"not a pickle", ours)
