"""The logs of the guests' serial consoles, kept from growing without end.

QEMU holds each open and appends to it (there is no log daemon that would outlive the agent), so a log cannot
be renamed: its head is copied to ``console.log.1``, which replaces the part before it, and cut off. Where
the file system can do that (fallocate(2), FALLOC_FL_COLLAPSE_RANGE: ext4, XFS) no byte is lost; elsewhere
the file is emptied right after what has come meanwhile was copied too. A QEMU that does not append would
write on at its old place: there the head becomes a hole, which takes no room.
"""

import asyncio
import ctypes
import logging
import os
from contextlib import suppress
from pathlib import Path

from twinplane.hypervisor import process

LOG = logging.getLogger(__name__)
KIB = 1024
NAME = "console.log"
PART = f"{NAME}.1"
INTERVAL = 1.0  # seconds between two looks; an emulated UART brings some hundred KiB in one
_CHUNK = 256 * KIB
# linux/falloc.h
_KEEP_SIZE, _PUNCH_HOLE, _COLLAPSE_RANGE = 0x01, 0x02, 0x08
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


class ConsoleLogs:
    """The logs below `folder`, one folder for each appliance; `root` is where libvirt lives. A log has at
    most `limit` bytes after a look at it, and so has the part before it."""

    def __init__(self, folder: Path, root: Path, limit: int) -> None:
        self._folder = folder
        self._root = root
        self._limit = limit
        self._failed: set[Path] = set()

    async def serve(self) -> None:
        """Look at all logs again and again, in a thread."""
        while True:
            await asyncio.to_thread(self.bound)
            await asyncio.sleep(INTERVAL)

    def bound(self) -> None:
        """Bound every log that is too long. One that cannot be is named in the agent's log, once."""
        for log in self._folder.glob(f"*/{NAME}"):
            try:
                # What is on the disk counts: a file with a hole is longer than that.
                status = log.lstat()
                if min(status.st_size, status.st_blocks * 512) > self._limit:
                    self._cut(log)
                self._failed.discard(log)
            except FileNotFoundError:
                continue
            except OSError as error:
                if log not in self._failed:
                    self._failed.add(log)
                    LOG.warning("the console log %s cannot be bounded: %s", log, error.strerror)

    def _cut(self, log: Path) -> None:
        descriptor = os.open(log, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            block = os.fstatvfs(descriptor).f_bsize
            # Only whole blocks can be taken out, and not to the very end.
            head = (os.fstat(descriptor).st_size - 1) // block * block
            self._copy(descriptor, log, head)
            if not self._appended(log):
                _allocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, head)
                return
            try:
                _allocate(descriptor, _COLLAPSE_RANGE, head)
            except OSError:
                self._copy(descriptor, log, os.fstat(descriptor).st_size)
                os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _copy(self, descriptor: int, log: Path, end: int) -> None:
        """Make the newest `limit` bytes before `end` the part before this log. Without room for them they are
        lost: the disk would be full for good."""
        part, place = log.with_name(PART), max(0, end - self._limit)
        temporary = log.with_name(f".{PART}.new")
        try:
            with os.fdopen(os.open(temporary, _NEW, 0o600), "wb") as writer:
                while place < end and (chunk := os.pread(descriptor, min(_CHUNK, end - place), place)):
                    writer.write(chunk)
                    place += len(chunk)
            temporary.rename(part)
        except OSError as error:
            LOG.warning("the head of %s is lost: %s", log, error.strerror)
            with suppress(OSError):
                temporary.unlink()

    def _appended(self, log: Path) -> bool:
        """Whether nobody writes the log, or its QEMU writes at its end wherever that is (proc(5), fdinfo)."""
        there = log.stat()
        for pid in process.guests(self._root).values():
            with suppress(OSError):
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        status = entry.stat()
                        if (status.st_dev, status.st_ino) == (there.st_dev, there.st_ino):
                            return bool(_flags(pid, entry.name) & os.O_APPEND)
        return True


def _flags(pid: int, descriptor: str) -> int:
    for line in Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "flags":
            return int(value, 8)
    return 0


def _allocate(descriptor: int, mode: int, length: int) -> None:
    """fallocate(2) of the first `length` bytes, whose modes Python does not offer. Raises OSError."""
    done = _libc.fallocate(descriptor, mode, ctypes.c_int64(0), ctypes.c_int64(length))
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
