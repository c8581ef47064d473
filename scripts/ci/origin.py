"""The repository on GitHub, accessed with the workflow's token or a deploy key."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.git import git
from scripts.ci import api

ASKPASS = Path(__file__).resolve().parents[1] / "askpass.sh"
# The name of the file of the deploy key, in the folder that `Origin.read` is given.
KEY_FILE = "key"
# The variables that give access to it, which other programs must not get.
SECRETS = {
    "GITHUB_TOKEN",
    "PUBLISH_KEY",
    "GIT_ASKPASS",
    "GIT_SSH_COMMAND",
    "SSH_AUTH_SOCK",
}


@dataclass(frozen=True)
class Origin:
    """An address, and the variables with which Git gets access to it."""

    address: str
    variables: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Origin":
        """Return the checkout's origin, with the access that the environment gives.

        Args:
            folder: a temporary folder, for a key.

        Raises:
            ApiError: there is a key, and GitHub does not list its server's keys.
        """
        key = os.environ.get("PUBLISH_KEY", "").strip()
        if key:
            return cls._by_key(key, folder)
        address = git(Path(), "remote", "get-url", "origin")
        token = os.environ.get("GITHUB_TOKEN", "")
        if not token:
            return cls(address, {})
        # In a copy that was unpacked on Windows, no file is executable.
        askpass = Path(shutil.copy(ASKPASS, folder))
        askpass.chmod(0o700)
        variables = {"GIT_ASKPASS": str(askpass), "GITHUB_TOKEN": token}
        return cls(address, variables)

    @classmethod
    def _by_key(cls, key: str, folder: Path) -> "Origin":
        repository = api.call("")
        address: str = repository["ssh_url"]
        key_file = folder / KEY_FILE
        key_file.write_text(f"{key}\n", encoding="ascii")
        key_file.chmod(0o600)
        # GitHub publishes the keys of its SSH servers over HTTPS.
        meta = api.call("meta")
        host = _host(address)
        lines = ""
        for key in meta["ssh_keys"]:
            lines += f"{host} {key}\n"
        known_hosts = folder / "known_hosts"
        known_hosts.write_text(lines, encoding="ascii")
        ssh = [
            "ssh",
            "-F",
            os.devnull,
            "-i",
            str(key_file),
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            f"UserKnownHostsFile={known_hosts}",
            "-o",
            "BatchMode=yes",
        ]
        return cls(address, {"GIT_SSH_COMMAND": " ".join(ssh)})

    def git(self, folder: Path, command: str, *arguments: str) -> str:
        """Run a Git command on the origin, whose address follows the options.

        Raises:
            GitError: it ended with another status than 0.
        """
        options = []
        others = []
        for argument in arguments:
            if argument.startswith("--"):
                options.append(argument)
            else:
                others.append(argument)
        line = [command, *options, self.address, *others]
        return git(folder, *line, variables=self.variables)


def _host(address: str) -> str:
    """Return the server of `git@host:path` or a URL, as known_hosts names it."""
    if "://" not in address:
        server = address.partition(":")[0]
        return server.rpartition("@")[2]
    parts = urlsplit(address)
    if parts.port:
        return f"[{parts.hostname}]:{parts.port}"
    return str(parts.hostname)
