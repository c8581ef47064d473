"""The log's file: one process writes it, whatever else runs beside it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from app.observability.log_file import LogFile
from app.settings import Settings
from tests.paths import ROOT

HOLD = """
import sys
from pathlib import Path
from app.observability.log_file import LogFile
from app.settings import Settings
file = LogFile(Settings(log_file=Path(sys.argv[1])))
print(file.baseFilename, flush=True)
sys.stdin.read()
"""


def test_replicas_write_files_of_their_own_and_the_next_start_the_first_again(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "api.log"
    mine = LogFile(settings(log_file=path))
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], cwd=ROOT, stdin=-1, stdout=-1, text=True
    )
    with other:
        assert other.stdin and other.stdout
        assert other.stdout.readline().strip() == str(path.with_name("api-2.log"))
        third = LogFile(settings(log_file=path))
        assert Path(third.baseFilename) == path.with_name("api-3.log")
        third.close()
        mine.close()
        again = LogFile(settings(log_file=path))
        assert Path(again.baseFilename) == path
        again.close()
        other.kill()  # which gives it no time to tidy up
    after = LogFile(settings(log_file=path.with_name("api-2.log")))
    assert Path(after.baseFilename) == path.with_name("api-2.log")
    after.close()
