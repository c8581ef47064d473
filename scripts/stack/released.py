"""The release that a checkout declares, for `./start-mlops.sh --released`.

Its images are pulled by their digests, and get the names under which Compose finds
them. Nothing is built.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace

from core.file_names import MODEL, MODELS, RELEASE
from core.files import to_json
from pipeline.release import content
from scripts.stack import reconciler, released_images
from scripts.stack.settings import ROOT, Settings, StackError, Variables

Digests = dict[str, str]
"""SHA-256 of the models' files, by task."""


@dataclass(frozen=True)
class Release:
    """The commit of a release, the addresses of its images, and its models' digests."""

    commit: str
    images: tuple[str, ...]
    models: Digests

    @property
    def tag(self) -> str:
        """The tag of the images on this machine; in the registry it is the same."""
        return f"sha-{self.commit}"

    @property
    def names(self) -> Variables:
        """The variables of docker-compose.yml that make the images' names."""
        name, _, _ = self.images[0].partition("@")
        registry, owner, repository, _ = name.rsplit("/", 3)
        return {
            "REGISTRY": registry,
            "OWNER": owner,
            "REPOSITORY": repository,
            "IMAGE_TAG": self.tag,
        }

    def applied_to(self, settings: Settings) -> Settings:
        """Return settings that name the images of the release."""
        return replace(settings, variables=settings.variables | self.names)

    def render(self) -> str:
        """Return the release as text, which `parse` reads."""
        images = {address: address for address in self.images}
        models = {}
        for task, digest in self.models.items():
            models[task] = {"sha256": digest}
        return to_json({"commit": self.commit, "images": images, "models": models})

    def provide_images(self) -> list[str]:
        """Provide the images; return the names that did not lead to them."""
        return released_images.provide(self.images, self.tag)


def read(settings: Settings) -> Release:
    """Return the release in this checkout.

    Raises:
        StackError: there is none, it is damaged, or the API would serve other models.
    """
    path = ROOT / RELEASE
    if not path.is_file():
        raise StackError(
            f"there is no {RELEASE}: the workflow commits it after its first release,"
            " then `git pull`; or start without --released."
        )
    release = parse(path.read_bytes())
    # A reconciler brings the models of the release itself.
    if reconciler.PROFILE not in settings.profiles:
        _require_models(release)
    return release


def parse(text: bytes | str) -> Release:
    """Return the release in a file's content.

    Raises:
        StackError: it is damaged.
    """
    try:
        declared = json.loads(text)
        models = {}
        for task, model in declared["models"].items():
            models[task] = model["sha256"]
        images = tuple(sorted(declared["images"].values()))
        release = Release(declared["commit"], images, models)
        _require_forms(release)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StackError(
            f"{RELEASE} is damaged: `git checkout -- {RELEASE}` brings it back."
        ) from error
    return release


def applied(settings: Settings) -> Settings:
    """Provide the images of the checkout's release; return settings that name them.

    Raises:
        StackError: see `read` and `released_images.provide`.
    """
    release = read(settings)
    print(f"release {release.commit[:12]}: providing its images …", flush=True)
    release.provide_images()
    return release.applied_to(settings)


def _require_forms(release: Release) -> None:
    """Check that every image is named by its digest, and the commit by its own.

    Raises:
        ValueError: one is not, or there is no image.
        TypeError: the commit is no text.
    """
    if not re.fullmatch(content.COMMIT, release.commit):
        raise ValueError("the commit is none")
    if not release.images:
        raise ValueError("there is no image")
    for image in release.images:
        if not re.fullmatch(content.IMAGE, image):
            raise ValueError("an image has no digest")
    if not all(release.names.values()):
        raise ValueError("an image has no registry, owner or repository")


def _require_models(release: Release) -> None:
    """Check that the models in the checkout, which the API serves, are the release's."""
    present: Digests = {}
    for path in (ROOT / MODELS).glob(f"*/{MODEL}"):
        present[path.parent.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if present != release.models:
        raise StackError(
            f"the models in {MODELS} are not those of the release: `git checkout"
            f" {release.commit} -- {MODELS}` takes them, or `git pull` a newer release."
        )
