"""Whom each guest runs as: a user id of its own, of a range that no account has, while it is defined.

libvirt runs a domain as the static DAC label of its definition says (libvirt's "Domain XML format", Security
label), whatever qemu.conf has as user and as security driver. The label is kept nowhere else, so it is found
again after a restart and does not depend on the database. All have one group, which is what lets them reach
the folder of their files and, by its group, /dev/kvm; the files themselves are open to their user alone.
"""

import asyncio
import hashlib
import os
import pwd
import re
from collections.abc import Callable, Container
from contextlib import suppress
from itertools import chain
from pathlib import Path

from twinplane.errors import DriverError
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.root import EmbeddedRoot

SEED_MODE = 0o400
_LABEL = re.compile(r"\+([0-9]+):\+([0-9]+)")
_UIDS = re.compile(r"^Uid:\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)$", re.MULTILINE)


class GuestUsers:
    """The labels of this root's domains; "" is the user that all guests share. `owners` gives the user ids
    that files of guests belong to, and blocks. For one event loop."""

    def __init__(self, root: EmbeddedRoot, connection: Connection, owners: Callable[[], set[int]]) -> None:
        self._uids = root.uids
        self._group = root.group
        self._shared = root.user
        self._connection = connection
        self._owners = owners
        self._given: dict[str, int] = {}
        self._gone: set[str] = set()  # domains that are no more, whose files may be there for a while
        self._taken: set[int] = set()  # by files and processes that were there before
        self._known = False
        self._turn = asyncio.Lock()

    async def label(self, name: str, kept: str, *, starting: bool) -> str:
        """The label that a domain is to be defined with; `kept` is the one it has now. That stays, unless the
        settings say otherwise, or `starting`, when no process of the guest is left, and somebody else has its
        user id: another domain or a process.

        Raises DriverError where all are taken, or what is taken cannot be read.
        """
        if not self._uids:
            return ""
        async with self._turn:
            if not self._known:
                await self._look()
            self._gone.discard(name)
            busy = await asyncio.to_thread(users_of_processes) if starting else set()
            if (uid := uid_of(kept)) is not None:
                self._given[name] = uid
            given = self._given.get(name)
            if given is not None and self._good(given, busy, starting=starting):
                return self._label(given)
            found = await self._choose(name, busy)
            if found is None:
                raise DriverError(
                    f"{name}: all {len(self._uids)} user ids for guests are taken",
                    remedy="raise hypervisor.uid_count in the settings",
                )
            self._given[name] = found
            return self._label(found)

    async def hand_over(self, seed: Path, label: str) -> None:
        """Make the guest's user the only one that can read a file. Does nothing where there is none, which
        is libvirt's to report. Raises DriverError."""
        try:
            await asyncio.to_thread(self._hand_over, seed, uid_of(label))
        except OSError as error:
            raise DriverError(f"{seed} cannot be given to its guest: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """A domain is no more: others may have its user id once no file is left that belongs to it."""
        self._gone.add(name)

    def _good(self, uid: int, busy: set[int], *, starting: bool) -> bool:
        shared = starting and list(self._given.values()).count(uid) > 1
        return uid in self._uids and uid not in busy and not shared

    async def _look(self) -> None:
        """Whose labels there are. What a domain that gives no answer has shows in its process."""
        records = (await self._connection.domains()).records
        self._given = {record.name: uid for record in records if (uid := uid_of(record.label)) is not None}
        self._taken = await asyncio.to_thread(lambda: self._owners() | users_of_processes())
        self._known = True

    async def _choose(self, name: str, busy: set[int]) -> int | None:
        found = choose(name, self._uids, self._taken.union(self._given.values(), busy))
        if found is not None:
            return found
        self._taken = await asyncio.to_thread(lambda: self._owners() | users_of_processes())
        for gone in self._gone:
            self._given.pop(gone, None)
        self._gone.clear()
        return choose(name, self._uids, self._taken.union(self._given.values(), busy))

    def _label(self, uid: int) -> str:
        return f"+{uid}:+{self._group}"

    def _hand_over(self, seed: Path, uid: int | None) -> None:
        owner = pwd.getpwnam(self._shared).pw_uid if uid is None else uid
        with suppress(FileNotFoundError):
            # The folder is root's, so that no guest can put something else there meanwhile.
            os.chown(seed, owner, 0, follow_symlinks=False)
            seed.chmod(SEED_MODE)


def choose(name: str, uids: range, taken: Container[int]) -> int | None:
    """A user id for a domain that nobody else has, and the same one as long as it is free: where it begins to
    look follows from the name, so that agents which share a range rarely meet. None where all are taken."""
    if not uids:
        return None
    first = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % len(uids)
    return next((uid for uid in chain(uids[first:], uids[:first]) if uid not in taken), None)


def uid_of(label: str) -> int | None:
    """The user id of a label of ours; None where it is none."""
    match = _LABEL.fullmatch(label)
    return int(match[1]) if match else None


def users_of_processes() -> set[int]:
    """All user ids that a process of the host has (proc(5), Uid in /proc/pid/status); one that has ended and
    only waits to be reaped has nothing any more. Blocks."""
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = (entry / "status").read_text(errors="replace")
            if "\nState:\tZ" not in status and (match := _UIDS.search(status)):
                found |= {int(uid) for uid in match.groups()}
    return found
