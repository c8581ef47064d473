"""The budget of a run: in a private repository GitHub bills every minute of each job.

The variable MLOPS_BUDGET of the repository (Settings > Secrets and variables > Actions
> Variables) names the budget; unless it is set, a public repository has `full` and a
private one `small`. A copy in which somebody follows the course, public or not, has a
budget of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.git import git

PYTHONS = ("3.11", "3.12", "3.13")
SERVICES = ("mlops-api", "mlflow-server", "trainer")
ALL_IN_ONE_JOB = (" ".join(SERVICES),)
MOST_TRAIN_JOBS = 20  # of one owner, GitHub runs no more at the same time


class UnknownTrainJobs(Exception):
    """MLOPS_TRAIN_JOBS is not a number of jobs."""


class UnknownBudget(Exception):
    """MLOPS_BUDGET names no budget."""


@dataclass(frozen=True)
class Budget:
    """The parts of a run that the repository pays for.

    Attributes:
        pythons: the versions that the fast tests run on.
        images: the services whose images are built, a job each.
        course: a push to the default branch ships nothing, and is linted but not
            tested; there are no nights.
        thorough: Windows, images for ARM, the slow tests and the scan of the images
            belong to every run; else the slow tests and the scan run at night. At
            night there are further jobs: `THOROUGH_AT_NIGHT`.
    """

    name: str
    pythons: tuple[str, ...]
    images: tuple[str, ...]
    thorough: bool
    course: bool = False


BUDGETS = {
    "full": Budget("full", PYTHONS, SERVICES, thorough=True),
    "small": Budget("small", PYTHONS[-1:], ALL_IN_ONE_JOB, thorough=False),
}
COURSE = Budget("course", PYTHONS[-1:], ALL_IN_ONE_JOB, thorough=False, course=True)
# The file that `python -m course start` writes.
STUDENT = "course/student.yaml"
# Billed minutes of one job, estimated for a runner with two cores from the CPU time of
# its command on such a machine; a job of a matrix counts as often as it runs. Windows
# counts twice.
MINUTES = {
    "plan": 1,
    "lint": 2,
    "test": 4,
    "test-windows": 14,
    "train": 3,
    "publish": 2,
    "images": 6,
    "images-arm": 6,
    "e2e": 11,
    "smoke": 4,
    "release": 1,
    "model-releases": 1,
    "verdict": 1,
    "comment": 1,
}
# The same of the jobs at night, where `e2e` also runs the longest tests, and the fast
# ones on the older Pythons.
NIGHT_MINUTES = {
    "plan": 1,
    "e2e": 40,
    "scan": 7,
    "reproduce": 6,
    "documents": 15,
    "kubernetes": 25,
    "course": 90,
    "stack": 90,
}
THOROUGH_AT_NIGHT = ("documents", "kubernetes", "course", "stack")
# The same of `train` for one share of the tasks, if several jobs train them. Most of it
# is the start of the job and the installation of packages.
SHARD_MINUTES = 2


def choose(name: str, private: bool, course: bool = False) -> Budget:
    """Return the budget of a repository.

    Args:
        name: what MLOPS_BUDGET says, or nothing.
        private: whether the repository is private.
        course: whether somebody follows the course in it.

    Raises:
        UnknownBudget: there is none of this name.
    """
    if course and not name.strip():
        return COURSE
    name = name.strip() or ("small" if private else "full")
    if name not in BUDGETS:
        raise UnknownBudget(
            f"MLOPS_BUDGET is {name!r}: set it to {' or '.join(sorted(BUDGETS))}, or"
            " remove it (Settings > Secrets and variables > Actions > Variables)."
        )
    return BUDGETS[name]


def is_for_course(folder: Path) -> bool:
    """Return whether the last commit of a checkout has a student.

    A sparse checkout may lack the file, and a partial clone its content.
    """
    return bool(git(folder, "ls-tree", "--name-only", "HEAD", "--", STUDENT))


def train_jobs(text: str) -> int:
    """Return how many jobs share the training of a push, from MLOPS_TRAIN_JOBS.

    Raises:
        UnknownTrainJobs: it is not a number from 1 to 20.
    """
    text = text.strip() or "1"
    if not text.isdecimal() or not 1 <= int(text) <= MOST_TRAIN_JOBS:
        raise UnknownTrainJobs(
            f"MLOPS_TRAIN_JOBS is {text!r}: set it to a number from 1 to"
            f" {MOST_TRAIN_JOBS}, at most that of your tasks, or remove it (Settings >"
            " Secrets and variables > Actions > Variables)."
        )
    return int(text)


def night_minutes(allowed: Budget) -> int:
    """Return the minutes that are billed for a night after a push."""
    if allowed.course:
        return NIGHT_MINUTES["plan"]
    total = 0
    for job, estimate in NIGHT_MINUTES.items():
        if allowed.thorough or job not in THOROUGH_AT_NIGHT:
            total += estimate
    return total


def minutes(jobs: Iterable[str], pythons: int, images: int, trainings: int = 1) -> int:
    """Return the minutes that are billed for jobs, by the estimates above.

    Args:
        pythons: how many versions the tests run on.
        images: how many jobs build images.
        trainings: how many jobs share the training.
    """
    counted = list(jobs)
    times = {"test": pythons, "images": images, "images-arm": images}
    # Without the job `images`, `smoke` builds all images itself.
    if "smoke" in counted and "images" not in counted:
        counted.append("images")
        times["images"] = 1
    total = 0
    for job in counted:
        if job == "train" and trainings > 1:
            total += SHARD_MINUTES * trainings
        else:
            total += MINUTES[job] * times.get(job, 1)
    return total
