import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access, Role
from twinplane.identity.user import set_user
from twinplane.services.auth import Caller, Gate, Mode, authenticate, authorize

MUTUAL, PASSWORD = Gate(Mode.MUTUAL), Gate(Mode.PASSWORD)
SOCKET, READ_SOCKET = Gate(Mode.SOCKET, Role.ADMIN), Gate(Mode.SOCKET, Role.READ_ONLY)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Directory]:
    path: Path = tmp_path_factory.mktemp("users") / "users.toml"
    set_user(path, "ann", Role.ADMIN, "right")
    set_user(path, "bob", Role.READ_ONLY)
    return lambda: Directory(path)


def call(users: Callable[[], Directory], gate: Gate, cn: str = "", **metadata: str) -> Caller:
    channel = {"x509_common_name": [cn.encode()]} if cn else {}
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
        (MUTUAL, "", {}, Fault.DENIED),
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
