"""Runs once before the services, as root: `prepare.py FOLDER…`, the last one for
artifacts.

The folders lie beside the checkout and belong to whoever cloned it; the services run as
another user. Both get the right to write there, and nobody else does. Where the file
system has no access control lists (Docker Desktop's, NFS), the folders become writable
for all who can reach them.

Nothing is started if a variable is set that people know from other stacks and that
can't work here.
"""

import errno
import filecmp
import os
import shutil
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from app.other_stacks import MONITORING, NO, VARIABLES, refusals
from core import output

SERVICES_USER = 10001
# The key that the start script has made, in the checkout; and where the API looks for
# it.
MADE_KEY, KEY = Path("checkout/build/admin-key"), Path("build/serving/admin-key")
# Where notebooks' artifacts were, in a volume, before they lay beside the checkout.
FORMER = Path("former")
# Linux' names: https://man7.org/linux/man-pages/man5/acl.5.html; the layout is that of
# the kernel.
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
VERSION, NOBODY = 2, 0xFFFFFFFF
OWNER, USER, GROUP, MASK, OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
UNSUPPORTED = (errno.ENOTSUP, errno.ENOSYS, errno.EPERM)


def access_list(mode: int, users: set[int], rights: int) -> bytes:
    """Return an access control list: the mode's, and `rights` for some users by number."""
    entries = [
        (OWNER, mode >> 6 & 7, NOBODY),
        *((USER, rights, user) for user in sorted(users)),
        (GROUP, mode >> 3 & 7, NOBODY),
        (MASK, rights | mode >> 3 & 7, NOBODY),
        (OTHERS, mode & 7, NOBODY),
    ]
    listed = b"".join(struct.pack("<HHI", *entry) for entry in entries)
    return struct.pack("<I", VERSION) + listed


def share(path: Path) -> None:
    """Let the services' user write a file, or a folder and all that will be made in it.

    In a folder the owner gets the right to what the services make there, too.
    """
    mode, owner = path.lstat().st_mode, path.lstat().st_uid
    if stat.S_ISLNK(mode) or is_shared(path):
        return
    if stat.S_ISDIR(mode):
        both = access_list(mode, {SERVICES_USER, owner}, 7)
        os.setxattr(path, DEFAULT, both, follow_symlinks=False)
    rights = 7 if stat.S_ISDIR(mode) else 6
    listed = access_list(mode, {SERVICES_USER}, rights)
    os.setxattr(path, ACCESS, listed, follow_symlinks=False)


def is_shared(path: Path) -> bool:
    """Tell whether the services' user has rights of its own already."""
    if ACCESS not in os.listxattr(path, follow_symlinks=False):
        return False
    listed = os.getxattr(path, ACCESS, follow_symlinks=False)[struct.calcsize("<I") :]
    return any(
        (kind, user) == (USER, SERVICES_USER)
        for kind, _, user in struct.iter_unpack("<HHI", listed)
    )


def open_to_all(path: Path) -> None:
    """Let everybody write a file or a folder."""
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) | (0o777 if stat.S_ISDIR(mode) else 0o666))


def within(folder: Path) -> Iterator[Path]:
    """Return a folder and all below it; what others take away meanwhile is passed over."""
    yield folder
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *files))


def prepare(folder: Path) -> None:
    """Share a folder and all below it."""
    change = share
    for path in within(folder):
        try:
            change(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in UNSUPPORTED or change is open_to_all:
                raise
            change = open_to_all
            change(path)


def move_in(former: Path, folder: Path) -> None:
    """Move what an earlier version kept in a volume beside the checkout.

    Where another file lies already it stays, and so does the one in the volume.
    """
    for path in sorted(
        former.rglob("*"), reverse=True
    ):  # what is in a folder comes before it
        target = folder / path.relative_to(former)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            if not any(path.iterdir()):
                path.rmdir()
            continue
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            half = target.with_name(f"{target.name}.half")
            shutil.copyfile(path, half)
            half.replace(target)
        if filecmp.cmp(path, target, shallow=False):
            path.unlink()


def hand_over(made: Path, key: Path) -> None:
    """Copy the key to a volume of the services alone: the file itself is for its owner
    only.

    So it is the same however the containers are started. A key that is gone opens
    nothing.
    """
    key.unlink(missing_ok=True)
    if made.is_file():
        shutil.copyfile(made, key)


def refused() -> list[str]:
    """Return a sentence for each variable of the environment that can't be used."""
    found = refusals(os.environ)
    if os.environ.get(MONITORING, "").strip().lower() in NO:
        (meaning,) = (known.meaning for known in VARIABLES if known.name == MONITORING)
        found.append(f"{MONITORING}: {meaning}")
    return found


def main(*folders: str) -> int:
    """Prepare the folders; return 1 if a variable is refused."""
    if sentences := refused():
        print(
            "\n".join(f"error: {sentence}" for sentence in sentences), file=sys.stderr
        )
        return 1
    hand_over(MADE_KEY, KEY)
    artifacts = folders[-1]
    for name in (*folders, artifacts):  # once more for what was moved in
        try:
            prepare(Path(name))
            if name == artifacts:
                move_in(FORMER, Path(name))
        except OSError as error:
            # The service that needs the folder says so, if it can't write there.
            print(
                f"{name}: its rights stay as they are: {error.strerror}.",
                file=sys.stderr,
            )
    return 0


if __name__ == "__main__":
    output.prepare()
    sys.exit(main(*sys.argv[1:]))
