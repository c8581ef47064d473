"""The solution of lesson 2."""

from course.work import Work

PARAMS = "params.yaml"
TASK = "iris"
TEMPLATE = """\
      dummy: {}
      linear_discriminant: {}
      # This solver ends at the optimum to the last digit, whatever the processor.
      logistic_regression: {C: 10, solver: newton-cholesky}
      random_forest: {n_estimators: 100, min_samples_leaf: 3}
      gradient_boosting: {n_estimators: 40, max_depth: 2, subsample: 0.6}
      hist_gradient_boosting: {max_iter: 40, max_leaf_nodes: 4, min_samples_leaf: 8}
"""
TWO = """\
      dummy: {{}}
      logistic_regression: {{C: {value}, solver: newton-cholesky}}
"""


def empty(work: Work) -> None:
    """Begin with a history of one's own."""
    work.run("python -m pipeline init --empty")
    work.push()


def begin_with(work: Work, value: float) -> None:
    """Leave two candidates, one of them with a strength of regularization."""
    work.edit(PARAMS, TEMPLATE, TWO.format(value=value))


def solve(work: Work) -> None:
    """Publish a model that is promoted, and then one that is refused."""
    empty(work)
    begin_with(work, 1)
    work.publish("feat: compare iris with a simple model", TASK)
    work.edit(PARAMS, TWO.format(value=1), TWO.format(value=0.5))
    work.publish("feat: regularize iris more", TASK)
