"""The log file: one process writes it, whatever else runs beside it."""

import subprocess
import sys
from pathlib import Path

from app.observability.log_file import LogFile
from tests.paths import ROOT
from tests.unit.app.conftest import MakeSettings

HOLD = """
import sys
from pathlib import Path
from app.observability.log_file import LogFile
from app.settings import Settings
file = LogFile(Settings(log_file=Path(sys.argv[1])))
print(file.baseFilename, flush=True)
sys.stdin.read()
"""


def open_file(settings: MakeSettings, path: Path) -> tuple[LogFile, str]:
    """Open a log file and return it with the name that it got."""
    file = LogFile(settings(log_file=path))
    return file, Path(file.baseFilename).name


def test_each_process_writes_its_own_file(
    settings: MakeSettings, tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "api.log"
    first, first_name = open_file(settings, path)
    assert first_name == "api.log"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout
        line = other.stdout.readline()
        second = path.with_name("api-2.log")
        assert line.strip() == str(second)
        third, third_name = open_file(settings, path)
        assert third_name == "api-3.log"
        third.close()
        first.close()
        again, again_name = open_file(settings, path)
        assert again_name == "api.log"
        again.close()
        other.kill()  # it has no time to clean up
    after, after_name = open_file(settings, path.with_name("api-2.log"))
    assert after_name == "api-2.log"
    after.close()
