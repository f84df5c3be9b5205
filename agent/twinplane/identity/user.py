"""The users of this box, from `users.toml`; outside the models, so that no replace can touch them.

::

    [[user]]
    name = "admin"
    role = "admin"             # read-only, operator or admin
    password = "scrypt$…"      # may be absent: then only a certificate identifies the user
"""

import asyncio
import hashlib
import hmac
import os
import re
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from twinplane.errors import StartError
from twinplane.identity.file import write_private
from twinplane.identity.password import PasswordHashError, check_form, hash_password, matches
from twinplane.identity.role import Role

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}")
REMEMBER_SECONDS = 60.0
REMEMBER_ENTRIES = 256


@dataclass(frozen=True, slots=True)
class User:
    """One user. `password` is a scrypt text, or empty where the user has none; it is never printed."""

    name: str
    role: Role
    password: str = field(default="", repr=False)


def read_users(path: Path) -> dict[str, User]:
    """The users of a file, by name.

    Raises:
        StartError: the file cannot be read or means nothing; says which entry and what to write.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"{path} is no TOML: {error}") from error
    entries = document.get("user", [])
    if not isinstance(entries, list):
        raise StartError(f"{path}: user is not a list; write [[user]]")
    users: dict[str, User] = {}
    for number, entry in enumerate(entries, 1):
        user = _user(f"{path}: user {number}", entry)
        if user.name in users:
            raise StartError(f"{path}: user {number}: {user.name!r} is there twice; remove one")
        users[user.name] = user
    return users


def write_users(path: Path, users: Iterable[User]) -> None:
    """Replace the file atomically, readable by its owner only.

    Raises:
        OSError: it cannot be written.
    """
    lines = ["# Users of this agent; read at start and on SIGHUP. Roles: read-only, operator, admin.", ""]
    for user in users:
        lines += ["[[user]]", f'name = "{user.name}"', f'role = "{user.role.value}"']
        if user.password:
            lines.append(f'password = "{user.password}"')
        lines.append("")
    write_private(path, "\n".join(lines).encode())


def ensure_users(path: Path) -> None:
    """Write a first file with the user admin, known by certificate only, where there is none yet."""
    if not path.exists():
        write_users(path, (User("admin", Role.ADMIN),))


def set_user(path: Path, name: str, role: Role, password: str = "") -> None:
    """Add a user to the file, or change its role and password. Blocks for some 50 ms.

    Raises:
        StartError: the name cannot be a user's, or the file cannot be read.
    """
    if not NAME.fullmatch(name):
        raise StartError(f"{name!r} cannot be a user name; use letters, digits and . _ @ -")
    users = read_users(path) if path.exists() else {}
    users[name] = User(name, role, hash_password(password) if password else "")
    write_users(path, users.values())


class Directory:
    """The users as last read, with passwords checked in a thread and successes remembered for a minute."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._users: Mapping[str, User] = read_users(path)
        self._salt = os.urandom(32)
        self._remembered: dict[bytes, float] = {}
        self._turn = asyncio.Semaphore(1)  # guessing must not take all threads and cores
        self._nobody = hash_password(os.urandom(8).hex())

    def reload(self) -> None:
        """Read the file again (SIGHUP); on failure the users stay as they were.

        Raises:
            StartError: as `read_users`.
        """
        self._users = read_users(self.path)

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


def _user(where: str, entry: object) -> User:
    if not isinstance(entry, dict) or not set(entry) <= {"name", "role", "password"}:
        raise StartError(f"{where}: only name, role and password belong here")
    name, role, password = entry.get("name"), entry.get("role"), entry.get("password", "")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise StartError(f"{where}: name is missing or is no user name")
    try:
        known = Role(role)
    except ValueError as error:
        names = ", ".join(known.value for known in Role)
        raise StartError(f"{where} ({name}): role is one of {names}") from error
    try:
        if password != "":
            check_form(str(password))
    except PasswordHashError as error:
        raise StartError(f"{where} ({name}): password is {error}") from error
    return User(name, known, str(password))
