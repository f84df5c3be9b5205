"""sd_notify: one datagram where a supervisor listens, silence where none does."""

import socket
from pathlib import Path

from twinplane.notify import notify


def test_the_state_arrives_at_the_named_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert supervisor.recv(64) == b"READY=1"


def test_without_a_supervisor_nothing_happens() -> None:
    notify("READY=1", {})
