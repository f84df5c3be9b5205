"""The state directory: its layout, its version and the lock that keeps a second agent out.

::

    VERSION        layout number, written when the first start has made the rest; a newer one is refused
    lock           held (flock) while an agent runs, with its process id
    instance-id    a UUID made at first start
    twinplane.db   datastore, history and journal      copies/   of it
    users.toml     users and roles          tls/    certificates and keys
    last-time      the latest time an agent worked at      clock-accepted   what of it does not count
    images/        verified copies          appliances/<uuid>/   seed.iso, console.log and its older part
    trash/         files put aside by the transaction in progress
    libvirt/       root of the embedded hypervisor
    run/           Unix sockets             cache/  compiled schema

What is missing beside the rest is lost, not new: a start is refused before anything is made (`remains.py`).
"""

import fcntl
import os
import stat
import time
from pathlib import Path
from types import TracebackType
from uuid import UUID, uuid4

from twinplane import remains
from twinplane.errors import StartError

LAYOUT = 1
# The monitor socket's path below libvirt/ must fit sun_path (108 bytes, unix(7)).
LONGEST = 45
_PAUSES = (0.05,) * 10  # seconds between tries to get the lock
_FOLDERS = ("copies", "tls", "images", "appliances", "trash", "libvirt", "run", "cache")


class StateDir:
    """The opened state directory. Use as a context manager: leaving it gives the lock up."""

    def __init__(self, root: Path) -> None:
        """Check, create and lock the directory. `used` then says whether an agent worked here before.

        Raises:
            StartError: it is too long, cannot be written, can be written by others, is in use, was written by
            a newer version, or lost something.
        """
        self.root = root
        self._lock = take(root)
        try:
            self._check_version()
            remains.require_whole(root)
            self.used = bool(remains.proofs(root))
            for folder in _FOLDERS:
                (root / folder).mkdir(mode=0o700 if folder == "copies" else 0o711, exist_ok=True)
            self.instance = self._instance()
            # SQLite would make it readable by all; its log follows the mode of the file.
            self.database.touch(mode=0o600)
        except OSError as error:
            self.close()
            raise StartError(f"cannot write state directory {root}: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "twinplane.db"

    def folder(self, name: str) -> Path:
        """One of the folders of the layout."""
        return self.root / name

    def settle(self) -> None:
        """Everything was made: from now on what is missing is lost. Raises StartError."""
        file = self.root / "VERSION"
        try:
            if not file.exists():
                write_file(file, f"{LAYOUT}\n".encode())
        except OSError as error:
            raise StartError(f"cannot write {file}: {error.strerror}") from error

    def admit(self, group: int) -> None:
        """Let only this group, besides the owner, reach what guests are started from: files for day 0 hold
        passwords. Raises StartError."""
        folder = self.root / "appliances"
        try:
            os.chown(folder, -1, group)
            folder.chmod(0o710)
            (self.root / "trash").chmod(0o700)
            for seed in folder.glob("*/seed.iso"):
                seed.chmod(0o400)  # a guest that runs has it open; each start gives it to the guest's user
        except OSError as error:
            raise StartError(f"cannot close {error.filename} to others: {error.strerror}") from error

    def close(self) -> None:
        """Give the lock up."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "StateDir":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_version(self) -> None:
        file = self.root / "VERSION"
        if not file.exists():
            return
        text = file.read_text(encoding="ascii", errors="replace").strip()
        if not text.isdecimal() or int(text) > LAYOUT:
            raise StartError(
                f"state directory {self.root} has layout {text!r}, this version knows up to {LAYOUT}; "
                "install the version that wrote it (nothing was touched)"
            )

    def _instance(self) -> UUID:
        file = self.root / "instance-id"
        if not file.exists():
            write_file(file, f"{uuid4()}\n".encode())
        try:
            return UUID(file.read_text(encoding="ascii").strip())
        except ValueError as error:
            raise StartError(
                f"{file} does not hold a UUID; restore it (own objects are recognised by it)"
            ) from error


def take(root: Path) -> int:
    """Check, create and lock a state directory; the descriptor that holds the lock.

    Raises:
        StartError: as `StateDir` for what concerns the directory itself.
    """
    check_place(root)
    try:
        root.mkdir(mode=0o711, parents=True, exist_ok=True)
        _check_owner(root)
        return _lock(root / "lock")
    except OSError as error:
        raise StartError(
            f"cannot write state directory {root}: {error.strerror}; "
            "make it writable for this user or set agent.state_dir"
        ) from error


def check_place(root: Path) -> None:
    """Judge a state directory, which need not be there yet, without touching it.

    Raises:
        StartError: its path is too long or has a character that QEMU or XML cannot take, it cannot be read,
            or others own it or can write it.
    """
    _check_characters(root)
    length = len(os.fsencode(root))
    if length > LONGEST:
        raise StartError(
            f"state directory {root} has {length} bytes, at most {LONGEST} are possible "
            "(socket paths below it are limited); choose a shorter agent.state_dir"
        )
    try:
        if root.is_dir():
            _check_owner(root)
    except OSError as error:
        raise StartError(f"cannot read state directory {root}: {error.strerror}") from error


def holder(root: Path) -> int | None:
    """The process id of the agent that runs on a state directory, None where none does."""
    try:
        descriptor = os.open(root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
        return int(text) if text.isdecimal() else None
    finally:
        os.close(descriptor)
    return None


def write_file(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a crash leaves the old or the new content: temporary name, fsync, rename."""
    temporary = file.with_name(f".{file.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, mode)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    temporary.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_characters(root: Path) -> None:
    """libvirt asks QEMU what it can do through ``-qmp unix:<path>``, with the path as it is, although a comma
    and an equals sign mean something to QEMU there. Definitions are XML, which has no place for what is not
    text."""
    for character in str(root):
        if character in ",=" or not character.isprintable():
            raise StartError(
                f"state directory {str(root)!r} has the character {character!r} in its path, which QEMU or "
                "libvirt cannot take; choose another agent.state_dir"
            )


def _check_owner(root: Path) -> None:
    """Keys and users are kept here: whoever owns the directory, or may rename files in it (it has no sticky
    bit), could put others in their place."""
    status = root.stat()
    if status.st_uid not in (0, os.geteuid()):
        raise StartError(
            f"state directory {root} belongs to another user ({status.st_uid}); "
            "give it to root or set agent.state_dir"
        )
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        raise StartError(f"state directory {root} can be written by everybody; chmod o-w {root}")


def _lock(file: Path) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for pause in (*_PAUSES, None):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if pause is not None:
                time.sleep(pause)  # who only looks (`holder`) has it for a moment
                continue
            named = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StartError(
                f"state directory {file.parent} is in use by another agent (process {named or 'unknown'}); "
                "stop that one or set agent.state_dir"
            ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
