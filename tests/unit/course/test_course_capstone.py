"""The capstone: with which algorithm the grader runs a student's behavioural tests."""

import json
from pathlib import Path

import pytest
import yaml

from core.git import git
from course.copy import Copy
from course.grading.history import Publication
from course.grading.result import Red
from course.lessons.lesson_14_capstone.project import Project
from tests.conftest import commit_all

TASK = "wine"
CANDIDATES = {"dummy": {}, "random_forest": {"n_estimators": 50}}
SECTION = {"folds": 5, "exclude": [], "candidates": CANDIDATES}
MANIFEST = f"deployment/models/{TASK}/manifest.json"


def write(root: Path, name: str, text: str) -> None:
    """Write a file with its folders."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def promoted(
    root: Path, algorithm: str, params: object, description: object
) -> Project:
    """Return a project in which an algorithm came into service.

    Args:
        root: a new repository.
        algorithm: what the manifest names.
        params: the content of `params.yaml` in the commit that was trained.
        description: the content of the task's file there.
    """
    git(root, "init", "--quiet", "-b", "main")
    write(root, "params.yaml", yaml.safe_dump(params))
    write(root, f"pipeline/tasks/{TASK}.yaml", yaml.safe_dump(description))
    source = commit_all(root, "feat: a task")
    write(root, MANIFEST, json.dumps({"algorithm": algorithm}))
    commit = commit_all(root, "chore(publish): wine v1 promoted")
    # What was tried later does not count.
    write(root, "params.yaml", yaml.safe_dump({"tasks": {TASK: {"candidates": {}}}}))
    commit_all(root, "feat: try nothing")
    project = Project(Copy(root, "salt"), TASK)
    vars(project)["promoted"] = Publication(commit, source, source, "")
    return project


def test_the_algorithm_in_service_is_trained_alone(tmp_path: Path) -> None:
    project = promoted(tmp_path, "random_forest", {"tasks": {TASK: SECTION}}, {})
    alone = {"random_forest": {"n_estimators": 50}}
    assert project.recipe == SECTION | {"candidates": alone}


def test_the_settings_may_stand_in_the_file_of_the_task(tmp_path: Path) -> None:
    description = {"training": SECTION}
    project = promoted(tmp_path, "dummy", {"tasks": {}}, description)
    assert project.recipe["candidates"] == {"dummy": {}}


def test_an_algorithm_that_was_no_candidate_is_red(tmp_path: Path) -> None:
    project = promoted(tmp_path, "xgboost", {"tasks": {TASK: SECTION}}, {})
    with pytest.raises(Red, match="has no candidate xgboost, which is in service"):
        _ = project.recipe
