"""schemathesis over the whole OpenAPI document: no 5xx, and no answer that is not
documented.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import Api
from tests.unit.pipeline.worker.service import checkout, running

pytestmark = pytest.mark.slow
CONFIG = Path(__file__).with_name("schemathesis.toml")


# All phases give ten times as many cases, and take two minutes.
@pytest.mark.parametrize(
    ("phases", "examples", "cases"),
    [
        ("examples,fuzzing", 2, 60),
        pytest.param(
            "examples,coverage,fuzzing,stateful", 10, 1_000, marks=pytest.mark.nightly
        ),
    ],
)
def test_no_case_meets_a_fault_or_an_undocumented_answer(
    tmp_path: Path, phases: str, examples: int, cases: int
) -> None:
    """Each operation gets so many examples."""
    with running(checkout(tmp_path / "checkout")) as trainer:
        url = f"http://127.0.0.1:{trainer.port}"
        with Api(tmp_path, API_TRAINER_URL=url) as api:
            location = f"http://127.0.0.1:{api.port}/openapi.json"
            program = [sys.executable, "-m", "schemathesis.cli"]
            options = ["--checks", "all", "--no-color", "--phases", phases]
            options += ["--max-examples", str(examples)]
            done = subprocess.run(
                [*program, "--config-file", str(CONFIG), "run", location, *options],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=540,
            )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated, done.stdout[-2_000:]
    assert int(generated.group(1)) >= cases
