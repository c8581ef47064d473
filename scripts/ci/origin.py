"""The repository on GitHub, opened by the workflow's token or by a deploy key."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.git import git
from scripts.ci import api

ASKPASS = Path(__file__).resolve().parents[1] / "askpass.sh"
# What opens it; nothing of this is for the programs that are started.
SECRETS = {
    "GITHUB_TOKEN",
    "PUBLISH_KEY",
    "GIT_ASKPASS",
    "GIT_SSH_COMMAND",
    "SSH_AUTH_SOCK",
}


@dataclass(frozen=True)
class Origin:
    """An address, and the variables with which Git opens it."""

    address: str
    variables: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Origin":
        """Return the checkout's origin, as the environment says how to open it.

        Args:
            folder: where a key may lie for as long as it is needed.

        Raises:
            ApiError: there is a key, and GitHub does not say how to know its server by.
        """
        if key := os.environ.get("PUBLISH_KEY", "").strip():
            return cls._by_key(key, folder)
        address = git(Path(), "remote", "get-url", "origin")
        if not (token := os.environ.get("GITHUB_TOKEN", "")):
            return cls(address, {})
        # In a copy that was unpacked on Windows no file can be executed.
        askpass = Path(shutil.copy(ASKPASS, folder))
        askpass.chmod(0o700)
        return cls(address, {"GIT_ASKPASS": str(askpass), "GITHUB_TOKEN": token})

    @classmethod
    def _by_key(cls, key: str, folder: Path) -> "Origin":
        address = str(api.call("")["ssh_url"])
        (folder / "key").write_text(f"{key}\n", encoding="ascii")
        (folder / "key").chmod(0o600)
        # GitHub says over https which keys its ssh servers have.
        known = "".join(
            f"{_host(address)} {line}\n" for line in api.call("meta")["ssh_keys"]
        )
        (folder / "known_hosts").write_text(known, encoding="ascii")
        options = {"IdentitiesOnly": "yes", "StrictHostKeyChecking": "yes"}
        options |= {
            "UserKnownHostsFile": str(folder / "known_hosts"),
            "BatchMode": "yes",
        }
        ssh = ["ssh", "-F", os.devnull, "-i", str(folder / "key")]
        ssh += [
            part for key, value in options.items() for part in ("-o", f"{key}={value}")
        ]
        return cls(address, {"GIT_SSH_COMMAND": " ".join(ssh)})

    def git(self, folder: Path, command: str, *arguments: str) -> str:
        """Run a Git command on the origin: options first, then the address, then the
        rest.

        Raises:
            GitError: it ended with another status than 0.
        """
        options = [argument for argument in arguments if argument.startswith("--")]
        rest = [argument for argument in arguments if not argument.startswith("--")]
        given = (command, *options, self.address, *rest)
        return git(folder, *given, variables=self.variables)


def _host(address: str) -> str:
    """Return the server of an address, `git@host:path` or a URL, as known_hosts names
    it.
    """
    if "://" not in address:
        return address.partition(":")[0].rpartition("@")[2]
    parts = urlsplit(address)
    return f"[{parts.hostname}]:{parts.port}" if parts.port else str(parts.hostname)
