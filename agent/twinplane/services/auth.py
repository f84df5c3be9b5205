"""Who calls, and whether the call may be made at all.

============ ====================== ============================================================
listener     identity               user name and password in the metadata
============ ====================== ============================================================
MUTUAL       subject CN             name must be the CN; a password is checked on top
PASSWORD     the user name          both needed
SOCKET       the socket's own role  both or none; then that user, with the lower of both roles
============ ====================== ============================================================

Every refusal is an exception: there is no verdict to forget.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.certificates import serial_number, user_name
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule, rules_of
from twinplane.identity.trust import Trust
from twinplane.identity.user import NAME, User
from twinplane_wire.path import ROOT

LONGEST_SHOWN = 64  # characters of a name in a refusal


class Mode(Enum):
    """How a listener learns who calls."""

    MUTUAL = "mutual"
    PASSWORD = "password"
    SOCKET = "socket"


@dataclass(frozen=True, slots=True)
class Gate:
    """What authentication has to know about a listener; `role` is a SOCKET's, `trust` is for MUTUAL."""

    mode: Mode
    role: Role = Role.READ_ONLY
    trust: Trust = field(default_factory=Trust, compare=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user, and the address as the transport prints it. `user` is None for the socket's own
    identity; `serial` is the number of the certificate that the channel was opened with."""

    name: str
    role: Role
    peer: str = ""
    user: User | None = field(default=None, compare=False)
    serial: int | None = field(default=None, compare=False)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What this caller may see and change."""
        return rules_of(self.role, () if self.user is None else self.user.rules)

    @property
    def is_narrowed(self) -> bool:
        """Whether rules of their own keep something from this caller that their role may change."""
        return self.user is not None and any(rule.access is not Access.WRITE for rule in self.user.rules)


async def authenticate(
    gate: Gate,
    users: Directory,
    peer: str,
    channel: Mapping[str, Iterable[bytes]],
    metadata: Iterable[tuple[str, str | bytes]],
) -> Caller:
    """The caller of one RPC, from what its channel proves and what its metadata says (gNMI 3.1).

    `channel` is gRPC's auth context: property name to values.

    Raises:
        RequestError: UNAUTHENTICATED for wrong or missing credentials and for a certificate that is revoked,
            an authority's or beyond the length of path that its authority allows, DENIED
            for a certificate of nobody here, or a user name that is not the certificate's, TOO_LARGE for too
            many passwords at a time.
    """
    name, password = _credentials(metadata)
    match gate.mode:
        case Mode.MUTUAL:
            return await _by_certificate(gate.trust, users, peer, channel, name, password)
        case Mode.PASSWORD:
            user = await users.verify(name, password, _host(peer)) if name and password else None
            if user is None:
                raise _unauthenticated("a valid user name and password are needed here")
            return Caller(user.name, user.role, peer, user)
        case Mode.SOCKET if not name and not password:
            return Caller(gate.role.of_socket, gate.role, peer)
        case Mode.SOCKET:
            user = await users.verify(name, password, _host(peer)) if name and password else None
            if user is None:
                raise _unauthenticated("wrong user name or password")
            return Caller(user.name, user.role.lower(gate.role), peer, user)


def authorize(caller: Caller, access: Access, operation: str) -> None:
    """Refuse an operation that the caller's role does not include.

    Raises:
        RequestError: DENIED.
    """
    if not caller.role.allows(access):
        raise _denied(f"{operation}: user {caller.name} is {caller.role.value}")


async def _by_certificate(
    trust: Trust,
    users: Directory,
    peer: str,
    channel: Mapping[str, Iterable[bytes]],
    name: str,
    password: str,
) -> Caller:
    pem = next(iter(channel.get("x509_pem_cert", ())), None)
    if pem is None:
        raise _unauthenticated("a client certificate is needed here")
    try:
        refusal = trust.refusal(pem, tuple(channel.get("x509_pem_cert_chain", ())))
        serial = serial_number(pem)
    except ValueError as error:
        raise _unauthenticated("the certificate cannot be read") from error
    if refusal:
        raise _unauthenticated(refusal)
    if users.is_revoked(serial):
        raise _unauthenticated(f"the certificate {serial:x} is revoked")
    subject = _common_name(pem)
    user = users.get(subject)
    if user is None:
        raise _denied(f"the certificate's user {subject!r} is unknown", "add it to users.toml")
    if name and name != subject:
        raise _denied(f"user name {_shown(name)!r} is not that of the certificate, {subject!r}")
    if password and await users.verify(subject, password, _host(peer)) is None:
        raise _unauthenticated("wrong password")
    return Caller(user.name, user.role, peer, user, serial)


def knows(caller: Caller, author: str) -> bool:
    """Whether the caller is shown the name of an author's commit that waits for its confirmation: their own,
    and to an administrator everybody's. Whoever knows it may decide about the commit."""
    return caller.role is Role.ADMIN or caller.name == author


def _host(peer: str) -> str:
    """The address of a peer without its port; all of a Unix socket are one."""
    return peer.rpartition(":")[0]


def _common_name(pem: bytes) -> str:
    """Who a certificate names. gRPC's own property ends at the first NUL and knows one of several names."""
    try:
        name = user_name(pem)
    except ValueError as error:
        raise _denied(f"{error}", "use a certificate with one common name") from error
    if not NAME.fullmatch(name):
        text = f"the certificate's common name {_shown(name)!r} cannot be a user's"
        raise _denied(text, "issue one for a user")
    return name


def _shown(name: str) -> str:
    return name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"


def _credentials(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[str, str]:
    found = {"username": "", "password": ""}
    for key, value in metadata:
        if key in found and isinstance(value, str):
            found[key] = value
    return found["username"], found["password"]


def _unauthenticated(text: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.UNAUTHENTICATED, text))


def _denied(text: str, remedy: str = "") -> RequestError:
    return RequestError(Violation(ROOT, Fault.DENIED, text, remedy))
