"""The tests do not depend on the settings of the user who runs them."""

import os
import subprocess
import sys

from tests.paths import ROOT


def test_settings_of_a_user_or_of_a_workflow_change_no_test() -> None:
    settings = {
        "GITHUB_ACTIONS": "true",
        "FORCE_COLOR": "1",
        "GIT_AUTHOR_NAME": "somebody",
        "TRAINER_PORT": "60001",
        "LOG_LEVEL": "DEBUG",
        "MLFLOW_TRACKING_URI": "http://else",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://else",
    }
    tests = [
        "tests/unit/scripts/stack/test_start_settings.py",
        "tests/unit/core/test_tracing.py",
    ]
    chosen = "another_programs or records_nothing"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *tests,
            "-k",
            chosen,
        ],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
