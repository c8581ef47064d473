"""SSH keys that sign commits."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ssh_keygen = pytest.mark.skipif(
    not shutil.which("ssh-keygen"), reason="there is no ssh-keygen to sign with"
)


def signing_key(folder: Path, name: str) -> Path:
    """Make a key, and a file of allowed signers for it alone: `NAME.signers`."""
    key = folder / name
    generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(generate, check=True)
    kind, public, _ = key.with_suffix(".pub").read_text("utf-8").split()
    signers = key.with_suffix(".signers")
    signers.write_text(f"* {kind} {public}\n")
    return key
