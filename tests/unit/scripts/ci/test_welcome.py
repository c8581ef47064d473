"""The list of what a fresh fork lacks, with a server that answers as GitHub does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.paths import ROOT
from tests.support.json_content import Json

REPO = "/repos/ada/houses"
WORKFLOWS = f"{REPO}/actions/workflows?per_page=100"
RULES = f"{REPO}/rules/branches/release%2Fnext?per_page=100"
REPOSITORY: Json = {
    "fork": False,
    "has_issues": True,
    "visibility": "public",
    "default_branch": "release/next",
}


def workflow(name: str, state: str = "active") -> Json:
    return {
        "id": 7,
        "name": name,
        "path": f".github/workflows/{name}.yml",
        "state": state,
    }


def rule(kind: str) -> Json:
    source = {"ruleset_source_type": "Repository", "ruleset_source": "ada/houses"}
    return {"type": kind, "ruleset_id": 42, **source}


class GitHub:
    """A server with an answer for each path; a number is the status of an error."""

    def __init__(self) -> None:
        self.answers: Json = {
            REPO: REPOSITORY,
            WORKFLOWS: {
                "total_count": 2,
                "workflows": [workflow("mlops"), workflow("data")],
            },
            RULES: [rule("deletion"), rule("non_fast_forward")],
        }
        self.tokens: set[str | None] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                github.tokens.add(self.headers["Authorization"])
                status = 200
                answer = github.answers[self.path]
                if isinstance(answer, int):
                    status = answer
                    answer = {"message": "Not Found"}
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None: ...

        return Handler

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def github() -> Iterator[GitHub]:
    server = GitHub()
    yield server
    server.close()


def run(address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "GITHUB_API_URL": address,
        "GITHUB_REPOSITORY": "ada/houses",
        "GITHUB_TOKEN": "t0ken",
    }
    for name, value in os.environ.items():
        # Without the variables of a workflow that runs the tests, or of a proxy.
        if not name.lower().startswith(("github_", "http_proxy", "https_proxy")):
            variables[name] = value
    return subprocess.run(
        [sys.executable, "-m", "scripts.ci.welcome"],
        cwd=ROOT,
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def findings(github: GitHub) -> list[str]:
    """Run the check and return its lines below the title."""
    done = run(github.address)
    assert done.returncode == 0
    assert done.stderr == ""
    title, blank, *lines = done.stdout.splitlines()
    assert (title, blank) == ("## What is still off", "")
    return lines


def test_nothing_off_is_one_line_and_the_token_is_shown(github: GitHub) -> None:
    assert findings(github) == ["Nothing: all is as it should be."]
    assert github.tokens == {"Bearer t0ken"}


def test_it_is_appended_to_the_summary(github: GitHub, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = run(github.address, GITHUB_STEP_SUMMARY=str(summary))
    assert done.stdout == ""
    assert summary.read_text("utf-8").startswith("before\n## What is still off\n")


def test_a_fresh_fork_gets_all_findings_with_the_pages_to_change_them(
    github: GitHub,
) -> None:
    changed = {"fork": True, "has_issues": False, "visibility": "private"}
    github.answers[REPO] = REPOSITORY | changed
    github.answers[WORKFLOWS]["workflows"][1]["state"] = "disabled_fork"
    github.answers[RULES] = []
    lines = findings(github)
    pages = [
        "settings#features",
        "compare",
        "settings",
        "actions/workflows/data.yml",
        "settings/rules",
    ]
    for line, page in zip(lines, pages, strict=True):
        assert line.endswith(f"](https://github.com/ada/houses/{page})")
    assert "Issues are off" in lines[0]
    assert "is a fork" in lines[1]
    assert "private" in lines[2]
    assert "`data.yml`" in lines[3]
    assert "sources of the data" in lines[3]
    assert "be deleted and lose commits" in lines[4]
    assert ".github/rulesets/main.json" in lines[4]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("disabled_inactivity", "60 days"),
        ("disabled_manually", "manually"),
        ("active", ""),
    ],
)
def test_a_workflow_is_named_with_the_reason_why_it_is_off(
    github: GitHub, state: str, why: str
) -> None:
    github.answers[WORKFLOWS]["workflows"] = [workflow("own", state)]
    lines = findings(github)
    assert lines[0].startswith("- `own.yml` is turned off") == bool(why)
    assert why in lines[0]


def test_rules_that_refuse_the_published_commit_come_with_the_ways_out(
    github: GitHub,
) -> None:
    github.answers[RULES] += [rule("pull_request"), rule("required_status_checks")]
    (line,) = findings(github)
    assert "a pull request, passed status checks" in line
    for way in ("Restrict deletions", "PUBLISH_BRANCH", "PUBLISH_KEY"):
        assert way in line


def test_rules_that_accept_the_published_commit_are_not_a_finding(
    github: GitHub,
) -> None:
    github.answers[RULES] += [rule("required_linear_history"), rule("creation")]
    assert findings(github) == ["Nothing: all is as it should be."]


@pytest.mark.parametrize("status", [403, 404])
def test_what_the_token_may_not_read_is_named_and_not_a_failure(
    github: GitHub, status: int
) -> None:
    github.answers |= {WORKFLOWS: status, RULES: status}
    expected = (
        "- Not visible to the workflow's token: the workflows, the rules for"
        " `release/next`."
    )
    assert findings(github) == [expected]


def test_the_rules_of_a_private_repository_may_be_missing(github: GitHub) -> None:
    github.answers[REPO] = REPOSITORY | {"visibility": "private"}
    github.answers[RULES] = 403
    budget, hidden = findings(github)
    assert "MLOPS_BUDGET" in budget
    assert "jobs do not start" in budget
    assert hidden.endswith("(a private repository has none on GitHub's free plan).")


def test_the_links_lead_to_the_server_that_github_names(github: GitHub) -> None:
    github.answers[RULES] = []
    done = run(github.address, GITHUB_SERVER_URL="https://git.example.org")
    assert "](https://git.example.org/ada/houses/settings/rules)" in done.stdout


def test_no_answer_is_one_sentence_and_a_failure(github: GitHub) -> None:
    github.answers[WORKFLOWS] = 500
    for address in (github.address, "http://127.0.0.1:1"):
        done = run(address)
        assert done.returncode == 1
        assert done.stdout == ""
        (sentence,) = done.stderr.splitlines()
        assert sentence.startswith(f"welcome: {address}/repos/ada/houses")


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_a_missing_variable_is_an_error_before_any_request(
    github: GitHub, missing: str
) -> None:
    done = run(github.address, **{missing: ""})
    assert done.returncode == 2
    assert f"{missing} is not set" in done.stderr
    assert github.tokens == set()
