"""Prepare the checkout for the services: `prepare.py FOLDER…`, artifacts last.

Runs once, as root, before the services start. The folders belong to the user who cloned
the repository, and the services run as another one: both get the right to write there,
and nobody else. Where the file system has no access control lists (Docker Desktop's, NFS),
the folders become writable for everybody who can reach them.

It fails if a variable of another stack is set that cannot work here, so that no service
starts with a setting that would be ignored.
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
# The key that the start script generated, in the checkout; and where the API reads it.
GENERATED_KEY = Path("checkout/build/admin-key")
KEY = Path("build/serving/admin-key")
# The volume in which an earlier version kept the artifacts of notebooks.
FORMER = Path("former")

# Access control lists as Linux stores them: linux/posix_acl_xattr.h. A list is a
# version and entries of a tag, permissions and a user's number.
ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"
VERSION = 2
HEADER = struct.Struct("<I")
ENTRY = struct.Struct("<HHI")
NO_USER = 0xFFFFFFFF
OWNER = 0x01
USER = 0x02
GROUP = 0x04
MASK = 0x10
OTHERS = 0x20
WRITE = 2
READ_WRITE = 6
READ_WRITE_ENTER = 7
UNSUPPORTED = (errno.ENOTSUP, errno.ENOSYS, errno.EPERM)


def access_list(mode: int, users: set[int], rights: int) -> bytes:
    """Return an access control list: a file's mode, and `rights` for more users."""
    owner = mode >> 6 & 7
    group = mode >> 3 & 7
    others = mode & 7
    packed = HEADER.pack(VERSION)
    packed += ENTRY.pack(OWNER, owner, NO_USER)
    for user in sorted(users):
        packed += ENTRY.pack(USER, rights, user)
    packed += ENTRY.pack(GROUP, group, NO_USER)
    packed += ENTRY.pack(MASK, rights | group, NO_USER)
    packed += ENTRY.pack(OTHERS, others, NO_USER)
    return packed


def share(path: Path) -> None:
    """Let the services' user write a file, or a folder and all that is created in it.

    In a folder, the owner gets the right to write what the services create.
    """
    status = path.lstat()
    mode = status.st_mode
    if stat.S_ISLNK(mode) or is_shared(path):
        return
    rights = READ_WRITE
    if stat.S_ISDIR(mode):
        rights = READ_WRITE_ENTER
        users = {SERVICES_USER, status.st_uid}
        inherited = access_list(mode, users, rights)
        os.setxattr(path, DEFAULT, inherited, follow_symlinks=False)
    own = access_list(mode, {SERVICES_USER}, rights)
    os.setxattr(path, ACCESS, own, follow_symlinks=False)


def is_shared(path: Path) -> bool:
    """Return whether the services' user may write by the access control list.

    The mask limits what an entry grants. Programs that set a mode, such as tar when it
    extracts a backup, change the mask and leave the entry.
    """
    attributes = os.listxattr(path, follow_symlinks=False)
    if ACCESS not in attributes:
        return False
    stored = os.getxattr(path, ACCESS, follow_symlinks=False)
    entries = stored[HEADER.size :]
    granted = 0
    mask = 0
    for tag, rights, user in ENTRY.iter_unpack(entries):
        if tag == USER and user == SERVICES_USER:
            granted = rights
        if tag == MASK:
            mask = rights
    return bool(granted & mask & WRITE)


def open_to_all(path: Path) -> None:
    """Let everybody write a file or a folder."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return
    permissions = stat.S_IMODE(mode)
    if stat.S_ISDIR(mode):
        permissions |= 0o777
    else:
        permissions |= 0o666
    path.chmod(permissions)


def walk(folder: Path) -> Iterator[Path]:
    """Yield a folder and all below it; skip what disappears meanwhile."""
    yield folder
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            yield Path(parent, name)


def prepare(folder: Path) -> None:
    """Share a folder and all below it."""
    change = share
    for path in walk(folder):
        try:
            change(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            unsupported = error.errno in UNSUPPORTED
            if not unsupported or change is open_to_all:
                raise
            change = open_to_all
            change(path)


def move_in(former: Path, folder: Path) -> None:
    """Move the files of a former folder into another one, and remove empty folders.

    A file whose place is taken by another one stays where it is.
    """
    paths = list(former.rglob("*"))
    paths.sort(reverse=True)  # the deepest first
    for path in paths:
        target = folder / path.relative_to(former)
        if not path.is_dir():
            move_file(path, target)
            continue
        target.mkdir(parents=True, exist_ok=True)
        is_empty = not any(path.iterdir())
        if is_empty:
            path.rmdir()


def move_file(path: Path, target: Path) -> None:
    """Move a file to another file system, unless another file is there already."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        incomplete = target.with_name(f"{target.name}.half")
        shutil.copyfile(path, incomplete)
        incomplete.replace(target)
    if filecmp.cmp(path, target, shallow=False):
        path.unlink()


def copy_key(generated: Path, key: Path) -> None:
    """Copy the generated key to the services' volume: the file itself is its owner's.

    If the start script has removed the key, the copy is removed too.
    """
    key.unlink(missing_ok=True)
    if generated.is_file():
        shutil.copyfile(generated, key)


def unusable_variables() -> list[str]:
    """Return a sentence for each variable of the environment that cannot be used."""
    sentences = refusals(os.environ)
    value = os.environ.get(MONITORING, "")
    if value.strip().lower() not in NO:
        return sentences
    for variable in VARIABLES:
        if variable.name == MONITORING:
            sentence = f"{MONITORING}: {variable.meaning}"
            sentences.append(sentence)
    return sentences


def prepare_all(folders: list[str]) -> None:
    """Share every folder, and move former artifacts into the last one.

    A folder whose permissions cannot be changed is reported and left as it is: the
    service that needs it will say so if it cannot write there.
    """
    artifacts = folders[-1]
    # The last folder a second time, for what was moved in.
    for name in [*folders, artifacts]:
        try:
            prepare(Path(name))
            if name == artifacts:
                move_in(FORMER, Path(name))
        except OSError as error:
            problem = f"{name}: cannot change permissions: {error.strerror}."
            print(problem, file=sys.stderr)


def main(folders: list[str]) -> int:
    """Prepare the folders; return 1 if a variable cannot be used."""
    sentences = unusable_variables()
    for sentence in sentences:
        print(f"error: {sentence}", file=sys.stderr)
    if sentences:
        return 1
    copy_key(GENERATED_KEY, KEY)
    prepare_all(folders)
    return 0


if __name__ == "__main__":
    output.prepare()
    sys.exit(main(sys.argv[1:]))
