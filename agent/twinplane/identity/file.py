"""Files that must never be seen half-written, nor by others."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twinplane.errors import StartError


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file atomically and durably: temporary name in the same folder, fsync, rename, fsync.

    Raises:
        OSError: the folder cannot be written.
    """
    write_together(((path, content, mode),))


def write_together(files: Iterable[tuple[Path, bytes, int]]) -> None:
    """Replace files of one folder (path, content, mode) in this order, once all of them are on the disk:
    where it is full none is replaced.

    Raises:
        OSError: the folder cannot be written.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, content, mode in files:
            temporary = path.with_name(f".{path.name}.new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            written.append((temporary, path))
            _fill(descriptor, content, mode)
        for temporary, path in written:
            temporary.rename(path)
    except BaseException:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
        raise
    folder = os.open(written[0][1].parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _fill(descriptor: int, content: bytes, mode: int) -> None:
    try:
        os.fchmod(descriptor, mode)  # a left-over of another mode, or a tighter umask
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Inside the block no other process that asks has the files of a folder for itself: what was read can be
    written changed, and nobody's change is lost. Waits.

    Raises:
        StartError: there is no such folder, or it cannot be read.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StartError(f"cannot change the files of {folder}: {error.strerror}; run as root") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
