"""Where an agent cannot start: one line that says what and the remedy, exit code 2; and what it leaves."""

import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.agent import Agent
from e2e.place import Place

pytestmark = pytest.mark.hypervisor

EXIT_START = 2


@pytest.fixture
def candidate(place: Place, images: Path) -> Iterator[Agent]:
    """An agent that has not been started."""
    with Agent(place, images, LISTEN_ADDRESSES=f"{place.address}:9341") as agent:
        yield agent


def without(*commands: str) -> tuple[str, ...]:
    """Runs a command where these mounts hide something; nobody else sees them."""
    return (sys.executable, str(Path(__file__).with_name("private_mounts.py")), "; ".join(commands))


def the_line(refusal: tuple[int, list[str]]) -> str:
    """The one line; before it there are events of the log at most."""
    code, lines = refusal
    assert code == EXIT_START, lines
    *log, line = lines
    assert all(" INFO " in each or " WARNING " in each for each in log), lines
    assert line.startswith("twinplane-agent: ")
    return line


def test_a_second_agent_on_the_same_state_directory(agent: Agent) -> None:
    line = the_line(agent.refused(LISTEN_ADDRESSES="127.0.0.1:9399"))
    assert agent.process is not None
    assert f"{agent.state_dir} is in use by another agent (process {agent.process.pid})" in line
    assert "stop that one or set agent.state_dir" in line


def test_a_port_in_use(agent: Agent, candidate: Agent) -> None:
    line = the_line(candidate.refused(LISTEN_ADDRESSES=agent.address))
    assert f"cannot listen on {agent.address}: Address already in use" in line
    assert "set another address" in line


def test_an_address_of_another_host(candidate: Agent) -> None:
    line = the_line(candidate.refused(LISTEN_ADDRESSES="192.0.2.77:9339"))
    assert "cannot listen on 192.0.2.77:9339: Cannot assign requested address" in line


def test_an_address_that_is_none(candidate: Agent) -> None:
    line = the_line(candidate.refused(LISTEN_ADDRESSES="nowhere"))
    assert "listen.addresses: 'nowhere' is no address" in line
    assert "write host:port" in line
    assert not candidate.state_dir.exists(), "refused before anything is touched"


def test_a_host_that_has_no_address(candidate: Agent) -> None:
    line = the_line(candidate.refused(LISTEN_ADDRESSES="nowhere.invalid:9339"))
    assert "cannot listen on nowhere.invalid:9339: " in line
    assert "write host:port" in line


def test_a_file_in_the_way_of_the_state_directory(candidate: Agent) -> None:
    candidate.state_dir.write_text("x")
    line = the_line(candidate.refused())
    assert f"cannot write state directory {candidate.state_dir}: File exists" in line
    assert "set agent.state_dir" in line


def test_a_state_directory_that_cannot_be_written(candidate: Agent) -> None:
    candidate.state_dir.mkdir()
    prefix = without(f"mount -t tmpfs -o ro tmpfs {candidate.state_dir}")
    line = the_line(candidate.refused(*prefix))
    assert f"cannot write state directory {candidate.state_dir}: Read-only file system" in line
    assert "set agent.state_dir" in line


def test_a_full_disk(candidate: Agent) -> None:
    candidate.state_dir.mkdir()
    mount = f"mount -t tmpfs -o size=64k tmpfs {candidate.state_dir}"
    fill = f"dd if=/dev/zero of={candidate.state_dir}/filler bs=4k 2>/dev/null || true"
    line = the_line(candidate.refused(*without(mount, fill)))
    assert "No space left on device" in line


def test_a_state_directory_of_a_later_version(candidate: Agent) -> None:
    candidate.state_dir.mkdir()
    (candidate.state_dir / "VERSION").write_text("2\n")
    line = the_line(candidate.refused())
    assert "has layout '2', this version knows up to 1; install the version that wrote it" in line
    assert (candidate.state_dir / "VERSION").read_text() == "2\n"


def test_a_datastore_that_is_none(candidate: Agent) -> None:
    candidate.state_dir.mkdir()
    (candidate.state_dir / "twinplane.db").write_bytes(b"not a database at all" * 100)
    line = the_line(candidate.refused())
    assert str(candidate.state_dir / "twinplane.db") in line


def test_libvirt_missing(candidate: Agent) -> None:
    folder = "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver"
    line = the_line(candidate.refused(*without(f"mount -t tmpfs tmpfs {folder}")))
    assert "libvirt's QEMU driver is missing (apt-get install libvirt-daemon-system" in line


def test_qemu_missing(candidate: Agent) -> None:
    hide = "mount --bind /dev/null $(readlink -f /usr/bin/qemu-system-x86_64)"
    line = the_line(candidate.refused(*without(hide)))
    assert "qemu-system-x86_64 is missing (apt-get install qemu-system-x86)" in line


def test_the_account_of_guests_missing(candidate: Agent) -> None:
    passwd = candidate.root / "passwd"
    passwd.write_text("root:x:0:0:root:/root:/bin/sh\n")
    line = the_line(candidate.refused(*without(f"mount --bind {passwd} /etc/passwd")))
    assert "the user libvirt-qemu does not exist" in line
    assert "apt-get install libvirt-daemon-system" in line


def test_a_kernel_without_taps(candidate: Agent) -> None:
    line = the_line(candidate.refused(*without("mount -t tmpfs tmpfs /dev/net")))
    assert "tun: " in line
    assert "/dev/net/tun" in line
    assert "remedy: " in line


def test_without_root(candidate: Agent) -> None:
    # The namespace is entered as root; what runs in it is somebody else, who may read a checkout below /root.
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    candidate.root.chmod(0o777)
    prefix_of_command = candidate.command
    candidate.command = (
        lambda *arguments: (  # type: ignore[method-assign]
            *candidate.place.command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reading),
            *prefix_of_command(*arguments)[3:],
        )
    )
    line = the_line(candidate.refused())
    assert "root" in line


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda state: (state / "users.toml").write_text("[[user]]\n"),
            "users.toml: user 1: name is missing",
        ),
        (lambda state: (state / "instance-id").write_text("me\n"), "does not hold a UUID; restore it"),
    ],
    ids=["users", "instance"],
)
def test_files_of_the_state_directory_that_are_spoilt(
    candidate: Agent, spoil: Callable[[Path], object], words: str
) -> None:
    candidate.state_dir.mkdir()
    spoil(candidate.state_dir)
    assert words in the_line(candidate.refused())


def test_models_that_are_not_there(candidate: Agent) -> None:
    line = the_line(candidate.refused(AGENT_YANG_DIR="/nowhere"))
    assert "/nowhere" in line


def test_after_a_refusal_nothing_is_left(agent: Agent, candidate: Agent) -> None:
    devices = candidate.place.ip("-oneline", "link")
    the_line(candidate.refused(LISTEN_ADDRESSES=agent.address))
    assert candidate.place.ip("-oneline", "link") == devices
    assert list((candidate.state_dir / "run").iterdir()) == []
    candidate.start()
    assert candidate.stop() == 0


def test_the_supervisor_is_told(candidate: Agent) -> None:
    address = candidate.root / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(20)
        candidate.start(environ={"NOTIFY_SOCKET": str(address)})
        assert supervisor.recv(100) == b"READY=1"
        assert candidate.stop() == 0
        assert supervisor.recv(100) == b"STOPPING=1"


def test_what_is_secret_can_be_read_by_its_owner_only(agent: Agent) -> None:
    for file in ("tls/server.key", "tls/ca.key", "tls/admin.key", "users.toml", "twinplane.db"):
        assert stat.S_IMODE((agent.state_dir / file).stat().st_mode) & 0o077 == 0, file
    assert stat.S_IMODE((agent.state_dir / "run/admin.sock").stat().st_mode) == 0o600
    assert os.access(agent.state_dir / "tls/ca.pem", os.R_OK)
