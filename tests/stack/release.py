"""What a release needs: a checkout with its origin, and a registry to push to."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack.engine import PROJECT, revision
from tools.documents import checkout as checkouts
from tools.rehearse.docker import PROGRAM, registry

IMAGES = ("mlops-api", "mlops-mlflow", "mlops-pipeline")
# The names of images are lower case whatever the owner's and the repository's are.
REPOSITORY = f"{PROJECT.title()}/My.Copy"
MEDIA_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
# Of the machine that runs the tests, and not of the workflow.
NOT_INHERITED = {
    "COMPOSE_FILE",
    "OWNER",
    "REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_EVENT_PATH",
}


class Checkout:
    """A commit of everything as it is here, on main of a bare origin."""

    def __init__(self, folder: Path) -> None:
        self._locate(folder, folder / "origin.git")
        checkouts.copy_to(self.folder)
        self.git("switch", "--quiet", "--force-create", "main")
        self._identify()
        self.commit_all("test: as it is")
        origin = str(self.origin)
        self.git("clone", "--quiet", "--bare", ".", origin)
        self.git("remote", "set-url", "origin", origin)

    @classmethod
    def clone(cls, origin: Path, folder: Path, commit: str) -> "Checkout":
        """Return another clone of an origin, with a commit checked out."""
        clone = cls.__new__(cls)
        clone._locate(folder, origin)
        clone.commit = commit
        folder.mkdir()
        subprocess.run(["git", "clone", "--quiet", origin, clone.folder], check=True)
        clone._identify()
        clone.detach(commit)
        return clone

    def _locate(self, folder: Path, origin: Path) -> None:
        self.folder = folder / PROJECT
        self.origin = origin
        self.output_file = folder / "outputs"

    def _identify(self) -> None:
        self.git("config", "user.name", "Tester")
        self.git("config", "user.email", "tester@example.org")

    def git(self, *arguments: str) -> str:
        """Run Git."""
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.check_output(command, text=True).strip()

    def push(self, *more: str) -> None:
        """Push main, or what else is given, to the origin."""
        self.git("push", "--quiet", "origin", *(more or ["main"]))

    def detach(self, commit: str) -> None:
        """Check a commit out."""
        self.git("switch", "--quiet", "--detach", commit)

    def shrink(self) -> None:
        """Leave nothing in the images but a file and their labels: they are built in a
        second.
        """
        for dockerfile in self.folder.glob("deployment/docker/*.Dockerfile"):
            content = dockerfile.read_text("utf-8")
            _, source, labels = content.partition('ARG SOURCE=""\n')
            assert source
            small = f"FROM scratch\nCOPY params.yaml /\n{source}{labels}"
            dockerfile.write_text(small, "utf-8")
        self.commit_all("test: small images")
        self.push()

    def commit_all(self, message: str) -> str:
        """Commit everything as it is now, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.commit = revision(self.folder)
        return self.commit

    def run(
        self, script: str, *arguments: str, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of the scripts as the workflow does."""
        environment = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_OUTPUT": str(self.output_file),
        }
        for name in os.environ.keys() - NOT_INHERITED - environment.keys():
            environment[name] = os.environ[name]
        return subprocess.run(
            [sys.executable, "-m", f"scripts.{script}", *arguments],
            cwd=self.folder,
            env=environment | variables,
            capture_output=True,
            text=True,
        )

    def push_images(self, *more: str, **variables: str) -> dict[str, str]:
        """Push images as the workflow does; return the outputs of the step."""
        self.outputs()
        done = self.run("images", "push", *more, **variables)
        assert done.returncode == 0, done.stderr
        return self.outputs()

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the steps since the last call."""
        if not self.output_file.exists():
            return {}
        outputs = {}
        for line in self.output_file.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            outputs[name] = value
        self.output_file.unlink()
        return outputs


class Registry:
    """The images in a registry on this machine."""

    def __init__(self, address: str, repository: str = REPOSITORY.lower()) -> None:
        self.address = address
        self.repository = repository

    def name(self, image: str) -> str:
        """Return the full name of an image, without its tag."""
        return f"{self.address}/{self.repository}/{image}"

    def address_of(self, image: str, tag: str) -> str:
        """Return the name of an image with its digest."""
        name = self.name(image)
        digest = self.digest(image, tag)
        return f"{name}@{digest}"

    def digest(self, image: str, tag: str) -> str:
        """Return the digest of an image, an empty string if it is not there."""
        request = self._request(image, tag)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return ""

    def listed(self, image: str, tag: str) -> set[str]:
        """Return the digests that the index of a tag lists."""
        request = self._request(image, tag)
        with urllib.request.urlopen(request, timeout=10) as answer:
            index = json.load(answer)
        return {manifest["digest"] for manifest in index["manifests"]}

    def _request(self, image: str, tag: str) -> urllib.request.Request:
        root = f"http://{self.address}/v2"
        address = f"{root}/{self.repository}/{image}/manifests/{tag}"
        headers = {"Accept": ", ".join(MEDIA_TYPES)}
        return urllib.request.Request(address, headers=headers)


@contextmanager
def started_registry(folder: Path) -> Iterator[Registry]:
    """Run a registry with its images in a folder; skip the test if it is missing."""
    if not shutil.which(PROGRAM):
        pytest.skip(f"there is no registry to push to: `apt-get install {PROGRAM}`")
    with registry(folder) as address:
        yield Registry(address)
