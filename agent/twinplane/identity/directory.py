"""The users of this box as last read: who somebody is, and who has to be told when that changes."""

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from twinplane.identity.password import hash_password, matches
from twinplane.identity.user import User, read

REMEMBER_SECONDS = 60.0
REMEMBER_ENTRIES = 256


@dataclass(eq=False, slots=True)
class _Watch:
    """Something that goes on for as long as its user stays as it is."""

    user: User | None
    serial: int | None
    lost: Callable[[], None]


class Directory:
    """The users as last read, with passwords checked in a thread and successes remembered for a minute."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._users: Mapping[str, User] = {}
        self._revoked: frozenset[int] = frozenset()
        self._watches: set[_Watch] = set()
        self.reload()
        self._salt = os.urandom(32)
        self._remembered: dict[bytes, float] = {}
        self._turn = asyncio.Semaphore(1)  # guessing must not take all threads and cores
        self._nobody = hash_password(os.urandom(8).hex())

    def reload(self) -> None:
        """Read the file again (SIGHUP); on failure the users stay as they were. Who watches a user that is
        gone or not what it was, or a certificate that is revoked, is told.

        Raises:
            StartError: as `read_users`.
        """
        self._take(*read(self.path))

    async def reread(self) -> None:
        """As `reload`, with the file read in a thread."""
        self._take(*await asyncio.to_thread(read, self.path))

    def _take(self, users: Mapping[str, User], revoked: frozenset[int]) -> None:
        self._users, self._revoked = users, revoked
        for watch in [watch for watch in self._watches if self._is_lost(watch)]:
            self._watches.discard(watch)
            watch.lost()

    @property
    def users(self) -> Mapping[str, User]:
        """All users by name."""
        return self._users

    def is_revoked(self, serial: int) -> bool:
        """Whether the certificate of that serial number is not accepted any more."""
        return serial in self._revoked

    @contextmanager
    def watching(self, user: User | None, serial: int | None, lost: Callable[[], None]) -> Iterator[None]:
        """Inside the block `lost` is called, once, when the user is not what it is now, or the certificate of
        that serial number is revoked; at once where that is so already."""
        watch = _Watch(user, serial, lost)
        if self._is_lost(watch):
            lost()
        else:
            self._watches.add(watch)
        try:
            yield
        finally:
            self._watches.discard(watch)

    def _is_lost(self, watch: _Watch) -> bool:
        if watch.user is not None and self._users.get(watch.user.name) != watch.user:
            return True
        return watch.serial is not None and watch.serial in self._revoked

    def get(self, name: str) -> User | None:
        """The user of that name, or None."""
        return self._users.get(name)

    async def verify(self, name: str, password: str) -> User | None:
        """The user when name and password are right, else None; a wrong name takes as long as a wrong
        password."""
        user = self._users.get(name)
        stored = user.password if user is not None and user.password else self._nobody
        ticket = hmac.digest(self._salt, f"{name}\0{stored}\0{password}".encode(), hashlib.sha256)
        if self._remembered.get(ticket, 0.0) > time.monotonic():
            return user
        async with self._turn:
            right = await asyncio.to_thread(matches, password, stored)
        if not right or user is None or stored != user.password:
            return None
        self._remember(ticket)
        return user

    def _remember(self, ticket: bytes) -> None:
        now = time.monotonic()
        if len(self._remembered) >= REMEMBER_ENTRIES:
            self._remembered = {key: until for key, until in self._remembered.items() if until > now}
        if len(self._remembered) < REMEMBER_ENTRIES:
            self._remembered[ticket] = now + REMEMBER_SECONDS
