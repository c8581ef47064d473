"""A workflow that keeps every rule, and small changes of it that break one."""

from collections.abc import Callable

from tests.support import workflow_rules as rules
from tests.support.workflow_files import Workflow

Rule = Callable[[Workflow], list[str]]

GOOD = """\
name: good
on:
  push:
  pull_request:
permissions: {}
jobs:
  reads:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: ./.github/actions/own
      - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
      - run: |
          ./scripts/nox.sh -s "tests-$PYTHON" -- \\
            -k "not slow"
          .\\scripts\\nox.ps1 -s "tests-$env:PYTHON"
          python3 -m scripts.ci.welcome
          gh workflow run mlops.yml --ref "$BRANCH" --raw-field tasks="$TASKS"
  writes:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: write
    steps:
      - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
        with:
          enable-cache: false
  signs:
    needs: [publish]
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      id-token: write
    steps:
      - uses: docker/login-action@4907a6ddec9925e35a0a9e82d7399ccc52663121 # v4.1.0
      - uses: actions/attest@59d89421af93a897026c735860bf21b6eb4f7b26 # v4.1.0
  comments:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      pull-requests: write
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
          ref: ${{ github.event.pull_request.base.sha }}
"""
BUILDX = "docker/setup-buildx-action@37fe631027851001ddb9b187196cc803df7f5f0e # v4.3.0"
TRIVY = "aquasecurity/trivy-action@ed142fd0673e97e23eac54620cfb913e5ce36c25 # v0.36.0"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5"
PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
READS = "    permissions:\n      contents: read\n"
OWN = "./.github/actions/own"
WELCOME = "python3 -m scripts.ci.welcome"
# Each fault is a small change of the good workflow: the rule that it breaks, the text that
# goes, and the text that comes.
FAULTS: list[tuple[Rule, str, str]] = [
    (
        rules.actions_are_pinned,
        "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "v7.0.1",
    ),
    (rules.actions_are_pinned, "273ba90b1 # v7.0.1", "273ba90b # v7.0.1"),
    (rules.actions_are_pinned, " # v7.0.1", ""),
    (rules.actions_are_pinned, "# v7.0.1", "# v7"),
    (rules.actions_are_pinned, f"uses: {OWN}", "uses: docker://alpine:3"),
    (rules.actions_are_pinned, f"- uses: {OWN}", "- {uses: 'actions/cache@v5'}"),
    (rules.jobs_end, "    timeout-minutes: 5\n", ""),
    (rules.rights_are_the_jobs_own, "permissions: {}", "permissions: read-all"),
    (rules.rights_are_the_jobs_own, "permissions: {}\n", ""),
    (rules.rights_are_the_jobs_own, READS, ""),
    (rules.rights_are_the_jobs_own, READS, "    permissions: write-all\n"),
    (rules.commands_are_ours, WELCOME, "pip install nox"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} && git push"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} | tee log"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} || true"),
    (rules.commands_are_ours, WELCOME, f'{WELCOME} "$(whoami)"'),
    (rules.commands_are_ours, WELCOME, "python3 -c 'import scripts'"),
    (rules.commands_are_ours, WELCOME, "gh api /user"),
    (rules.commands_are_ours, WELCOME, "gh workflow run mlops.yml; git push"),
    (
        rules.commands_hold_no_expression,
        WELCOME,
        f"{WELCOME} ${{{{ github.head_ref }}}}",
    ),
    (rules.checkouts_keep_no_token, "persist-credentials: false", "fetch-depth: 0"),
    (
        rules.checkouts_keep_no_token,
        "persist-credentials: false",
        "persist-credentials: true",
    ),
    (rules.writers_wait_for_one_another, "contents: read", "contents: write"),
    (
        rules.nothing_is_skipped,
        f"uses: {OWN}",
        f"uses: {OWN}\n        continue-on-error: true",
    ),
    (rules.nothing_is_skipped, WELCOME, f'{WELCOME} "[skip ci]"'),
    (rules.writers_take_nothing_from_a_cache, "enable-cache: false", "version: '1'"),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        "enable-cache: auto",
    ),
    (rules.writers_take_nothing_from_a_cache, "contents: read", "packages: write"),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {CACHE}",
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        (
            f"enable-cache: false\n      - uses: {PYTHON}\n        with:\n         "
            " cache: pip"
        ),
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {BUILDX}",
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {TRIVY}",
    ),
    (
        rules.signing_is_apart,
        "      - uses: docker/login",
        f"      - uses: {TRIVY}\n      - uses: docker/login",
    ),
    (rules.signing_is_apart, "needs: [publish]", "needs: [test]"),
    (rules.a_pull_requests_code_writes_nothing, ".base.sha", ".head.sha"),
    (rules.a_pull_requests_code_writes_nothing, "contents: read", "packages: write"),
]
