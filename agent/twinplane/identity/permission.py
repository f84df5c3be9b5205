"""Who else can read or write the files of identities: mended where they are ours, else refused or reported.

Modes are judged at the target of a symbolic link. A file that is linked to belongs to something else (a
certificate client, say), whose modes are not changed from here; its group may read it.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from twinplane.errors import StartError

SECRET = 0o077  # nobody but the owner
OTHERS_WRITE = 0o022


def mend(root: Path) -> tuple[str, ...]:
    """Take away what others may do with tls/ and users.toml of a state directory; says what was done.

    Raises:
        StartError: somebody else owns a file or can read or write it, and that is not ours to change; says
        what to do.
    """
    try:
        return tuple(line for file, forbidden in _files(root) for line in _closed(file, forbidden))
    except OSError as error:
        raise StartError(f"cannot look at {error.filename}: {error.strerror}") from error


def require_closed(users: Path) -> tuple[str, ...]:
    """Judge users.toml before what it says now counts. Who could write it could have added anybody, so that
    is refused, not mended; says what was done.

    Raises:
        StartError: somebody else owns it or can write it; says what to do.
    """
    try:
        mode = stat.S_IMODE(users.stat().st_mode)
    except OSError:
        return ()  # whoever reads it says why
    if mode & OTHERS_WRITE:
        raise StartError(
            f"{users} can be written by others; see whether its content is what it should be, then "
            f"`chmod 600 {users}`"
        )
    return _closed(users, SECRET)


def _closed(file: Path, forbidden: int) -> tuple[str, ...]:
    """Take away what others may do with one file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StartError(f"cannot look at {file}: {error.strerror}") from error
    if status.st_uid not in (0, os.geteuid()):
        raise StartError(
            f"{file} belongs to another user ({status.st_uid}), who could change it; `chown root {file}` "
            "if its content is right"
        )
    linked = file.is_symlink()
    if linked and stat.S_ISREG(status.st_mode):
        forbidden &= ~stat.S_IRGRP
    excess = stat.S_IMODE(status.st_mode) & forbidden
    if not excess:
        return ()
    mode = stat.S_IMODE(status.st_mode) & ~forbidden
    what = "written" if excess & OTHERS_WRITE else "read"
    if linked or status.st_uid != os.geteuid():
        raise StartError(f"{file} can be {what} by others; `chmod {mode:o} {file.resolve()}`")
    try:
        file.chmod(mode)
    except OSError as error:
        raise StartError(f"{file} can be {what} by others, and cannot be closed: {error.strerror}") from error
    return (f"{file} could be {what} by others: its mode is {mode:o} now; {_advice(file, excess)}",)


def _advice(file: Path, excess: int) -> str:
    if excess & OTHERS_WRITE:
        return "see whether its content is what it should be"
    if file.suffix == ".key":
        return "if somebody may have read the key, issue another and revoke its certificate"
    return "if somebody may have read it, set new passwords"


def _files(root: Path) -> Iterator[tuple[Path, int]]:
    """What is judged, with the permissions that others must not have. Who may write
    the folder could put other files in the place of these."""
    tls = root / "tls"
    yield tls, OTHERS_WRITE
    yield root / "users.toml", SECRET
    if tls.is_dir():
        for file in sorted(tls.iterdir()):
            if not file.is_dir():
                yield file, SECRET if ".key" in file.suffixes else OTHERS_WRITE
