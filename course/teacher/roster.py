"""The roster: a CSV file with a row for each student."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from course.student import HANDLE

REQUIRED = ("handle", "address")
LATE_DAYS = "late_days"
MOST_LATE_DAYS = 366


@dataclass(frozen=True)
class Row:
    """A student of the class.

    Attributes:
        handle: the name that everything personal is drawn from.
        address: the copy: an address that Git can fetch from, a folder, or a bundle.
        late_days: the days that this student has beyond the last day of each lesson.
    """

    handle: str
    address: str
    late_days: int = 0


def read(path: Path) -> list[Row]:
    """Return the rows of a roster.

    Its first line names the columns: `handle`, `address` and, if there are any,
    `late_days`. Others are left out. Spreadsheets may separate them by semicolons.
    A relative path is seen from the roster's folder.

    Raises:
        UsageError: it cannot be read, or a row is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{path}: there is no such roster.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8: save it as such.") from error
    first_line = text.partition("\n")[0]
    separator = ";" if ";" in first_line else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=separator)
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(
            f"{path}: its first line has no column {missing[0]}: it must be"
            " `handle,address,late_days`."
        )
    rows = []
    for fields in reader:
        where = f"{path}, line {reader.line_num}"
        rows.append(_row(fields, where, path.parent))
    _require_distinct(rows, path)
    return rows


def _row(fields: dict[str, str | None], where: str, folder: Path) -> Row:
    handle = (fields["handle"] or "").strip()
    address = (fields["address"] or "").strip()
    days = (fields.get(LATE_DAYS) or "0").strip() or "0"
    if not HANDLE.fullmatch(handle):
        raise UsageError(f"{where}: {handle!r} is not a name as GitHub has them.")
    if not days.isdecimal() or int(days) > MOST_LATE_DAYS:
        raise UsageError(
            f"{where}: the late days are {days!r}: write a number from 0 to"
            f" {MOST_LATE_DAYS}."
        )
    if address and "://" not in address and (folder / address).exists():
        address = str((folder / address).resolve())
    return Row(handle, address, int(days))


def _require_distinct(rows: list[Row], path: Path) -> None:
    """Check that there are rows, and that no student has two."""
    if not rows:
        raise UsageError(f"{path} has no student: add a line for each.")
    handles = set()
    for row in rows:
        if row.handle.lower() in handles:
            raise UsageError(f"{path} has {row.handle} twice: keep one of the lines.")
        handles.add(row.handle.lower())


def shared(rows: list[Row]) -> dict[str, str]:
    """Return, for each student whose address another one has too, that other one."""
    users: dict[str, list[str]] = {}
    for row in rows:
        users.setdefault(row.address.removesuffix(".git"), []).append(row.handle)
    others = {}
    for handles in users.values():
        for handle in handles:
            rest = [other for other in handles if other != handle]
            if rest:
                others[handle] = rest[0]
    return others
