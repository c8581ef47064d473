"""Moving `latest` of small images in a registry, as the workflow does."""

import os
from pathlib import Path

from scripts.images.registry import revision
from tests.stack.release import Checkout, Registry


def small_checkout(folder: Path) -> Checkout:
    """Return a checkout whose images are built in a second."""
    checkout = Checkout(folder)
    checkout.shrink()
    return checkout


def latest_of(there: Registry, image: str) -> str:
    """Return the commit that `latest` of an image was built from, if there is one."""
    if not there.digest(image, "latest"):
        return ""
    return revision(there.name(image), ":latest", dict(os.environ))


def release(checkout: Checkout, there: Registry, tested: str = "") -> str:
    """Move `latest` to the commit that is checked out; return the output."""
    checkout.outputs()
    variables = {"REGISTRY": there.address}
    if tested:
        variables["GITHUB_SHA"] = tested
    done = checkout.run("images", "latest", **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout
