"""Copies the files of the runs, and of their models, into a bucket.

A server with `--artifacts-destination s3://BUCKET/PREFIX` finds them there: their keys
are their paths in the history. They are written once, so a file that is there with its
size is never written again. `run.json` is not copied.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from core.counts import counted
from history import layout
from history.bucket import THREADS, Bucket
from history.bucket_address import parse
from history.location import Notice

# From this number of new folders on, all keys of the bucket are listed at once.
MANY = 100
REPORT_EVERY = 1000


class ArtifactStore:
    """A bucket that is kept up with the files of a history."""

    def __init__(self, mlruns: Path, address: str) -> None:
        self._mlruns = mlruns
        self._bucket = Bucket(parse(address))
        # Folders of which a call found every file in the bucket. One whose files have
        # just been copied is not: Git may have written only a part of them yet.
        self._complete: set[Path] = set()

    def synchronize(self, notice: Notice) -> int:
        """Copy the files that are not in the bucket, and return their number.

        Args:
            notice: called with a sentence every 1,000 files, and at the end if there
                were any.

        Raises:
            PipelineError: the store does not answer, or refuses. The next call goes on
                where this one ended.
        """
        folders = [
            folder
            for folder in _artifact_folders(self._mlruns)
            if folder not in self._complete
        ]
        present = self._present(folders)
        missing = {}
        for folder in folders:
            missing_here = self._missing(folder, present)
            missing.update(missing_here)
            if not missing_here:
                self._complete.add(folder)
        self._write(missing, notice)
        if missing:
            files = counted(len(missing), "file")
            notice(f"{self._bucket.address}: {files} copied")
        return len(missing)

    def _present(self, folders: list[Path]) -> dict[str, int]:
        """Return the sizes of the files of some folders that the bucket has."""
        if len(folders) > MANY or not self._complete:
            return self._bucket.sizes()
        present = {}
        for folder in folders:
            path = folder.relative_to(self._mlruns).as_posix()
            present.update(self._bucket.sizes(f"{path}/"))
        return present

    def _missing(self, folder: Path, present: dict[str, int]) -> dict[str, Path]:
        """Return the files of a folder that the bucket does not have, by their paths."""
        missing = {}
        for file in _files(folder):
            path = file.relative_to(self._mlruns).as_posix()
            if present.get(path) != file.stat().st_size:
                missing[path] = file
        return missing

    def _write(self, files: dict[str, Path], notice: Notice) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            copies = [
                pool.submit(self._bucket.write, path, file)
                for path, file in files.items()
            ]
            try:
                for number, copy in enumerate(as_completed(copies), start=1):
                    copy.result()
                    if number % REPORT_EVERY == 0:
                        notice(f"{number:,} of {len(files):,} files copied")
            finally:
                pool.shutdown(cancel_futures=True)


def _artifact_folders(mlruns: Path) -> Iterator[Path]:
    """Yield the folders that hold the files of a run, or of a model.

    Those of archived years that were extracted are among them.
    """
    for run_id, day in layout.all_run_days(mlruns).items():
        folder = day / run_id
        yield folder / layout.ARTIFACTS
        models = folder / layout.MODELS
        for name in layout.folders(models):
            yield models / name


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)
