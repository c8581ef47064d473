"""Names and words that were replaced by those of the field: none comes back.

The tables map each old name, as a regular expression, to the name that replaced it.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from core.git import git
from tests.paths import ROOT

# Files that a program writes, and records of the past.
GENERATED = (
    "data/",
    "deployment/models/",
    "docs/images/",
    "mlruns/",
    "pipeline/site/assets/vendor/",
    "requirements/",
    "results/",
    "tests/clients/package-lock.json",
    "tests/kubernetes/package-lock.json",
    "tests/site/package-lock.json",
)
RECORDS = ("CHANGELOG.md", "tests/unit/test_vocabulary.py")
# Old commands and options still work, with a notice that names the new ones.
NOTICES = (
    "core/renamed.py",
    "history/cli.py",
    "history/cli_build.py",
    "noxfile.py",
    "pipeline/cli.py",
    "pipeline/worker/cli.py",
    "tests/unit/history/test_cli.py",
    "tests/unit/pipeline/test_command_line.py",
)
NAMES = {
    r"\bclass Gateway\b|\bGateway\(": "RequestContextMiddleware",
    r"\bobstacles\b": "not_ready_reasons",
    r"\brefresh\(patient\b": "reload(require_stable=...)",
    r"\bHere\b(?=[,)\]=]|: )": "ServicesDep",
    r"\bclass (Models|Records|Minutes)\b": "ModelRepository, RequestValidator, ...",
    r"\bclass (Card|Whole)\b|\bWhole\b": "ModelSummary, ModelDetail",
    r"\bStudy\b": "TrainingData",
    r"\bJudged\b": "Evaluation",
    r"\bclass Behaviour\b": "BehaviouralTest",
    r"\bFetched\b": "Dataset",
    r"\bbehave\.py\b|\bimport behave\b": "behavioural_tests",
    r"\bexport\.estimate\b": "predict_with_sklearn",
    r"\btake_out\b": "delete_rows",
    r"\bruns_out\b|\bregistry_out\b": "delete_runs, delete_registry",
    r"\bask_trainer\b": "WorkerClient",
    r"\bby_hand\.txt\b": "manual.txt",
    r"\bpages\.py\b": "templates.py",
    r"\b(forge|generated|histories)\.py\b": "factories, strategies, history_factories",
    r"\bscripts[./]rehearse\b": "tools.rehearse",
    r"\b(Availability|Latency)Burns": "ErrorBudgetBurnFast, ErrorBudgetBurnSlow",
    r"\bmodel_age_seconds\b": "model_promoted_timestamp_seconds",
    r"\bdrift_window_seconds\b": "drift_window_start_timestamp_seconds",
    r"\bhistory_restore_\w+": "history_build_...",
    r"\bmodel_current\b": "model_up_to_date",
    r"\bapp[/.]services?\b": "app.dependencies, app.main",
    r"\b(inference|minutes|quality|scores|services)\.py\b": "v2.py, recent_metrics.py, ...",
    r"\bGROWING\b|\bLOOKING\b": "counter deltas, probes",
    r"(?<!-)\bgateway\b": "middleware",
    r"\bdef predicting\b|\bdrift\.look\b": "track_prediction, update_metrics",
    r"\bjudge\(": "evaluate, decide",
    r"\bclaims?\b": "behavioural test",
    r"\bforge\(": "write_bundle",
    r"\bhistory[/.](browse|paths|rows|save|store)\b": "queries, portable_paths, ...",
    r"\bpipeline[/.]trainer\b": "pipeline.worker",
}
# Names of variables: a noun says what they hold.
VARIABLES = {"found", "known", "made", "said", "tells", "told"}
COMMANDS = {
    r"\bhistory restore\b": "history build, history watch",
    r"\bhistory save\b": "history import",
    r"\bpipeline trainer\b": "pipeline serve-worker",
    r"--fresh-data\b": "--refresh-data",
    r"\bMLOPS_FRESH_DATA\b": "MLOPS_REFRESH_DATA",
    r"-s verify\b(?!-)": "nox -s verify-history",
}
PHRASES = {
    r"\blists? of contents\b": "SBOM",
    r"\ba household\b": "per household",
    r"\bobjective's room\b": "error budget",
    r"\bwith blanks between\b": "space-separated",
    r"\btheir words\b": "error message",
    r"\basked otherwise\b": "leave it out",
    r"\bcritical hole\b": "critical vulnerability",
    r"\bfolder a task\b": "one subdirectory per task",
    r"\bhow it does\b": "health",
    r"\blive quality\b": "online metrics",
    r"\bthe watching itself\b": "the monitoring stack itself",
    r"\bthey say \d{3}\b": "they answer with the status",
}
# In the documentation, and in what the pipeline writes for people.
PROSE = {
    r"\btold\b|\btells?\b": "says, shows, reports",
    r"\bmade of\b": "built from, consists of",
    r"(?<![Tt]here )\bis no [a-z]": "is not a",
    r"\bby hand\b": "manually",
    r"\b[Hh]oles?\b": "vulnerability",
    r"\bcame true\b": "ground truth",
}
PAGES = ("docs/", "README.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md", ".env")
PAGES += (
    ".trivyignore",
    "data/README.md",
    "scripts/clients.md",
    ".github/ISSUE_TEMPLATE/",
)


def texts(*omitted: str) -> Iterator[tuple[str, str]]:
    """Go through the files in Git that people write: paths and texts."""
    for name in git(ROOT, "ls-files").splitlines():
        path = ROOT / name
        is_generated = name.startswith(GENERATED) and name != "data/README.md"
        if is_generated or name in omitted or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


FILES = dict(texts(*RECORDS))


def files_with(pattern: str) -> list[str]:
    return [name for name, text in FILES.items() if re.search(pattern, text)]


def variables(text: str) -> set[str]:
    """Return the names of all variables and parameters in a module."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names


@pytest.mark.parametrize("pattern", [*NAMES, *PHRASES])
def test_no_file_has_an_old_name(pattern: str) -> None:
    replacement = (NAMES | PHRASES)[pattern]
    assert files_with(pattern) == [], f"it is called {replacement} now"


@pytest.mark.parametrize("pattern", COMMANDS)
def test_an_old_command_stands_only_in_its_notice(pattern: str) -> None:
    replacement = COMMANDS[pattern]
    names = set(files_with(pattern))
    assert names <= set(NOTICES), f"it is called {replacement} now"


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_no_variable_has_an_old_name(name: str) -> None:
    # A search of the text is fast, and few files have the word at all.
    named = files_with(rf"\b{name}\b")
    candidates = [path for path in named if path.endswith(".py")]
    paths = [path for path in candidates if name in variables(FILES[path])]
    assert paths == []


def test_every_form_of_an_old_variable_is_found() -> None:
    for code in (
        "said = 1",
        "a, said = 1, 2",
        "def f(said): ...",
        "with f() as said: ...",
    ):
        assert "said" in variables(code)
    assert "said" not in variables("'said'  # said")


@pytest.mark.parametrize("pattern", PROSE)
def test_no_page_has_a_word_of_the_old_dialect(pattern: str) -> None:
    pages = []
    for name, text in FILES.items():
        if name.startswith(PAGES) and re.search(pattern, text):
            pages.append(name)
    assert pages == [], f"write {PROSE[pattern]}"
