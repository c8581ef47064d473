"""The release that this checkout declares, for `./start-mlops.sh --released`.

Its images are pulled by their digests, and get the names under which Compose finds
them. Nothing is built.
"""

import hashlib
import json
import subprocess
from dataclasses import dataclass, replace

from core.file_names import MODEL, MODELS, RELEASE
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


def read() -> Release:
    """Return the release in this checkout.

    Raises:
        StackError: there is none, it is damaged, or other models lie in the checkout.
    """
    path = ROOT / RELEASE
    if not path.is_file():
        raise StackError(
            f"there is no {RELEASE}: the workflow commits it after its first release,"
            " then `git pull`; or start without --released."
        )
    try:
        content = json.loads(path.read_bytes())
        models = {}
        for task, model in content["models"].items():
            models[task] = model["sha256"]
        images = tuple(content["images"].values())
        release = Release(content["commit"], images, models)
        _require_names(release)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StackError(
            f"{RELEASE} is damaged: `git checkout -- {RELEASE}` brings it back."
        ) from error
    _require_models(release)
    return release


def applied(settings: Settings) -> Settings:
    """Provide the images of the release; return settings that name them.

    Raises:
        StackError: see `read`; or an image is neither here nor in its registry.
    """
    release = read()
    print(f"release {release.commit[:12]}: providing its images …", flush=True)
    for address in release.images:
        _provide(address, release.tag)
    return replace(settings, variables=settings.variables | release.names)


def _require_names(release: Release) -> None:
    """Check that every image is named by its digest.

    Raises:
        ValueError: one is not, or there is none.
    """
    names = [image for image in release.images if "@sha256:" in image]
    if not names or len(names) < len(release.images):
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


def _provide(address: str, tag: str) -> None:
    """Pull an image by its digest unless it is here, and tag it."""
    if not _docker("image", "inspect", address, quiet=True):
        if not _docker("pull", "--quiet", address):
            raise StackError(
                f"{address} is neither here nor in its registry, see above: log in"
                " with `docker login` if the package is private."
            )
    name, _, _ = address.partition("@")
    if not _docker("tag", address, f"{name}:{tag}"):
        raise StackError(f"{address} could not be tagged, see above.")


def _docker(*arguments: str, quiet: bool = False) -> bool:
    """Run Docker; return whether it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    command = ["docker", *arguments]
    done = subprocess.run(command, stdout=output, stderr=output, check=False)
    return done.returncode == 0
