"""The users of this box, from `users.toml`; outside the models, so that no replace can touch them.

::

    revoked = ["5f3a…"]        # serial numbers of client certificates that are not accepted any more

    [[user]]
    name = "admin"
    role = "admin"             # read-only, operator or admin
    password = "scrypt$…"      # may be absent: then only a certificate identifies the user
    rules = [                  # may be absent; on top of those of the role, the longest path decides
        { path = "/appliances", access = "read" },          # none, read or write
        { path = "/appliances/appliance[name=fw1]", access = "write" },
    ]
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinplane.errors import StartError
from twinplane.identity.document import read_document
from twinplane.identity.file import exclusive, write_private
from twinplane.identity.password import PasswordHashError, check_form, hash_password
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane_wire.path import PathSyntaxError, parse

# Sessions and limits go by name: nobody is called as those are who come through a socket without one.
_TAKEN = "|".join(role.of_socket for role in Role)
NAME = re.compile(rf"(?!(?:{_TAKEN})\Z)[A-Za-z_][A-Za-z0-9_.@-]{{0,63}}")
_NAMES = "a letter or _, then letters, digits and . _ @ -, 64 at most; not local-admin and such"


@dataclass(frozen=True, slots=True)
class User:
    """One user. `password` is a scrypt text, or empty where the user has none; it is never printed. `rules`
    are the user's own, without those of the role."""

    name: str
    role: Role
    password: str = field(default="", repr=False)
    rules: tuple[Rule, ...] = ()


def read_users(path: Path) -> dict[str, User]:
    """The users of a file, by name.

    Raises:
        StartError: the file cannot be read or means nothing; says which entry and what to write.
    """
    return read(path)[0]


def read(path: Path) -> tuple[dict[str, User], frozenset[int]]:
    """The users of a file, by name, and the serial numbers of the certificates that it revokes.

    Raises:
        StartError: as `read_users`.
    """
    document = _document(path)
    return _users(path, document), _revoked(path, document)


def read_if_held(path: Path) -> tuple[dict[str, User], frozenset[int]]:
    """As `read`, but nobody where there is no file, or one of no bytes. Raises StartError."""
    return read(path) if path.exists() and path.stat().st_size else ({}, frozenset())


def _document(path: Path) -> dict[str, Any]:
    document = read_document(path)
    for name in document.keys() - {"user", "revoked"}:
        raise StartError(f"{path}: {name} means nothing; only [[user]] and revoked belong here")
    return document


def _revoked(path: Path, document: Mapping[str, Any]) -> frozenset[int]:
    listed = document.get("revoked", [])
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise StartError(f"{path}: revoked is not a list of serial numbers in quotes")
    return frozenset(_serial(path, text) for text in listed)


def _serial(path: Path, text: str) -> int:
    try:
        return parse_serial(text)
    except ValueError as error:
        raise StartError(f"{path}: revoked: {error}") from None


def parse_serial(text: str) -> int:
    """A serial number from hexadecimal text, with or without colons, as openssl prints it.

    Raises:
        ValueError: it is none.
    """
    digits = text.replace(":", "").lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{1,40}", digits):
        raise ValueError(f"{text!r} is not a serial number; write it in hexadecimal")
    return int(digits, 16)


def _users(path: Path, document: Mapping[str, Any]) -> dict[str, User]:
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


def write_users(path: Path, users: Iterable[User], revoked: Iterable[int] = ()) -> None:
    """Replace the file atomically, readable by its owner only.

    Raises:
        StartError: it cannot be written.
    """
    lines = ["# Users of this agent; read at start and on SIGHUP. Roles: read-only, operator, admin.", ""]
    serials = sorted(revoked)
    if serials:
        lines += ["revoked = [", *(f'    "{serial:x}",' for serial in serials), "]", ""]
    for user in users:
        lines += ["[[user]]", f'name = "{user.name}"', f'role = "{user.role.value}"']
        if user.password:
            lines.append(f'password = "{user.password}"')
        if user.rules:
            lines += ["rules = [", *(f"    {_written(rule)}," for rule in user.rules), "]"]
        lines.append("")
    try:
        write_private(path, "\n".join(lines).encode())
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}") from error


def _written(rule: Rule) -> str:
    # A basic string of TOML is one of JSON, but for U+007F.
    path = json.dumps(str(rule.path), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f'{{ path = {path}, access = "{rule.access.value}" }}'


def ensure_users(path: Path) -> None:
    """Write a first file with the user admin, known by certificate only, where there is none yet."""
    if not path.exists():
        write_users(path, (User("admin", Role.ADMIN),))


def set_user(path: Path, name: str, role: Role, password: str = "", rules: Iterable[Rule] = ()) -> None:
    """Add a user to the file, or take the place of the one of that name. Blocks for some 50 ms.

    Raises:
        StartError: as `put_user`.
    """
    put_user(path, User(name, role, hash_password(password) if password else "", tuple(rules)))


def put_user(path: Path, user: User) -> None:
    """Add a user to the file, or take the place of the one of that name.

    Raises:
        StartError: the name cannot be a user's, or the file cannot be read or written.
    """
    if not NAME.fullmatch(user.name):
        raise StartError(f"{user.name!r} cannot be a user name; use {_NAMES}")
    with exclusive(path.parent):
        users, revoked = read_if_held(path)
        users[user.name] = user
        write_users(path, users.values(), revoked)


def remove_user(path: Path, name: str) -> None:
    """Take a user out of the file.

    Raises:
        StartError: there is no such user, or the file cannot be read or written.
    """
    with exclusive(path.parent):
        users, revoked = read(path)
        if users.pop(name, None) is None:
            raise StartError(f"there is no user {name!r} in {path}")
        write_users(path, users.values(), revoked)


def revoke(path: Path, serial: int) -> None:
    """Refuse a client certificate from now on, by its serial number.

    Raises:
        StartError: the file cannot be read or written.
    """
    with exclusive(path.parent):
        users, revoked = read(path)
        write_users(path, users.values(), revoked | {serial})


def _user(where: str, entry: object) -> User:
    if not isinstance(entry, dict) or not set(entry) <= {"name", "role", "password", "rules"}:
        raise StartError(f"{where}: only name, role, password and rules belong here")
    name, role, password = entry.get("name"), entry.get("role"), entry.get("password", "")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise StartError(f"{where}: name is missing or cannot be a user name; use {_NAMES}")
    try:
        known = Role(role)
    except ValueError as error:
        names = ", ".join(known.value for known in Role)
        raise StartError(f"{where} ({name}): role is one of {names}") from error
    try:
        if password != "":
            check_form(str(password))
    except PasswordHashError as error:
        raise StartError(
            f"{where} ({name}): password is {error}; `twinplane-agent user add {name} --password` writes one"
        ) from error
    rules = entry.get("rules", [])
    if not isinstance(rules, list):
        raise StartError(f"{where} ({name}): rules is not a list")
    return User(name, known, str(password), tuple(_rule(f"{where} ({name})", rule) for rule in rules))


def _rule(where: str, entry: object) -> Rule:
    if not isinstance(entry, dict) or set(entry) != {"path", "access"}:
        raise StartError(f"{where}: a rule has a path and an access and nothing else")
    try:
        path = parse(str(entry["path"]))
        return Rule(
            path._replace(origin="") if path.origin == "openconfig" else path, Access(entry["access"])
        )
    except PathSyntaxError as error:
        raise StartError(f"{where}: rule: {error}") from error
    except ValueError as error:
        raise StartError(f"{where}: the access of a rule is none, read or write") from error
