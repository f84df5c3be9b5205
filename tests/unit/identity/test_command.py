import datetime
import fcntl
import io
import os
import signal
from pathlib import Path

import pytest

from twinplane import cli
from twinplane.errors import StartError
from twinplane.identity import certificates, command, issue
from twinplane.identity.password import matches
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import User, put_user, read, read_users, revoke
from twinplane_wire.path import parse

NOW = datetime.datetime(2026, 8, 1, tzinfo=datetime.UTC)
RULE = Rule(parse('/appliances/appliance[name="a\\\\b\\]]'), Access.READ)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tls").mkdir()
    authority = issue.issue_authority(NOW)
    (tmp_path / "tls/ca.pem").write_bytes(authority.certificate_pem)
    (tmp_path / "tls/ca.key").write_bytes(authority.key_pem)
    return tmp_path


def test_adding_again_changes_what_is_named_and_keeps_the_rest(root: Path) -> None:
    command.add_user(root, "ann", Role.OPERATOR, "right")
    users, _ = read(root / "users.toml")
    put_user(root / "users.toml", User("ann", Role.OPERATOR, users["ann"].password, (RULE,)))
    revoke(root / "users.toml", 0xAB)
    command.add_user(root, "ann", Role.READ_ONLY, None)
    users, revoked = read(root / "users.toml")
    assert users["ann"].role is Role.READ_ONLY
    assert users["ann"].rules == (RULE,)
    assert matches("right", users["ann"].password)
    assert set(users) == {"admin", "ann"}
    assert revoked == {0xAB}
    command.drop_user(root, "ann")
    assert set(read_users(root / "users.toml")) == {"admin"}
    with pytest.raises(StartError, match="no user 'ann'"):
        command.drop_user(root, "ann")


@pytest.mark.parametrize("password", ["pässword", "a\tb", " x", "x ", ""])
def test_a_password_that_no_client_could_send_is_refused(root: Path, password: str) -> None:
    with pytest.raises(StartError, match="printable ASCII"):
        command.add_user(root, "ann", Role.OPERATOR, password)
    assert not (root / "users.toml").exists()


def test_certificates_are_issued_to_users_and_revoked_by_name_or_number(root: Path) -> None:
    with pytest.raises(StartError, match="no user 'ann'"):
        command.issue_certificate(root, "ann", NOW)
    command.add_user(root, "ann", Role.OPERATOR, None)
    command.issue_certificate(root, "ann", NOW)
    first = certificates.serial_number((root / "tls/ann.pem").read_bytes())
    command.revoke_certificate(root, "ann")
    assert read(root / "users.toml")[1] == {first}
    text = command.issue_certificate(root, "ann", NOW)
    second = certificates.serial_number((root / "tls/ann.pem").read_bytes())
    assert f"{second:x}" in text
    assert second != first
    colons = ":".join(f"{second:040X}"[at : at + 2] for at in range(0, 40, 2))
    command.revoke_certificate(root, colons)
    assert read(root / "users.toml")[1] == {first, second}
    with pytest.raises(StartError, match="not a serial number"):
        command.revoke_certificate(root, "nobody")


@pytest.mark.parametrize(
    "text",
    [
        'revoked = "ab"',
        'revoked = ["xyz"]',
        "revoked = [1]",
        "reboked = []",
        '[[user]]\nname = "a"\nrole = "admin"\nrules = 1',
        '[[user]]\nname = "a"\nrole = "admin"\nrules = [{ path = "/a" }]',
        '[[user]]\nname = "a"\nrole = "admin"\nrules = [{ path = "/a", access = "all" }]',
        '[[user]]\nname = "a"\nrole = "admin"\nrules = [{ path = "/a[b", access = "read" }]',
    ],
)
def test_what_means_nothing_is_refused(root: Path, text: str) -> None:
    (root / "users.toml").write_text(text)
    with pytest.raises(StartError, match=r"users\.toml"):
        read(root / "users.toml")


def test_a_running_agent_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *to: told.append(to))
    monkeypatch.setenv("TWINPLANE_AGENT_STATE_DIR", str(root))

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        assert caught.value.code == 0
        return capsys.readouterr().out

    assert "was told" not in run("user", "add", "ann", "--role", "operator")
    (root / "lock").write_text("4711\n")
    assert "was told" not in run("certificate", "issue", "ann")
    with (root / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
        assert "process 4711" in run("user", "add", "ann", "--role", "admin", "--password")
        assert "process 4711" in run("certificate", "revoke", "ann")
        assert "process 4711" in run("user", "remove", "ann")
    assert told == [(4711, signal.SIGHUP)] * 3


def test_users_that_were_lost_are_not_made_up(root: Path) -> None:
    """Beside a directory that was in use a missing file is a loss: nobody becomes administrator by it."""
    (root / "VERSION").write_text("1\n")
    (root / "users.toml").unlink(missing_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    for refused in (
        lambda: command.drop_user(root, "ann"),
        lambda: command.issue_certificate(root, "admin", now),
        lambda: command.revoke_certificate(root, "1f"),
    ):
        with pytest.raises(StartError, match="user add NAME --role admin"):
            refused()
    assert not (root / "users.toml").exists()
    command.add_user(root, "ann", Role.ADMIN, None)
    assert set(read_users(root / "users.toml")) == {"ann"}


def test_without_an_admin_it_is_said_and_an_empty_file_can_be_begun_again(root: Path) -> None:
    assert "only the socket" not in command.add_user(root, "ann", Role.OPERATOR, None)
    assert "only the socket run/admin.sock administers" in command.drop_user(root, "admin")
    assert "only the socket" not in command.add_user(root, "ann", Role.ADMIN, None)
    assert "only the socket" in command.add_user(root, "ann", Role.OPERATOR, None)
    (root / "users.toml").write_bytes(b"")
    with pytest.raises(StartError, match="is empty"):
        command.drop_user(root, "ann")
    command.add_user(root, "ann", Role.ADMIN, None)
    assert set(read_users(root / "users.toml")) == {"ann"}


def test_a_file_that_others_can_write_is_not_believed(root: Path) -> None:
    command.add_user(root, "ann", Role.OPERATOR, None)
    (root / "users.toml").chmod(0o622)
    with pytest.raises(StartError, match="can be written by others"):
        command.add_user(root, "bob", Role.OPERATOR, None)
    assert "bob" not in read_users(root / "users.toml")
