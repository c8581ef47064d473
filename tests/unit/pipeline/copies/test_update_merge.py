"""How an update merges parameters, tasks, names, generated files and lock files."""

from fnmatch import fnmatch

from pipeline.copies.init import init
from pipeline.copies.sides import GENERATED
from tests.support.copies import Project
from tools import reference


def test_both_new_tasks_have_their_section(template: Project, copy: Project) -> None:
    params = copy.text("params.yaml")
    copy.write("params.yaml", params + "  own:\n    folds: 2\n")
    template.write("params.yaml", params + "  wine:\n    folds: 4\n")
    copy.replace("params.yaml", "  iris:\n    folds: 3\n", "  iris:\n    folds: 9\n")
    copy.update(template)
    assert copy.text("params.yaml") == (
        "seed: 42\ntasks:\n  iris:\n    folds: 9\n  credit:\n    folds: 5\n"
        "  own:\n    folds: 2\n  wine:\n    folds: 4\n"
    )


def test_a_task_that_was_removed_here_stays_removed(
    template: Project, copy: Project
) -> None:
    copy.remove("pipeline/tasks/credit.yaml")
    copy.replace("params.yaml", "  credit:\n    folds: 5\n", "")
    template.write("pipeline/tasks/credit.yaml", "title: Loans\n")
    template.write("docs/why.md", "# Why\n\nSo.\n")
    copy.update(template)
    assert not (copy.root / "pipeline/tasks/credit.yaml").exists()
    assert copy.text("docs/why.md") == "# Why\n\nSo.\n"


def test_the_copy_s_names_are_never_a_conflict(
    template: Project, copy: Project
) -> None:
    init(copy.repo, name="Churn", holder="ACME", repository="ACME/churn")
    template.replace(
        "README.md", "# MLOps GitOps template\n\nWhat", "# The template\n\nAll that"
    )
    template.replace("LICENSE", "Copyright (c) 2026 The", "Copyright (c) 2026-2027 The")
    template.replace("pyproject.toml", "dependencies = []", 'dependencies = ["numpy"]')
    copy.update(template)
    lines = copy.text("README.md").splitlines()
    title, badge, _, first_line = lines[:4]
    assert title == "# Churn"
    assert "ACME/churn" in badge
    assert first_line == "All that it is."
    assert 'name = "churn"\ndependencies = ["numpy"]' in copy.text("pyproject.toml")
    lines = copy.text("LICENSE").splitlines()
    own, others = [line for line in lines if "Copyright" in line]
    assert own.endswith(" ACME")
    assert others == "Copyright (c) 2026-2027 The maintainers"


def test_generated_pages_are_generated_again(template: Project, copy: Project) -> None:
    copy.write("source.txt", "mine\n")
    copy.write("docs/api.md", "from: mine\n")
    template.write("docs/api.md", "in a new way from: one\n")
    template.replace("tools/reference.py", "from: ", "in a new way from: ")
    copy.update(template)
    assert copy.text("docs/api.md") == "in a new way from: mine\n"


def test_pages_that_cannot_be_generated_are_reported(
    template: Project, copy: Project
) -> None:
    template.write("tools/reference.py", "import a_package_that_is_not_here\n")
    outcome = copy.update(template)
    assert outcome.commit
    assert "run `nox -s docs`" in outcome.text
    assert "No module named 'a_package_that_is_not_here'" in outcome.text


def test_locks_are_the_template_s_unless_packages_were_added_here(
    template: Project, copy: Project
) -> None:
    copy.write("requirements/dev.txt", "numpy==1.1\n")
    template.write("requirements/dev.txt", "numpy==2\n")
    copy.update(template)
    assert copy.text("requirements/dev.txt") == "numpy==2\n"
    copy.replace("pyproject.toml", "dependencies = []", 'dependencies = ["pandas"]')
    copy.write("requirements/dev.txt", "numpy==2\npandas==3\n")
    template.write("requirements/dev.txt", "numpy==4\n")
    copy.update(template)
    assert copy.text("requirements/dev.txt") == "numpy==2\npandas==3\n"


def test_every_generated_page_is_listed() -> None:
    for page in reference.pages():
        path = page.relative_to(reference.ROOT).as_posix()
        assert any(fnmatch(path, pattern) for pattern in GENERATED), path
