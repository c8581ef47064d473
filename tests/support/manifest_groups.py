"""What a manifest has about a task's slices, with numbers that nobody measured."""

from pipeline.schema import Task
from tests.support.json_content import Json

RATES = {"selection_rate": 0.5, "true_positive_rate": 0.75}


def of(task: Task, metric: float) -> Json:
    """Return the keys of a manifest: none for a task without slices.

    Args:
        task: the task.
        metric: its metric on each group.
    """
    content: Json = {}
    if task.slices:
        value = {
            "value": metric,
            "low": metric,
            "high": metric,
        }
        groups = []
        for name, named in task.slices.items():
            for group in named.groups:
                entry = {
                    "slice": name,
                    "group": group,
                    "rows": 50,
                    "metric": value,
                }
                groups.append(entry)
        content["groups"] = groups
    if task.fairness:
        figures = []
        for name in task.fairness.slices:
            one = {
                "slice": name,
                "favourable": task.fairness.favourable,
                "demographic_parity_difference": 0.125,
                "equal_opportunity_difference": 0.25,
                "groups": {group: RATES for group in task.slices[name].groups},
            }
            figures.append(one)
        content["fairness"] = figures
    return content
