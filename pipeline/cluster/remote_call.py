"""What a worker runs. It imports little, as the scheduler imports it too."""

import pickle
from typing import Any

from core.errors import PipelineError
from pipeline import code_version
from pipeline.cluster.settings import REMEDY


def call(shared: Any, content: bytes, ours: dict[str, str]) -> Any:
    """Call a function with shared data and an item.

    Args:
        shared: the first argument.
        content: the pickled function and its second argument.
        ours: the caller's `code_version.describe()`. The check before a training does
            not see a worker that joins later.

    Raises:
        PipelineError: this worker has other code.
    """
    difference = code_version.difference(code_version.describe(), ours)
    if difference:
        raise PipelineError(f"a worker that joined later has {difference}: {REMEDY}")
    function, item = pickle.loads(content)
    return function(shared, item)
