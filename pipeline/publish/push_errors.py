"""Why a push or a fetch failed, by the messages of Git and the server; and what to do.

Standard library only: programs that run without any package use it too.
"""

import re
from enum import Enum

from core.redact import redact


class Cause(Enum):
    """What stopped a push or a fetch."""

    RACE = "somebody pushed first"
    TRANSIENT = "the server or the network failed for the moment"
    ACCESS = "access was refused"
    RULE = "a rule of the branch refused it"
    ARCHIVED = "the repository is archived"
    TOO_LARGE = "a file or the push is too large"
    EMAIL = "the commit's e-mail address is private"
    WORKFLOW = "the credentials may not change workflow files"
    SECRET = "a secret was found in the commits"
    REMOTE_DISK = "the server's disk is full"
    DISK = "this machine's disk is full"
    NO_BRANCH = "the branch does not exist"
    NO_REMOTE = "the remote is not a repository"
    READ_ONLY = "this clone cannot be written to"
    UNKNOWN = "another reason"


# In this order: the particular comes before the general. GitHub answers HTTP
# 403 for an archived repository, and names a found secret as a violated rule.
_WORDS: tuple[tuple[Cause, str], ...] = (
    (Cause.TRANSIENT, r"rate limit|too many requests"),
    (Cause.SECRET, r"GH009|push protection|cannot contain secrets|secrets? detected"),
    (
        Cause.ARCHIVED,
        r"archived so it is read-only|repository (?:is|was|has been) archived",
    ),
    (
        Cause.TOO_LARGE,
        r"GH001|large files detected|exceeds GitHub's file size limit|returned error:"
        r" 413|HTTP 413"
        r"|pack exceeds maximum allowed size|exceeds maximum allowed|repository size"
        r" limit",
    ),
    (Cause.EMAIL, r"GH007|publish a private email"),
    (Cause.WORKFLOW, r"refusing to allow .* workflow"),
    (Cause.REMOTE_DISK, r"remote:.*(?:no space left|disk quota exceeded)"),
    (
        Cause.RULE,
        r"GH003|GH006|GH013|protected branch|rule violations|must be made through"
        r"|must have verified signatures|required status check|is expected|merge queue"
        r"|not allowed to (?:force )?push",
    ),
    (
        Cause.RACE,
        r"fetch first|non-fast-forward|remote contains work|cannot lock ref"
        r"|failed to update ref|stale info|incorrect old value",
    ),
    (
        Cause.ACCESS,
        r"returned error: 40[13]\b|HTTP 40[13]\b|Write access to repository not granted"
        r"|could not read (?:Username|Password)|Authentication failed|Permission to \S+"
        r" denied"
        r"|Permission denied \(|invalid (?:username|credentials)|bad credentials|access"
        r" denied"
        r"|Host key verification failed|marked as read.only|SAML SSO"
        r"|not accessible by integration|Password authentication|token .*expired"
        r"|No anonymous write access|remote:.*insufficient permission"
        r"|temporary object directory|denied to deploy key",
    ),
    (Cause.DISK, r"no space left on device|disk quota exceeded"),
    (Cause.NO_BRANCH, r"couldn't find remote ref"),
    (
        Cause.TRANSIENT,
        r"returned error: (?:5\d\d|408|429)|HTTP (?:5\d\d|408|429)|Internal Server"
        r" Error"
        r"|Bad Gateway|Service Unavailable|Gateway Time-?out|temporarily unavailable"
        r"|Could not resolve|Temporary failure in name|Name or service not known"
        r"|No such host|nodename nor servname|timed? ?out|Connection (?:was"
        r" )?re(?:set|fused)"
        r"|Connection closed|closed by remote host|Failed to connect|Couldn't connect"
        r"|Network is unreachable|Network is down|No route to host|Broken"
        r" pipe|early EOF"
        r"|unexpected disconnect|Empty reply from server|(?:Recv|Send) failure|not"
        r" closed cleanly"
        r"|RPC failed|SSL_ERROR_SYSCALL|unexpected eof|TLS connection was non-properly"
        r"|gnutls_handshake|GnuTLS recv error|handshake failed|fatal error in"
        r" commit_refs"
        r"|remote end hung up|failed to report status",
    ),
    (
        Cause.NO_REMOTE,
        r"does not appear to be a git repository|returned error: 404|No such remote"
        r"|repository '.*' (?:not found|does not exist)|Repository not found"
        r"|No such device or address",
    ),
    # A hook of the server refused it without a more particular reason.
    (Cause.RULE, r"hook declined|prohibited by|denied by|is read.only.*branch"),
    (
        Cause.READ_ONLY,
        r"Permission denied|Read-only file system|insufficient permission",
    ),
)
_PATTERNS = tuple((cause, re.compile(words, re.IGNORECASE)) for cause, words in _WORDS)
_PROGRESS = re.compile(r"[\w ]+: +\d+% \(|Total \d+ \(")
_ADVICE = {
    Cause.TRANSIENT: "wait a few minutes, then run the command again; nothing is lost",
    Cause.ACCESS: (
        "check that you have write access. With HTTPS, log in (`gh auth login`) or use"
        " a token with write access to the contents; with SSH, use a key with write"
        " access. In a workflow, the job needs `permissions: contents: write`, which"
        " the organisation must allow"
    ),
    Cause.RULE: (
        "the branch is protected by a rule or ruleset (Settings > Rules > Rulesets, or"
        " Settings > Branches). There are three ways out: keep only the rules 'Restrict"
        " deletions' and 'Block force pushes' for the branch; publish to a separate"
        " branch with --branch (in the workflow: the variable PUBLISH_BRANCH); or push"
        " with a deploy key that is in the ruleset's bypass list (the secret"
        " PUBLISH_KEY)"
    ),
    Cause.ARCHIVED: (
        "unarchive the repository (Settings > General > Danger Zone), or publish to"
        " another one with --remote"
    ),
    Cause.TOO_LARGE: (
        "the server does not accept a file or push of this size (GitHub: 100 MB per"
        " file): log smaller artifacts or lower the model's size budget, then train"
        " again"
    ),
    Cause.EMAIL: (
        "set the no-reply address that GitHub gives you (Settings > Emails) with `git"
        " config user.email ADDRESS`, or allow pushes that expose your own address"
        " there, then run the command again"
    ),
    Cause.WORKFLOW: (
        "the branch has workflow files that these credentials may not push: use a"
        " token with the `workflow` scope, or a deploy key"
    ),
    Cause.SECRET: (
        "the server found a secret in the pushed files: remove it from the artifacts or"
        " params, revoke it, and train again"
    ),
    Cause.REMOTE_DISK: (
        "the server has no space left: ask its administrator to free some, then run the"
        " command again; nothing is lost"
    ),
    Cause.DISK: "no space is left on this machine: free some and run the command again",
    Cause.NO_REMOTE: (
        "check the address (`git remote -v` shows it, and --remote sets another one),"
        " and that the repository exists and your account may read it: to everybody"
        " else, a private repository looks as if it did not exist"
    ),
    Cause.READ_ONLY: (
        "publish from a clone of your own, because this user cannot write to the .git"
        " folder of this one"
    ),
    Cause.UNKNOWN: (
        "check the address (`git remote -v`), the network and your access, then run the"
        " command again; nothing is lost"
    ),
}


def classify(output: str) -> Cause:
    """Return why Git failed, by its and the server's output on standard error."""
    for cause, pattern in _PATTERNS:
        if pattern.search(output):
            return cause
    return Cause.UNKNOWN


def advice(cause: Cause) -> str:
    """Return what to do about a cause, as the end of a sentence without a full stop."""
    return _ADVICE.get(cause, _ADVICE[Cause.UNKNOWN])


def words(output: str) -> str:
    """Return the server's message, or else Git's, on one line and without secrets."""
    server = []
    local = []
    for line in redact(output).splitlines():
        text = " ".join(line.split())
        if text.startswith("remote:"):
            message = text.removeprefix("remote:").strip()
            if message and not _PROGRESS.match(message):
                server.append(message)
        elif text and not text.startswith(("hint:", "To ")):
            local.append(text)
    return " ".join(server or local) or "no reason was given"


def explain(output: str, failure: str) -> str:
    """Return the sentence for a failure that another attempt would not resolve.

    Args:
        output: Git's standard error.
        failure: what failed, such as "origin rejected the push to main".
    """
    cause = classify(output)
    return f"{failure} ({words(output)}): {advice(cause)}."
