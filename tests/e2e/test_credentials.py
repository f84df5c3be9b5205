"""Who may come in: by certificate, by password, by socket; and what a change of users.toml takes."""

import datetime
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.agent import Agent, until, value
from e2e.place import Place
from twinplane.identity import certificates, issue, upkeep
from twinplane.identity.file import write_private
from twinplane.identity.host_name import host_names
from twinplane.identity.role import Role
from twinplane.identity.user import set_user
from twinplane.state_dir import holder
from twinplane_client import Client, PermissionDeniedError, UnauthenticatedError, UnavailableError

pytestmark = pytest.mark.hypervisor

HOST = "/system/state/hostname"


@pytest.fixture(scope="module")
def by_password(place: Place, images: Path) -> Iterator[Agent]:
    """An agent whose clients have no certificate."""
    with Agent(place, images, LISTEN_MODE="PASSWORD", LISTEN_ADDRESSES=f"{place.address}:9340") as agent:
        agent.address = f"{place.address}:9340"
        agent.start(environ={"E2E_RENEWAL": "0.5"})
        set_user(agent.state_dir / "users.toml", "alice", Role.READ_ONLY, "right")
        hang_up(agent)
        yield agent


def hang_up(agent: Agent) -> str:
    """Have users.toml read again; what the agent says to that."""
    assert agent.process is not None
    seen = len(agent.lines())
    agent.process.send_signal(signal.SIGHUP)
    return agent.wait_for("users.toml", since=seen)


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("nobody", "right"), ("alice", ""), ("", ""), ("admin", "")]
)
def test_wrong_name_or_password(by_password: Agent, name: str, password: str) -> None:
    seen = len(by_password.lines())
    nameless = by_password.client(certificate=None, key=None, username=name, password=password)
    with nameless as client, pytest.raises(UnauthenticatedError) as caught:
        client.get(HOST)
    assert caught.value.code == "UNAUTHENTICATED"
    assert "right" not in caught.value.message
    (line,) = by_password.lines()[seen:]
    assert "UNAUTHENTICATED" in line
    assert "wrong" not in line, "what was typed is not logged: it is often almost the password"


def test_the_right_password_and_what_it_allows(by_password: Agent) -> None:
    with by_password.client(certificate=None, key=None, username="alice", password="right") as client:
        assert value(client, HOST)
        with pytest.raises(PermissionDeniedError, match="alice is read-only"):
            client.set(delete=["/appliances"])


def test_a_hang_up_while_the_agent_starts_waits_until_it_serves(place: Place, images: Path) -> None:
    def early() -> None:
        until(lambda: holder(agent.state_dir) is not None, "the agent has its state directory")
        os.kill(holder(agent.state_dir) or 0, signal.SIGHUP)

    with Agent(place, images) as agent:
        soon = threading.Thread(target=early)
        soon.start()
        agent.start()
        soon.join()
        agent.wait_for("users.toml again")


def test_a_user_that_was_added_is_let_in_after_a_hang_up(by_password: Agent) -> None:
    users = by_password.state_dir / "users.toml"
    with by_password.client(certificate=None, key=None, username="bob", password="secret") as client:
        with pytest.raises(UnauthenticatedError):
            client.get(HOST)
        set_user(users, "bob", Role.OPERATOR, "secret")
        with pytest.raises(UnauthenticatedError):
            client.get(HOST)
        hang_up(by_password)
        assert value(client, HOST)


def test_a_broken_file_changes_nobody_and_is_one_line(by_password: Agent) -> None:
    users = by_password.state_dir / "users.toml"
    good = users.read_bytes()
    users.write_text("[[user]]\nname = 'mallory'\nrole = 'king'\n")
    seen = len(by_password.lines())
    hang_up(by_password)
    line = by_password.wait_for("stay as they were", since=seen)
    assert "role is one of read-only, operator, admin" in line
    assert [one for one in by_password.lines()[seen:] if "stay as they were" in one] == [line]
    with by_password.client(certificate=None, key=None, username="alice", password="right") as client:
        assert value(client, HOST)
        until(lambda: _users_alarm(client), "it is an alarm")
        users.write_bytes(b"")
        hang_up(by_password)
        by_password.wait_for("is empty", since=seen)
        users.write_bytes(good)
        hang_up(by_password)
        until(lambda: not _users_alarm(client), "the alarm is gone")
        assert value(client, HOST), "in all this time alice stayed who she was"


def _users_alarm(client: Client) -> bool:
    found = value(client, "/system/alarms") or {}
    rows = found.get("twinplane-system:alarm", [])
    return any(row["state"]["type-id"].endswith(":USERS") for row in rows)


def shown_serial(agent: Agent) -> int:
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=agent.state_dir / "tls/ca.pem")
    host, _, port = agent.address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        shown = secured.getpeercert()
        assert shown is not None
        return int(str(shown["serialNumber"]), 16)


def test_a_certificate_that_grows_old_is_renewed_without_a_restart(by_password: Agent) -> None:
    tls = by_password.state_dir / "tls"
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=300)  # of 365
    pair = issue.issue_server(certificates.read_authority(tls), host_names(), old)
    first = shown_serial(by_password)
    with by_password.client(certificate=None, key=None, username="alice", password="right") as client:
        followed = client.subscribe(HOST, mode="sample", sample_interval=0.2)
        next(followed)
        seen = len(by_password.lines())
        write_private(tls / "server.key", pair.key_pem)
        write_private(tls / "server.pem", pair.certificate_pem)
        by_password.wait_for("certificates written", since=seen)
        assert shown_serial(by_password) not in (first, pair.certificate.serial_number)
        for _ in range(3):
            assert next(followed), "what runs goes on"


def test_a_certificate_of_somebody_else_is_refused_in_the_handshake(agent: Agent, tmp_path: Path) -> None:
    foreign = tmp_path / "tls"
    upkeep.ensure(foreign, host_names(), datetime.datetime.now(datetime.UTC))
    with agent.client() as client:
        assert value(client, HOST)
    seen = len(agent.lines())
    changes = {"certificate": foreign / "admin.pem", "key": foreign / "admin.key", "timeout": 10}
    with agent.client(**changes) as client, pytest.raises(UnavailableError):
        client.get(HOST)
    # gRPC writes it; Python is not told of handshakes that fail.
    line = agent.wait_for("Handshake failed", since=seen)
    assert "CERTIFICATE_VERIFY_FAILED" in line
    assert agent.lines()[seen:] == [line]
    with agent.client() as client:
        assert value(client, HOST)


def test_no_certificate_at_all_is_refused_in_the_handshake(agent: Agent) -> None:
    seen = len(agent.lines())
    with agent.client(certificate=None, key=None, timeout=10) as client, pytest.raises(UnavailableError):
        client.get(HOST)
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in agent.wait_for("Handshake failed", since=seen)


def test_a_wrong_password_beside_the_right_certificate(agent: Agent) -> None:
    with agent.client(username="admin", password="guess") as client, pytest.raises(UnauthenticatedError):
        client.get(HOST)
    with agent.client(username="eve") as client, pytest.raises(PermissionDeniedError, match="eve"):
        client.get(HOST)


def test_a_certificate_of_nobody_here(agent: Agent) -> None:
    users = agent.state_dir / "users.toml"
    good = users.read_bytes()
    users.write_text('[[user]]\nname = "carol"\nrole = "admin"\n')
    hang_up(agent)
    with agent.client() as client, pytest.raises(PermissionDeniedError) as caught:
        client.get(HOST)
    assert "'admin' is unknown" in caught.value.message
    assert "users.toml" in caught.value.message
    users.write_bytes(good)
    hang_up(agent)


def test_the_sockets_have_a_role_each(agent: Agent) -> None:
    with agent.client(address=f"unix:{agent.state_dir}/run/read.sock") as client:
        assert value(client, HOST)
        with pytest.raises(PermissionDeniedError):
            client.set(delete=["/appliances"])
    with agent.client(address=f"unix:{agent.state_dir}/run/admin.sock") as client:
        client.set(delete=["/appliances"])


def test_a_client_that_trusts_somebody_else(agent: Agent) -> None:
    other = agent.state_dir / "tls/admin.pem"
    with agent.client(ca=other, timeout=10) as client, pytest.raises(UnavailableError):
        client.get(HOST)


def test_users_and_certificates_by_command(agent: Agent) -> None:
    tls = agent.state_dir / "tls"

    def ask(*arguments: str) -> str:
        done = agent.ask(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    ask("user", "add", "dora", "--role", "read-only")
    ask("certificate", "issue", "dora")
    mine = {"certificate": tls / "dora.pem", "key": tls / "dora.key"}
    agent.wait_for("users.toml again")
    with agent.client(**mine) as client:
        assert value(client, HOST)
        with pytest.raises(PermissionDeniedError, match="dora is read-only"):
            client.set(delete=["/appliances"])
        assert "was told" in ask("user", "add", "dora", "--role", "operator")
        until(lambda: _may_write(client), "the new role counts")
        assert "was told" in ask("certificate", "revoke", "dora")
        until(lambda: _is_unauthenticated(client), "the certificate counts no more")
        ask("certificate", "issue", "dora")
    with agent.client(**mine) as client:
        assert value(client, HOST), "another certificate of the same user"
        followed = client.subscribe(HOST)
        next(followed)
        ask("user", "remove", "dora")
        with pytest.raises(UnauthenticatedError):
            list(followed)
        with pytest.raises(PermissionDeniedError, match="unknown"):
            client.get(HOST)


def _may_write(client: Client) -> bool:
    try:
        client.set(delete=["/appliances"])
    except PermissionDeniedError:
        return False
    return True


def _is_unauthenticated(client: Client) -> bool:
    try:
        client.get(HOST)
    except UnauthenticatedError as error:
        assert "revoked" in error.message
        return True
    return False
