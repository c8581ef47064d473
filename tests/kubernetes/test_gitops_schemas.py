"""The examples for Argo CD and Flux, compared with the schemas of their resources."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.json_content import Json
from tests.support.kubernetes import FOLDER, Resource, read_all

HERE = Path(__file__).parent
EXAMPLES = sorted((FOLDER / "gitops").iterdir())


def example(name: str) -> list[Resource]:
    """Return the resources of an example."""
    return read_all((FOLDER / "gitops" / f"{name}.yaml").read_text("utf-8"))


def fault(packages: Path, items: list[Resource]) -> str:
    """Return what the schemas do not allow, nothing if they allow all."""
    script = (HERE / "validate.mjs").read_text("utf-8")
    command = ["node", "--input-type=module", "--eval", script]
    text = json.dumps(items)
    done = subprocess.run(
        command, cwd=packages, input=text, capture_output=True, text=True
    )
    assert (done.returncode != 0) == bool(done.stderr), done.stderr
    return done.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_the_schema_of_its_agent(
    node_packages: Path, path: Path
) -> None:
    items = read_all(path.read_text("utf-8"))
    assert items
    assert fault(node_packages, items) == ""


def wrong_prune(resource: Json) -> None:
    resource["spec"]["syncPolicy"]["automated"]["prune"] = "often"


def wrong_url(resource: Json) -> None:
    resource["spec"]["url"] = "file:///srv/origin.git"


@pytest.mark.parametrize(
    ("name", "break_it", "reason"),
    [
        ("argo-cd", wrong_prune, "prune"),
        ("flux", wrong_url, "url"),
    ],
)
def test_the_schemas_refuse_a_wrong_value(
    node_packages: Path,
    name: str,
    break_it: Callable[[Json], None],
    reason: str,
) -> None:
    resource, *_ = example(name)
    break_it(resource)
    assert reason in fault(node_packages, [resource])
