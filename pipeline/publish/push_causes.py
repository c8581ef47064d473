"""The causes of a failed push or fetch, by the messages of Git and the server.

Standard library only: programs that run without any package use it too.
"""

import re
from enum import Enum


class Cause(Enum):
    """What stopped a push or a fetch."""

    RACE = "another push came first"
    TRANSIENT = "the server or the network failed temporarily"
    ACCESS = "access was refused"
    RULE = "a rule of the branch rejected it"
    ARCHIVED = "the repository is archived"
    TOO_LARGE = "a file or the push is too large"
    EMAIL = "the commit's e-mail address is private"
    WORKFLOW = "the credentials may not change workflow files"
    SECRET = "the commits contain a secret"
    REMOTE_DISK = "the server's disk is full"
    DISK = "this machine's disk is full"
    NO_BRANCH = "the branch does not exist"
    NO_REMOTE = "the remote is not a repository"
    READ_ONLY = "this clone cannot be written to"
    UNKNOWN = "another reason"


# The order matters, because a specific message may match a general one, too. GitHub
# responds with HTTP 403 for an archived repository, and reports a secret as the
# violation of a rule.
_MESSAGES: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (
        Cause.TRANSIENT,
        (
            r"rate limit",
            r"too many requests",
        ),
    ),
    (
        Cause.SECRET,
        (
            r"GH009",
            r"push protection",
            r"cannot contain secrets",
            r"secrets? detected",
        ),
    ),
    (
        Cause.ARCHIVED,
        (
            r"archived so it is read-only",
            r"repository (?:is|was|has been) archived",
        ),
    ),
    (
        Cause.TOO_LARGE,
        (
            r"GH001",
            r"large files detected",
            r"exceeds GitHub's file size limit",
            r"returned error: 413",
            r"HTTP 413",
            r"pack exceeds maximum allowed size",
            r"exceeds maximum allowed",
            r"repository size limit",
        ),
    ),
    (
        Cause.EMAIL,
        (
            r"GH007",
            r"publish a private email",
        ),
    ),
    (
        Cause.WORKFLOW,
        (r"refusing to allow .* workflow",),
    ),
    (
        Cause.REMOTE_DISK,
        (r"remote:.*(?:no space left|disk quota exceeded)",),
    ),
    (
        Cause.RULE,
        (
            r"GH003",
            r"GH006",
            r"GH013",
            r"protected branch",
            r"rule violations",
            r"must be made through",
            r"must have verified signatures",
            r"required status check",
            r"is expected",
            r"merge queue",
            r"not allowed to (?:force )?push",
        ),
    ),
    (
        Cause.RACE,
        (
            r"fetch first",
            r"non-fast-forward",
            r"remote contains work",
            r"cannot lock ref",
            r"failed to update ref",
            r"stale info",
            r"incorrect old value",
        ),
    ),
    (
        Cause.ACCESS,
        (
            r"returned error: 40[13]\b",
            r"HTTP 40[13]\b",
            r"Write access to repository not granted",
            r"could not read (?:Username|Password)",
            r"Authentication failed",
            r"Permission to \S+ denied",
            r"Permission denied \(",
            r"invalid (?:username|credentials)",
            r"bad credentials",
            r"access denied",
            r"Host key verification failed",
            r"marked as read.only",
            r"SAML SSO",
            r"not accessible by integration",
            r"Password authentication",
            r"token .*expired",
            r"No anonymous write access",
            r"remote:.*insufficient permission",
            r"temporary object directory",
            r"denied to deploy key",
        ),
    ),
    (
        Cause.DISK,
        (
            r"no space left on device",
            r"disk quota exceeded",
        ),
    ),
    (
        Cause.NO_BRANCH,
        (r"couldn't find remote ref",),
    ),
    (
        Cause.TRANSIENT,
        (
            r"returned error: (?:5\d\d|408|429)",
            r"HTTP (?:5\d\d|408|429)",
            r"Internal Server Error",
            r"Bad Gateway",
            r"Service Unavailable",
            r"Gateway Time-?out",
            r"temporarily unavailable",
            r"Could not resolve",
            r"Temporary failure in name",
            r"Name or service not known",
            r"No such host",
            r"nodename nor servname",
            r"timed? ?out",
            r"Connection (?:was )?re(?:set|fused)",
            r"Connection closed",
            r"closed by remote host",
            r"Failed to connect",
            r"Couldn't connect",
            r"Network is unreachable",
            r"Network is down",
            r"No route to host",
            r"Broken pipe",
            r"early EOF",
            r"unexpected disconnect",
            r"Empty reply from server",
            r"(?:Recv|Send) failure",
            r"not closed cleanly",
            r"RPC failed",
            r"SSL_ERROR_SYSCALL",
            r"unexpected eof",
            r"TLS connection was non-properly",
            r"gnutls_handshake",
            r"GnuTLS recv error",
            r"handshake failed",
            r"fatal error in commit_refs",
            r"remote end hung up",
            r"failed to report status",
        ),
    ),
    (
        Cause.NO_REMOTE,
        (
            r"does not appear to be a git repository",
            r"returned error: 404",
            r"No such remote",
            r"repository '.*' (?:not found|does not exist)",
            r"Repository not found",
            r"No such device or address",
        ),
    ),
    # A hook of the server gave no more specific reason.
    (
        Cause.RULE,
        (
            r"hook declined",
            r"prohibited by",
            r"denied by",
            r"is read.only.*branch",
        ),
    ),
    (
        Cause.READ_ONLY,
        (
            r"Permission denied",
            r"Read-only file system",
            r"insufficient permission",
        ),
    ),
)


def classify(output: str) -> Cause:
    """Return why Git failed, by its and the server's output on standard error."""
    for cause, patterns in _MESSAGES:
        for pattern in patterns:
            if re.search(pattern, output, re.IGNORECASE):
                return cause
    return Cause.UNKNOWN
