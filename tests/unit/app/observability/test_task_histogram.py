"""A histogram whose buckets differ by task."""

import pytest
from prometheus_client import CollectorRegistry

from app.observability.task_histogram import TaskHistogram


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def histogram(registry: CollectorRegistry) -> TaskHistogram:
    """A histogram that has counted four values of `a` and one of `b`."""
    histogram = TaskHistogram("size", "Sizes", registry)
    histogram.observe(("a",), [1.0, 2.0], [0.5, 1.0, 1.5, 9.0])
    histogram.observe(("b",), [10.0], [3.0])
    return histogram


@pytest.mark.usefixtures("histogram")
@pytest.mark.parametrize(
    ("task", "bound", "count"),
    [
        ("a", "1.0", 2),
        ("a", "2.0", 3),
        ("a", "+Inf", 4),
        ("b", "10.0", 1),
    ],
)
def test_each_task_has_its_own_bounds(
    registry: CollectorRegistry, task: str, bound: str, count: int
) -> None:
    labels = {"task": task, "le": bound}
    assert registry.get_sample_value("size_bucket", labels) == count


@pytest.mark.usefixtures("histogram")
def test_the_values_are_added_up(registry: CollectorRegistry) -> None:
    assert registry.get_sample_value("size_sum", {"task": "a"}) == 12


def test_other_bounds_start_the_count_again(
    registry: CollectorRegistry, histogram: TaskHistogram
) -> None:
    histogram.observe(("a",), [5.0], [4.0])
    assert registry.get_sample_value("size_count", {"task": "a"}) == 1
