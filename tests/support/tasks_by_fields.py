"""A few tasks by their fields, without models."""

import json
from typing import Any

from app.serving.task_by_fields import TasksByFields

# Two tasks have the same names in another order; two others have as many fields.
FIELDS = {
    "house": ["rooms", "age", "income"],
    "flower": ["length", "width"],
    "tree": ["height", "width"],
    "villa": ["income", "rooms", "age"],
    "loan": ["amount", "purpose", "duration", "age"],
}
TASKS = TasksByFields(FIELDS)


def task_of(body: Any, tasks: TasksByFields = TASKS) -> str | None:
    """Return the task of a value that is sent as JSON."""
    content = json.dumps(body).encode()
    return tasks.task_of(content)


def record(task: str, value: object = 1) -> dict[str, object]:
    """Return a record with the fields of a task, all with the same value."""
    return dict.fromkeys(FIELDS[task], value)
