"""`latest` in a real registry: it moves to newer commits and never back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.latest import latest_of, release, small_checkout
from tests.stack.release import IMAGES, Checkout, Registry, started_registry


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return small_checkout(tmp_path)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    with started_registry(tmp_path) as running:
        yield running


def build(checkout: Checkout, there: Registry) -> None:
    """Build the images of the commit that is checked out, and push them."""
    checkout.push_images(REGISTRY=there.address)


def latest(there: Registry) -> set[str]:
    """Return the commits that `latest` of the images was built from."""
    return {latest_of(there, image) for image in IMAGES}


def test_images_that_were_not_pushed_cannot_be_released(
    checkout: Checkout, there: Registry
) -> None:
    done = checkout.run("images", "latest", REGISTRY=there.address)
    name = there.name("mlops-pipeline")
    problem = (
        f"error: {name}:sha-{checkout.commit} is not in the registry, push it first:"
        " see above.\n"
    )
    assert done.returncode == 1
    assert done.stderr.endswith(problem)


def test_latest_moves_to_what_is_newer_and_never_back(
    checkout: Checkout, there: Registry
) -> None:
    older = checkout.commit
    build(checkout, there)
    newer = checkout.commit_all("feat: the next one")
    checkout.push()

    # A team that pushes more often than a run takes gets images all the same: a commit
    # is released though the branch has moved on.
    checkout.detach(older)
    release(checkout, there)
    tag = f"sha-{older}"
    addresses = " ".join(there.address_of(image, tag) for image in IMAGES)
    assert checkout.outputs() == {"digests": addresses}
    assert latest(there) == {older}

    checkout.git("switch", "--quiet", "main")
    build(checkout, there)
    release(checkout, there)
    assert latest(there) == {newer}

    checkout.detach(older)
    output = release(checkout, there)
    short = newer[:9]
    assert output.startswith(f"`latest` stays where it is: it is of {short} already")
    assert checkout.outputs() == {}
    assert latest(there) == {newer}


@pytest.mark.slow
def test_what_replaces_a_commit_on_the_branch_is_released(
    checkout: Checkout, there: Registry
) -> None:
    older = checkout.commit
    checkout.commit_all("feat: the next one")
    checkout.push()
    build(checkout, there)
    release(checkout, there)

    checkout.git("switch", "--quiet", "--create", "again", older)
    other = checkout.commit_all("feat: instead of it")
    build(checkout, there)
    assert "is on no branch of origin" in release(checkout, there)
    checkout.push("--force", "again:main")
    release(checkout, there)
    assert latest(there) == {other}


@pytest.mark.slow
def test_a_move_that_fails_half_way_is_taken_back(
    checkout: Checkout, there: Registry, tmp_path: Path
) -> None:
    build(checkout, there)
    release(checkout, there)
    before = {image: there.digest(image, "latest") for image in IMAGES}
    checkout.commit_all("feat: the next one")
    checkout.push()
    build(checkout, there)
    # The registry can write nothing more for the image that moves last.
    (tag,) = tmp_path.glob("registry/**/mlops-api/_manifests/tags/latest")
    link = tag / "current" / "link"
    link.unlink()
    link.mkdir()
    done = checkout.run("images", "latest", REGISTRY=there.address)
    assert done.returncode == 1
    assert "error: " in done.stderr
    for image in IMAGES[1:]:
        assert there.digest(image, "latest") == before[image]
