"""Why a push failed, by the real messages of Git, GitHub and other servers."""

import subprocess
import sys

import pytest

from pipeline.publish import push_errors
from pipeline.publish.push_causes import Cause, classify
from pipeline.publish.push_errors import advice, explain
from tests.paths import ROOT

REJECTED = (
    " ! [remote rejected] main -> main ({})\nerror: failed to push some refs to"
    " 'origin'\n"
)
SSH_TAIL = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the"
    " correct access rights\nand the repository exists.\n"
)
RULESET = (
    "remote: error: GH013: Repository rule violations found for"
    " refs/heads/main.\nremote: Review all repository rules at"
    " https://github.com/o/r/rules?ref=refs%2Fheads%2Fmain\nremote: \nremote: - Changes"
    " must be made through a pull request.\nremote: \n"
    + REJECTED.format("push declined due to repository rule violations")
)
PROTECTION = (
    "remote: error: GH013: Repository rule violations found for"
    " refs/heads/main.\nremote: - GITHUB PUSH PROTECTION\nremote:   Resolve the"
    " following violations before pushing again\nremote:     - Push cannot contain"
    " secrets\n" + REJECTED.format("push declined due to repository rule violations")
)
APP = (
    "refusing to allow a GitHub App to create or update workflow"
    " `.github/workflows/a.yml` "
)
HTTP = (
    "fatal: unable to access 'https://github.com/o/r.git/': The requested URL returned"
    " error: "
)

OUTPUTS = [
    (Cause.RACE, " ! [rejected] main -> main (fetch first)"),
    (Cause.RACE, " ! [rejected] main -> main (non-fast-forward)"),
    (
        Cause.RACE,
        REJECTED.format("cannot lock ref 'refs/heads/main': is at 1 but expected 2"),
    ),
    (Cause.RACE, REJECTED.format("incorrect old value provided")),
    (Cause.RULE, RULESET),
    (
        Cause.RULE,
        "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
        + REJECTED.format("protected branch hook declined"),
    ),
    (Cause.RULE, "remote: no.\n" + REJECTED.format("pre-receive hook declined")),
    (
        Cause.RULE,
        "remote: GitLab: You are not allowed to push code to protected branches on this"
        " project.\n" + REJECTED.format("pre-receive hook declined"),
    ),
    (Cause.SECRET, PROTECTION),
    (Cause.SECRET, "remote: error: GH009: Secrets detected! This push failed."),
    (
        Cause.TOO_LARGE,
        "remote: error: GH001: Large files detected. You may want to try Git LFS",
    ),
    (
        Cause.TOO_LARGE,
        "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413",
    ),
    (
        Cause.EMAIL,
        "remote: error: GH007: Your push would publish a private email address.",
    ),
    (Cause.WORKFLOW, REJECTED.format(APP + "without `workflows` permission")),
    (
        Cause.ARCHIVED,
        "remote: This repository was archived so it is read-only.\n" + HTTP + "403",
    ),
    (
        Cause.ARCHIVED,
        "ERROR: This repository was archived so it is read-only.\n" + SSH_TAIL,
    ),
    (Cause.ACCESS, "remote: Write access to repository not granted.\n" + HTTP + "403"),
    (
        Cause.ACCESS,
        "remote: Permission to o/r.git denied to github-actions[bot].\n" + HTTP + "403",
    ),
    (
        Cause.ACCESS,
        "fatal: could not read Username for 'https://github.com': prompts disabled",
    ),
    (
        Cause.ACCESS,
        "remote: Invalid username or token.\nfatal: Authentication failed for 'x'",
    ),
    (Cause.ACCESS, "git@github.com: Permission denied (publickey).\n" + SSH_TAIL),
    (Cause.ACCESS, "Host key verification failed.\n" + SSH_TAIL),
    (
        Cause.ACCESS,
        "ERROR: The key you are authenticating with has been marked as read only.",
    ),
    (
        Cause.ACCESS,
        "error: RPC failed; HTTP 403\nfatal: the remote end hung up unexpectedly",
    ),
    (
        Cause.NO_REMOTE,
        "remote: Repository not found.\nfatal: repository 'https://x/' not found",
    ),
    (
        Cause.NO_REMOTE,
        "fatal: 'nowhere' does not appear to be a git repository\n" + SSH_TAIL,
    ),
    (Cause.NO_BRANCH, "fatal: couldn't find remote ref refs/heads/absent"),
    (Cause.TRANSIENT, HTTP + "500"),
    (Cause.TRANSIENT, HTTP + "502"),
    (Cause.TRANSIENT, HTTP + "429"),
    (
        Cause.TRANSIENT,
        "fatal: unable to access 'https://x/': Could not resolve host: github.com",
    ),
    (
        Cause.TRANSIENT,
        "ssh: Could not resolve hostname github.com: Temporary failure\n" + SSH_TAIL,
    ),
    (
        Cause.TRANSIENT,
        "ssh: connect to host x port 22: Connection timed out\n" + SSH_TAIL,
    ),
    (
        Cause.TRANSIENT,
        "kex_exchange_identification: Connection closed by remote host\n" + SSH_TAIL,
    ),
    (
        Cause.TRANSIENT,
        "fatal: unable to access 'https://x/': Failed to connect to x port 443",
    ),
    (
        Cause.TRANSIENT,
        "fatal: unable to access 'https://x/': Recv failure: Connection was reset",
    ),
    (
        Cause.TRANSIENT,
        "fetch-pack: unexpected disconnect while reading sideband\nfatal: early EOF",
    ),
    (
        Cause.TRANSIENT,
        "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly",
    ),
    (
        Cause.TRANSIENT,
        "remote: Internal Server Error\n ! [remote failure] main -> main (remote",
    ),
    (
        Cause.TRANSIENT,
        "remote: fatal error in commit_refs\n" + REJECTED.format("failure"),
    ),
    (Cause.REMOTE_DISK, "remote: fatal: write error: No space left on device"),
    (Cause.DISK, "fatal: write error: No space left on device"),
    (
        Cause.READ_ONLY,
        "fatal: could not create directory '.git/worktrees': Permission denied",
    ),
    (Cause.UNKNOWN, "fatal: the moon is in the wrong house"),
]


@pytest.mark.parametrize(("cause", "output"), OUTPUTS)
def test_each_failure_has_its_cause(cause: Cause, output: str) -> None:
    assert classify(output) is cause


@pytest.mark.parametrize("cause", [each for each in Cause if each is not Cause.RULE])
def test_only_a_rule_is_answered_with_the_ways_around_rules(cause: Cause) -> None:
    assert "ruleset" not in advice(cause)


def test_the_sentence_has_the_server_s_message_and_what_to_do() -> None:
    sentence = explain(RULESET, "origin rejected the push to main")
    assert sentence.startswith(
        "origin rejected the push to main (error: GH013: Repository rule"
    )
    assert "Changes must be made through a pull request." in sentence
    for way_out in ("Restrict deletions", "--branch", "deploy key"):
        assert way_out in sentence
    assert "\n" not in sentence


def test_progress_and_git_s_own_lines_are_not_part_of_the_server_s_message() -> None:
    output = (
        "remote: Resolving deltas: 100% (1/1), completed\n"
        "remote: Internal Server Error\n"
    )
    output += REJECTED.format("failure")
    assert push_errors.message(output) == "Internal Server Error"


def test_the_message_does_not_contain_a_secret() -> None:
    output = "fatal: Authentication failed for 'https://me:pass-word@example.org/r/'"
    message = "fatal: Authentication failed for 'https://***@example.org/r/'"
    assert push_errors.message(output) == message


def test_programs_without_any_package_can_use_it() -> None:
    path = f"import sys; sys.path[:0] = [{str(ROOT)!r}]"
    code = f"{path}; import core.git, pipeline.publish.push_errors"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
