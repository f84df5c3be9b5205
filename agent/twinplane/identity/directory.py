"""The users of this box as last read: who somebody is, and who has to be told when that changes."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from twinplane.identity.checking import Passwords
from twinplane.identity.password import hash_password
from twinplane.identity.permission import require_closed
from twinplane.identity.user import User, read


@dataclass(eq=False, slots=True)
class _Watch:
    """Something that goes on for as long as its user stays as it is."""

    user: User | None
    serial: int | None
    lost: Callable[[], None]


def _unheard(_: str) -> None:
    """Nobody wants to know."""


class Directory:
    """The users as last read. `gone` is told the name of each who is no user any more, or of another role."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._users: Mapping[str, User] = {}
        self._revoked: frozenset[int] = frozenset()
        self._watches: set[_Watch] = set()
        self.gone: Callable[[str], None] = _unheard
        self.reload()
        self._passwords = Passwords()
        self.guesses = self._passwords.guesses
        self._nobody = hash_password(os.urandom(8).hex())

    def reload(self) -> None:
        """Read the file again (SIGHUP); on failure the users stay as they were. Who watches a user that is
        gone or not what it was, or a certificate that is revoked, is told.

        Raises:
            StartError: as `read_users`.
        """
        self._take(*read(self.path))

    async def reread(self) -> tuple[str, ...]:
        """As `reload`, with the file judged (`permission.require_closed`) and read in a thread; says what was
        mended."""
        done, found = await asyncio.to_thread(lambda: (require_closed(self.path), read(self.path)))
        self._take(*found)
        return done

    def _take(self, users: Mapping[str, User], revoked: frozenset[int]) -> None:
        before, self._users, self._revoked = self._users, users, revoked
        for watch in [one for one in self._watches if not self.is_still(one.user, one.serial)]:
            self._watches.discard(watch)
            watch.lost()
        for name, user in before.items():
            if name not in users or users[name].role is not user.role:
                self.gone(name)

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
        if self.is_still(user, serial):
            self._watches.add(watch)
        else:
            lost()
        try:
            yield
        finally:
            self._watches.discard(watch)

    def is_still(self, user: User | None, serial: int | None) -> bool:
        """Whether a user (None: of a socket) is what it was, and the certificate it came with not revoked."""
        if user is not None and self._users.get(user.name) != user:
            return False
        return serial not in self._revoked

    def get(self, name: str) -> User | None:
        """The user of that name, or None."""
        return self._users.get(name)

    async def verify(self, name: str, password: str, address: str = "") -> User | None:
        """The user when name and password are right, else None; a wrong name takes as long as a wrong
        password. `address` is where the request comes from.

        Raises:
            RequestError: TOO_LARGE, too many passwords from there wait to be checked.
        """
        user = self._users.get(name)
        stored = user.password if user is not None and user.password else self._nobody
        right = await self._passwords.right(name, password, stored, address)
        user = self._users.get(name)  # as it is now
        return user if right and user is not None and stored == user.password else None
