"""What to do about a failed push or fetch, as one sentence.

Standard library only: programs that run without any package use it too.
"""

import re

from core.redact import redact
from pipeline.publish.push_causes import Cause, classify

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


def advice(cause: Cause) -> str:
    """Return what to do about a cause, as the end of a sentence without a full stop."""
    return _ADVICE.get(cause, _ADVICE[Cause.UNKNOWN])


def message(output: str) -> str:
    """Return the server's message, or else Git's, on one line and without secrets."""
    server = []
    local = []
    for line in redact(output).splitlines():
        text = " ".join(line.split())
        if text.startswith("remote:"):
            line_of_server = text.removeprefix("remote:").strip()
            if line_of_server and not _PROGRESS.match(line_of_server):
                server.append(line_of_server)
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
    return f"{failure} ({message(output)}): {advice(cause)}."
