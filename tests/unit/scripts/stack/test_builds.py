"""The names of the images, which come from the repository and its commit."""

import re
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from scripts.stack import builds
from scripts.stack.settings import Settings
from tests.paths import ROOT


def names(**variables: str) -> dict[str, str]:
    return builds.names(Settings(0, (), (), variables))


def default_repository() -> str:
    """Return the repository in the compose file; a copy has its own name there."""
    compose_file = (ROOT / "docker-compose.yml").read_text("utf-8")
    defaults = set(re.findall(r"REPOSITORY:-([^}]*)", compose_file))
    assert len(defaults) == 1
    return defaults.pop()


def test_the_names_come_from_the_repository_and_the_tag_from_the_commit() -> None:
    head = subprocess.check_output(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, text=True
    ).strip()
    usual = {
        "REGISTRY": "ghcr.io",
        "OWNER": "local",
        "REPOSITORY": default_repository(),
        "IMAGE_TAG": f"sha-{head}",
    }
    assert names() == usual
    assert names(REGISTRY="", OWNER="", REPOSITORY="", IMAGE_TAG="") == usual


def test_on_github_the_names_are_those_of_the_repository() -> None:
    copy = names(GITHUB_REPOSITORY="Octo-Cat/My.Copy")
    assert copy["OWNER"] == "octo-cat"
    assert copy["REPOSITORY"] == "my.copy"


def test_names_that_are_set_take_precedence() -> None:
    other = names(GITHUB_REPOSITORY="Octo-Cat/My.Copy", OWNER="Me", REPOSITORY="Theirs")
    assert other["OWNER"] == "me"
    assert other["REPOSITORY"] == "theirs"
    chosen = {
        "REGISTRY": "127.0.0.1:5001",
        "OWNER": "me",
        "REPOSITORY": "it",
        "IMAGE_TAG": "try",
    }
    assert names(**chosen) == chosen


def test_each_image_is_built_once_if_possible_for_a_chosen_service() -> None:
    with_build = {"build": {}}
    described = {
        "after": {"image": "ours", **with_build},
        "before": {"image": "ours", **with_build},
        "bought": {"image": "theirs"},
        "unnamed": with_build,
        "worker": {"image": "worker", **with_build},
    }
    assert builds.builders(described, ["before", "bought"]) == [
        "before",
        "unnamed",
        "worker",
    ]


@given(st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True))
def test_every_name_of_github_becomes_one_that_registries_take(name: str) -> None:
    component = builds.component(name)
    # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    assert re.fullmatch(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", component)
    assert builds.component(component) == component


def test_names_that_have_to_change_stay_apart() -> None:
    given = [
        ".github",
        "github",
        "a..b",
        "a-b",
        "a.-b",
        "_a_b",
        "a___b",
        "-",
        "_",
        "--",
    ]
    components = {builds.component(name) for name in given}
    assert len(components) == len(given)


def test_separators_that_registries_accept_stay() -> None:
    assert builds.component("a--b") == "a--b"
    assert builds.component("A__b") == "a__b"
