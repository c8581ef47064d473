"""The reconciler's own clone of the repository that it follows."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from core.errors import PipelineError
from core.file_names import CARD, MANIFEST, MODEL, MODELS, RELEASE
from core.git import GitError, git, git_bytes, is_ancestor, succeeds
from core.redact import redact_address
from pipeline.publish.push_errors import message
from pipeline.publish.remote import LIST_HEAD, head_branch
from pipeline.reconcile.served_files import Files

NAMES = (MODEL, MANIFEST, CARD)
# The files are checked byte for byte, whatever the user's settings are.
AS_IN_GIT = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
# Git verifies a signature by the program of its kind, and gpg takes one of any key that
# the machine knows. The file of the allowed signers is for SSH alone.
ONLY_SSH = (
    "-c",
    "gpg.format=ssh",
    "-c",
    "gpg.openpgp.program=",
    "-c",
    "gpg.x509.program=",
)
# A server that stops sending is given up after so many seconds.
STALLED_SECONDS = 30


class OriginAway(PipelineError):
    """The repository cannot be reached, or refuses; another attempt may succeed."""


class Clone:
    """A clone that nobody else works in; it is made when it is first needed."""

    def __init__(
        self,
        root: Path,
        address: str,
        branch: str | None,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the clone.

        Args:
            address: the address of the repository, absolute if it is a path.
            branch: the branch to follow; None means the repository's default branch.
            credentials: variables with which Git reads the repository; see `access`.
        """
        self.root = root
        self._address = address
        self._branch = branch
        self._credentials = credentials
        self._shown = redact_address(address)

    def fetch(self) -> str:
        """Fetch the branch, and return its newest commit.

        Raises:
            OriginAway: the repository cannot be reached, or has no such branch.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        git(self.root, "init", "--quiet")
        branch = self._branch or self._default_branch()
        update = f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
        self._ask("fetch", "--quiet", "--no-tags", self._address, update)
        return git(self.root, "rev-parse", f"refs/remotes/origin/{branch}")

    def declaring_commit(self, tip: str) -> str:
        """Return the commit that changed the release last; empty if there is none."""
        return git(self.root, "log", "-1", "--format=%H", tip, "--", RELEASE)

    def release_text(self, commit: str) -> str | None:
        """Return the text of the release at a commit; None if there is none."""
        name = f"{commit}:{RELEASE}"
        if not succeeds(self.root, "cat-file", "-e", name):
            return None
        content = git_bytes(self.root, "cat-file", "blob", name)
        return content.decode(errors="replace")

    def contains(self, tip: str, commit: str) -> bool:
        """Return whether a commit is an ancestor of a tip, or the tip itself."""
        return is_ancestor(self.root, commit, tip)

    def models(self, commit: str) -> Files:
        """Return the files of the models at a commit."""
        options = ("-r", "-z", "--name-only", "--full-tree")
        listing = git(self.root, "ls-tree", *options, commit, f"{MODELS}/")
        files: Files = {}
        for name in listing.split("\0"):
            path = PurePosixPath(name)
            if path.name in NAMES:
                place = path.relative_to(MODELS).as_posix()
                blob = f"{commit}:{name}"
                files[place] = git_bytes(self.root, "cat-file", "blob", blob)
        return files

    def check_out(self, commit: str) -> None:
        """Make the clone's files those of a commit."""
        # Nobody else works here: a lock is of a process that was killed.
        lock = self.root / ".git" / "index.lock"
        lock.unlink(missing_ok=True)
        checkout = ("checkout", "--quiet", "--force", "--detach", commit)
        git(self.root, *AS_IN_GIT, *checkout)
        git(self.root, "clean", "-ffdxq")

    def require_signature(self, commit: str, signers: Path) -> None:
        """Check that a commit is signed by one of the allowed signers.

        Args:
            signers: the file of their SSH keys, in the form of `ssh-keygen`.

        Raises:
            PipelineError: it is not.
        """
        allowed = f"gpg.ssh.allowedSignersFile={signers.resolve()}"
        settings = (*ONLY_SSH, "-c", allowed)
        if not succeeds(self.root, *settings, "verify-commit", commit):
            raise PipelineError(
                f"commit {commit[:12]}, which declares the release, is not signed by a"
                f" key in {signers}: find out who pushed it, or add the key."
            )

    def _default_branch(self) -> str:
        branch = head_branch(self._ask(*LIST_HEAD, self._address, "HEAD"))
        if branch is None:
            raise OriginAway(
                f"{self._shown} has no default branch yet: push to it, or name a branch"
                " with --branch."
            )
        return branch

    def _ask(self, *arguments: str) -> str:
        limit = f"http.lowSpeedTime={STALLED_SECONDS}"
        settings = ("-c", "http.lowSpeedLimit=1", "-c", limit)
        try:
            return git(self.root, *settings, *arguments, variables=self._credentials)
        except GitError as error:
            reason = message(error.output)
            raise OriginAway(
                f"{self._shown} cannot be read ({reason}): what is served stays as it"
                " is until it can."
            ) from error
