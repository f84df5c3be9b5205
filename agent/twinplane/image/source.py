"""A file of the user's image directory: opened without leaving that directory, digested, judged."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from twinplane.errors import Fault, RequestError, TwinplaneError, Violation
from twinplane_wire.path import Path as ModelPath

CHUNK = 1 << 20


class SourceError(TwinplaneError):
    """An image's source file cannot be used: missing, outside the image directory, not a plain file."""


@contextmanager
def open_source(image_dir: Path, source: str) -> Iterator[BinaryIO]:
    """The file `source` (relative) below `image_dir`, opened for reading; no symbolic link is followed.

    Raises:
        SourceError: it is missing, cannot be read, is no plain file, or the way there leaves the directory.
    """
    parts = PurePosixPath(source).parts
    if not parts or source.startswith("/") or ".." in parts:
        raise SourceError(f"{source!r} is not a relative path below the image directory")
    try:
        folder = os.open(image_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"the image directory {image_dir} cannot be read: {error.strerror}") from error
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        part = parts[-1]
        # O_NONBLOCK: a FIFO of that name must not hold the agent.
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise SourceError(f"{source} below {image_dir}: {_reason(error, part, folder)}") from error
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"{source} below {image_dir} is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _reason(error: OSError, part: str, folder: int) -> str:
    """Why a part of the way cannot be opened; of a symbolic link the kernel says that it is no directory."""
    with suppress(OSError):
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            return f"{part} is a symbolic link, and none is followed"
    return error.strerror or str(error)


class Digests:
    """Digests of source files; a file that has not changed since (inode, size, times) is not read again."""

    def __init__(self, image_dir: Path) -> None:
        self.image_dir = image_dir
        self._known: dict[tuple[int, int, int, int, int], str] = {}

    def digest(self, source: str) -> tuple[str, int]:
        """(``sha256:<hex>``, size in bytes) of a file. Blocks while it reads. Raises `SourceError`."""
        with open_source(self.image_dir, source) as file:
            status = os.fstat(file.fileno())
            identity = (
                status.st_dev,
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
            if identity not in self._known:
                self._known[identity] = digest_of(file)
            return self._known[identity], status.st_size

    def check(self, path: ModelPath, source: str, digest: str) -> int:
        """Size in bytes of a file that has the wanted digest; for admission, before anything is touched.

        Raises:
            RequestError: it cannot be used or has another digest (Fault.STATE, at `path`).
        """
        try:
            found, size = self.digest(source)
        except (SourceError, OSError) as error:
            raise RequestError(
                Violation(path, Fault.STATE, str(error), f"put the file below {self.image_dir}")
            ) from error
        if found != digest:
            raise RequestError(
                Violation(
                    path,
                    Fault.STATE,
                    f"{source} has digest {found}, not {digest}",
                    "give the digest of the file that is there, or put the right file there",
                )
            )
        return size


def copy_digesting(reader: BinaryIO, writer: BinaryIO) -> str:
    """Copy the rest of a file; ``sha256:<hex>`` of what was copied."""
    digest = hashlib.sha256()
    while chunk := reader.read(CHUNK):
        digest.update(chunk)
        writer.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def digest_of(file: BinaryIO) -> str:
    """``sha256:<hex>`` of what is left to read of a file."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
