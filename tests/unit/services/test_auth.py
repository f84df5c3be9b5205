import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from doubles.certificate import certified
from twinplane.errors import Fault, RequestError
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access, Role
from twinplane.identity.trust import Trust
from twinplane.identity.user import set_user
from twinplane.services.auth import Caller, Gate, Mode, authenticate, authorize

AUTHORITY, TRUST = certified(None, "authority", ca=True, length=0), Trust()
TRUST.follow(AUTHORITY.certificate_pem)
MUTUAL, PASSWORD = Gate(Mode.MUTUAL, trust=TRUST), Gate(Mode.PASSWORD)
SOCKET, READ_SOCKET = Gate(Mode.SOCKET, Role.ADMIN), Gate(Mode.SOCKET, Role.READ_ONLY)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Directory]:
    path: Path = tmp_path_factory.mktemp("users") / "users.toml"
    set_user(path, "ann", Role.ADMIN, "right")
    set_user(path, "bob", Role.READ_ONLY)
    return lambda: Directory(path)


def call(users: Callable[[], Directory], gate: Gate, cn: str = "", **metadata: str) -> Caller:
    channel = {"x509_pem_cert": [named(cn)]} if cn else {}
    items = [*metadata.items(), ("user-agent", "x"), ("other-bin", b"\0")]
    return asyncio.run(authenticate(gate, users(), "ipv4:192.0.2.1:5", channel, items))


@pytest.mark.parametrize(
    ("gate", "cn", "metadata", "wanted"),
    [
        (MUTUAL, "ann", {}, ("ann", Role.ADMIN)),
        (MUTUAL, "bob", {"username": "bob"}, ("bob", Role.READ_ONLY)),
        (MUTUAL, "ann", {"username": "ann", "password": "right"}, ("ann", Role.ADMIN)),
        (PASSWORD, "", {"username": "ann", "password": "right"}, ("ann", Role.ADMIN)),
        (SOCKET, "", {}, ("local-admin", Role.ADMIN)),
        (READ_SOCKET, "", {}, ("local-read-only", Role.READ_ONLY)),
        (READ_SOCKET, "", {"username": "ann", "password": "right"}, ("ann", Role.READ_ONLY)),
        (SOCKET, "", {"username": "ann", "password": "right"}, ("ann", Role.ADMIN)),
    ],
)
def test_who_is_let_in(
    users: Callable[[], Directory], gate: Gate, cn: str, metadata: dict[str, str], wanted: tuple[str, Role]
) -> None:
    assert call(users, gate, cn, **metadata) == Caller(*wanted, "ipv4:192.0.2.1:5")


@pytest.mark.parametrize(
    ("gate", "cn", "metadata", "fault"),
    [
        (MUTUAL, "eve", {}, Fault.DENIED),
        (MUTUAL, "", {}, Fault.UNAUTHENTICATED),
        (MUTUAL, "ann", {"username": "bob"}, Fault.DENIED),
        (MUTUAL, "ann", {"username": "ann", "password": "wrong"}, Fault.UNAUTHENTICATED),
        (MUTUAL, "bob", {"username": "bob", "password": "x"}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {"username": "ann"}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {"password": "right"}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {"username": "ann", "password": "wrong"}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {"username": "bob", "password": "x"}, Fault.UNAUTHENTICATED),
        (PASSWORD, "", {"username": "eve", "password": "right"}, Fault.UNAUTHENTICATED),
        (SOCKET, "", {"username": "ann"}, Fault.UNAUTHENTICATED),
        (SOCKET, "", {"username": "ann", "password": "wrong"}, Fault.UNAUTHENTICATED),
    ],
)
def test_who_is_not(
    users: Callable[[], Directory], gate: Gate, cn: str, metadata: dict[str, str], fault: Fault
) -> None:
    with pytest.raises(RequestError) as caught:
        call(users, gate, cn, **metadata)
    assert [violation.fault for violation in caught.value.violations] == [fault]
    assert "right" not in str(caught.value)


def test_a_read_only_user_reads_only() -> None:
    reader = Caller("bob", Role.READ_ONLY)
    authorize(reader, Access.READ, "Get")
    authorize(Caller("ann", Role.OPERATOR), Access.WRITE, "Set")
    with pytest.raises(RequestError, match="Set: user bob is read-only"):
        authorize(reader, Access.WRITE, "Set")


def named(*names: str) -> bytes:
    """A certificate with these common names."""
    return certified(AUTHORITY, *names).certificate_pem


# cryptography warns of a name that is longer than X.520 has it.
WARNS = pytest.mark.filterwarnings("ignore:Attribute's length")
WRONG = [("ann\0bob",), ("\0ann",), ("ann\0",), ("ann\n",), ("ann\x7f",), (" ann",), ("x" * 5000,), ()]


@WARNS
@pytest.mark.parametrize("names", [*WRONG, ("ann", "bob"), ("bob", "ann"), ("local-admin",)])
def test_a_common_name_that_is_not_exactly_one_user_s_is_refused(
    users: Callable[[], Directory], names: tuple[str, ...]
) -> None:
    # What gRPC itself makes of it may be somebody's name.
    channel = {"x509_common_name": [b"ann"], "x509_pem_cert": [named(*names)]}
    with pytest.raises(RequestError) as caught:
        asyncio.run(authenticate(MUTUAL, users(), "ipv4:192.0.2.1:5", channel, ()))
    assert [violation.fault for violation in caught.value.violations] == [Fault.DENIED]
    assert len(str(caught.value)) < 300
    right = {"x509_common_name": [b"ann"], "x509_pem_cert": [named("ann")]}
    assert asyncio.run(authenticate(MUTUAL, users(), "ipv4:192.0.2.1:5", right, ())).name == "ann"
