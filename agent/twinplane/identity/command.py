"""The commands about users and client certificates: what they do to the files of a state directory.

Each returns what to tell the operator. The agent reads the files again on SIGHUP; whoever calls sends it.
"""

import datetime
import re
from pathlib import Path

from twinplane.errors import StartError
from twinplane.identity.certificates import read_certificate, serial_number, write_client
from twinplane.identity.password import hash_password
from twinplane.identity.permission import require_closed
from twinplane.identity.role import Role
from twinplane.identity.user import (
    User,
    ensure_users,
    parse_serial,
    put_user,
    read,
    read_if_held,
    remove_user,
    revoke,
)

# A value of gRPC metadata (https://grpc.io/docs/guides/metadata); blanks at its ends are lost on the way.
_SENDABLE = re.compile(r"[!-~]([ -~]*[!-~])?")


def add_user(root: Path, name: str, role: Role, password: str | None) -> str:
    """Add a user, or give one another role; without a password the one there is stays, as do the rules.

    Raises:
        StartError: the name cannot be a user's, the password not be sent, or the file not be used.
    """
    if password is not None and not _SENDABLE.fullmatch(password):
        raise StartError(
            "a password is printable ASCII, without blanks at its ends: no client could send another"
        )
    file = _users(root, lost_is_fine=True)
    known = read_if_held(file)[0].get(name)
    kept = "" if known is None else known.password
    secret = kept if password is None else hash_password(password)
    put_user(file, User(name, role, secret, () if known is None else known.rules))
    how = "a password" if secret else "no password"
    done = f"user {name}: {role.value}, {how}; `certificate issue {name}` makes a client certificate"
    return done + _without_admin(file)


def drop_user(root: Path, name: str) -> str:
    """Remove a user; certificates in that name are good for nothing from then on, until it is added again.

    Raises:
        StartError: there is no such user, or the file cannot be used.
    """
    file = _users(root)
    remove_user(file, name)
    return f"user {name} is removed{_without_admin(file)}"


def issue_certificate(root: Path, name: str, now: datetime.datetime) -> str:
    """Issue a client certificate for a user, as ``tls/<name>.pem`` and ``.key``; an earlier one stays good.

    Raises:
        StartError: there is no such user, or no authority yet (the first start makes it).
    """
    if name not in read(_users(root))[0]:
        raise StartError(f"there is no user {name!r}; `user add {name} --role …` first")
    folder = root / "tls"
    write_client(folder, name, now)
    file = folder / f"{name}.pem"
    pem = read_certificate(file)
    return f"{file} and {folder / name}.key, serial number {serial_number(pem):x}"


def revoke_certificate(root: Path, which: str) -> str:
    """Revoke a client certificate: by serial number, or by the user whose ``tls/<name>.pem`` it is.

    Raises:
        StartError: neither such a file nor a serial number.
    """
    file = root / "tls" / f"{which}.pem"
    if "/" not in which and file.exists():
        serial = serial_number(read_certificate(file))
    else:
        try:
            serial = parse_serial(which)
        except ValueError as error:
            raise StartError(f"{error}; nor is there a certificate {file}") from None
    revoke(_users(root), serial)
    return f"the certificate with serial number {serial:x} is revoked"


def _without_admin(file: Path) -> str:
    if any(user.role is Role.ADMIN for user in read(file)[0].values()):
        return ""
    return "; no user is an admin any more: only the socket run/admin.sock administers"


def _users(root: Path, *, lost_is_fine: bool = False) -> Path:
    """The file of users; a first one is made only where no agent has worked. One that is lost beside the rest
    held users, roles and revocations that nobody else knows: only a new user begins another.

    Raises:
        StartError: it is lost, or others own it or can write it.
    """
    file = root / "users.toml"
    if not root.is_dir():
        raise StartError(f"there is no state directory {root}; start the agent once, or name its settings")
    if not (root / "VERSION").exists():
        ensure_users(file)
    elif not file.exists() and not lost_is_fine:
        raise StartError(
            f"{file} is missing, with the users, roles and revoked certificates in it; restore it from a "
            "backup, or begin another with `twinplane-agent user add NAME --role admin` (then revoke again "
            "what was revoked)"
        )
    require_closed(file)
    return file
