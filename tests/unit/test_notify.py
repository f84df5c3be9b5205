"""sd_notify: one datagram where a supervisor listens, silence where none does."""

import logging
import socket
from pathlib import Path

import pytest

from twinplane.notify import notify


def test_the_state_arrives_at_the_named_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert supervisor.recv(64) == b"READY=1"


def test_without_a_supervisor_nothing_happens() -> None:
    notify("READY=1", {})


def test_a_supervisor_that_is_gone_ends_no_agent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("twinplane.notify")
    log.addHandler(caplog.handler)  # the agent's own logging hands nothing on
    try:
        for address in (str(tmp_path / "nobody"), "@twinplane-nobody", "x" * 200):
            notify("READY=1", {"NOTIFY_SOCKET": address})
    finally:
        log.removeHandler(caplog.handler)
    assert "WARNING" in caplog.text
    assert "READY=1 could not be told to @twinplane-nobody" in caplog.text
