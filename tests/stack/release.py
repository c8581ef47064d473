"""What a release needs: a checkout with its origin, and a registry to push to."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.stack.engine import PROJECT, copy_checkout, revision

# The names of images are lower case whatever the owner's is.
OWNER = PROJECT.title()
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
        copy_checkout(self.folder)
        self.git("switch", "--quiet", "--force-create", "main")
        self.git("config", "user.name", "Tester")
        self.git("config", "user.email", "tester@example.org")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "test: as it is")
        self.commit = revision(self.folder)
        self.git("clone", "--quiet", "--bare", str(self.folder), str(self.origin))
        self.git("remote", "set-url", "origin", str(self.origin))

    def git(self, *arguments: str) -> str:
        """Run Git."""
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.check_output(command, text=True).strip()

    def run(self, script: str, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Run one of the scripts as the workflow does; return its status and what it printed."""
        ours = {"OWNER": OWNER, "GITHUB_OUTPUT": str(self.outputs)}
        inherited = {name: os.environ[name] for name in os.environ.keys() - {"COMPOSE_FILE"}}
        command = [sys.executable, "-m", f"scripts.{script}", *arguments]
        environment = inherited | ours | variables
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout, done.stderr

    def told(self) -> dict[str, str]:
        """Return the outputs that were left to the workflow since the last call."""
        lines = self.outputs.read_text().splitlines() if self.outputs.exists() else []
        self.outputs.unlink(missing_ok=True)
        return dict(line.split("=", 1) for line in lines)


class Registry:
    """What lies in a registry on this machine."""

    def __init__(self, address: str, owner: str = PROJECT) -> None:
        self.address, self.owner = address, owner

    def name(self, image: str) -> str:
        """Return the full name of an image, without its tag."""
        return f"{self.address}/{self.owner}/{image}"

    def digest(self, image: str, tag: str) -> str:
        """Return the digest of an image, nothing if it is not there."""
        address = f"http://{self.address}/v2/{self.owner}/{image}/manifests/{tag}"
        request = urllib.request.Request(address, headers={"Accept": ", ".join(KINDS)})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return ""
