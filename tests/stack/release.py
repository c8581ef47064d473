"""What a release needs: a checkout with its origin, and a registry to push to."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.stack.engine import PROJECT, revision
from tools.documents import checkout as checkouts

# The names of images are lower case whatever the owner's and the repository's are.
REPOSITORY = f"{PROJECT.title()}/My.Copy"
KINDS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


class Checkout:
    """A commit of everything as it is here, on main of a bare origin."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.origin = folder / PROJECT, folder / "origin.git"
        self.outputs = folder / "outputs"
        checkouts.copy_to(self.folder)
        self.git("switch", "--quiet", "--force-create", "main")
        self._identify()
        self.commit_all("test: as it is")
        self.git("clone", "--quiet", "--bare", str(self.folder), str(self.origin))
        self.git("remote", "set-url", "origin", str(self.origin))

    @classmethod
    def clone(cls, origin: Path, folder: Path, commit: str) -> "Checkout":
        """Return another clone of an origin, with a commit checked out."""
        found = cls.__new__(cls)
        found.folder, found.origin, found.commit = folder / PROJECT, origin, commit
        found.outputs = folder / "outputs"
        folder.mkdir()
        subprocess.run(["git", "clone", "--quiet", origin, found.folder], check=True)
        found._identify()
        found.git("switch", "--quiet", "--detach", commit)
        return found

    def _identify(self) -> None:
        self.git("config", "user.name", "Tester")
        self.git("config", "user.email", "tester@example.org")

    def git(self, *arguments: str) -> str:
        """Run Git."""
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.check_output(command, text=True).strip()

    def shrink(self) -> None:
        """Leave nothing in the images but a file and their labels: they are built in a
        second.
        """
        for dockerfile in (self.folder / "deployment" / "docker").glob("*.Dockerfile"):
            labels = dockerfile.read_text("utf-8").partition('ARG SOURCE=""\n')[2]
            content = f'FROM scratch\nCOPY params.yaml /\nARG SOURCE=""\n{labels}'
            dockerfile.write_text(content, "utf-8")
        self.commit_all("test: small images")
        self.git("push", "--quiet", "origin", "main")

    def commit_all(self, message: str) -> str:
        """Commit everything as it is now, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.commit = revision(self.folder)
        return self.commit

    def run(
        self, script: str, *arguments: str, **variables: str
    ) -> tuple[int, str, str]:
        """Run one of the scripts as the workflow does; return its status and what it
        printed.
        """
        ours = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_OUTPUT": str(self.outputs)}
        theirs = {
            "COMPOSE_FILE",
            "OWNER",
            "REPOSITORY",
            "GITHUB_SHA",
            "GITHUB_EVENT_PATH",
        }
        inherited = {name: os.environ[name] for name in os.environ.keys() - theirs}
        command = [sys.executable, "-m", f"scripts.{script}", *arguments]
        environment = inherited | ours | variables
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr

    def told(self) -> dict[str, str]:
        """Return the outputs that were left to the workflow since the last call."""
        lines = (
            self.outputs.read_text("utf-8").splitlines()
            if self.outputs.exists()
            else []
        )
        self.outputs.unlink(missing_ok=True)
        return dict(line.split("=", 1) for line in lines)


class Registry:
    """What lies in a registry on this machine."""

    def __init__(self, address: str, repository: str = REPOSITORY.lower()) -> None:
        self.address, self.repository = address, repository

    def name(self, image: str) -> str:
        """Return the full name of an image, without its tag."""
        return f"{self.address}/{self.repository}/{image}"

    def digest(self, image: str, tag: str) -> str:
        """Return the digest of an image, nothing if it is not there."""
        address = f"http://{self.address}/v2/{self.repository}/{image}/manifests/{tag}"
        request = urllib.request.Request(address, headers={"Accept": ", ".join(KINDS)})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return ""
