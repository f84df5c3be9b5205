"""The disk under the state directory is full, or the kernel makes it read-only while the agent runs.

Writes are refused and say so, nothing is lost and nothing half done; reading goes on, and so do the guests.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from e2e.place import Place, tool
from fault.snapshot import Snapshot, take
from hypervisor.scenario import end_guests
from twinplane_client import Client, TwinplaneError, UnavailableError

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(180)]

SIZE = 160 << 20
SECOND, WAN = "/appliances/appliance[name=fw2]", switch_path("wan")
GUARANTEE = f"{APPLIANCE}/compute/share/config/guarantee"


class Disk:
    """An ext4 file system of its own under the state directory of an agent."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._image = agent.root / "disk"
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        # Without reserve: root is not to find room where others do not.
        tool("mkfs.ext4", "-q", "-m", "0", "-e", "remount-ro", str(self._image))
        agent.state_dir.mkdir()
        self._ballast = agent.state_dir / "ballast"
        self.mount()

    def mount(self) -> None:
        """Mount it."""
        tool("mount", "-o", "loop", str(self._image), str(self._agent.state_dir))
        self._agent.state_dir.chmod(0o711)

    def unmount(self) -> None:
        """End who is on it, and unmount it."""
        self._agent.stop()
        end_guests(self._agent.state_dir)
        until(lambda: not tool_fails("umount", str(self._agent.state_dir)), "the disk is unmounted")

    def mend(self) -> None:
        """What follows a fault: check the disk and mount it again. A copy of it: a guest that just ends may
        hold the old one."""
        self.unmount()
        old, self._image = self._image, self._image.with_name("mended")
        shutil.copyfile(old, self._image)
        tool("e2fsck", "-p", "-f", str(self._image), check=False)  # 1: it mended something
        self.mount()

    def fill(self, room: int = 0) -> None:
        """Leave so many bytes, or not one block."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 10, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    os.fsync(file.fileno())
            file.truncate(file.tell() - room)
            os.fsync(file.fileno())

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)
        # Else a fault that stops the disk in the next seconds would bring it back (ext4(5), commit).
        folder = os.open(self._agent.state_dir, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def fail(self) -> None:
        """Have the kernel find a fault, upon which it writes no more (ext4(5), errors=remount-ro)."""
        source = tool("findmnt", "--noheadings", "--output", "SOURCE", str(self._agent.state_dir)).strip()
        Path(f"/sys/fs/ext4/{Path(source).name}/trigger_fs_error").write_text("1\n")


def tool_fails(*arguments: str) -> bool:
    """Whether a command fails."""
    return subprocess.run(arguments, capture_output=True, check=False).returncode != 0


@pytest.fixture(scope="module")
def agent(images: Path) -> Iterator[Agent]:
    """An agent that does not run yet."""
    with Place() as place, Agent(place, images) as agent:
        yield agent


@pytest.fixture(scope="module")
def disk(agent: Agent, images: Path) -> Iterator[Disk]:
    """What it keeps its state on; it runs now, and one appliance with it."""
    disk = Disk(agent)
    try:
        agent.start()
        document = appliance("fw1", vnic("eth0", 0, "lan"))
        document["compute"] = {"share": {"config": {"guarantee": 200}}}
        with agent.client() as client:
            client.set(replace={IMAGE: image(images), switch_path("lan"): switch("lan"), APPLIANCE: document})
        yield disk
    finally:
        disk.unmount()


@pytest.fixture(autouse=True)
def logged(agent: Agent, disk: Disk) -> Iterator[None]:
    """What the agent wrote; shown where a test fails. Each begins with room on the disk."""
    start = agent.log.stat().st_size
    yield
    with agent.log.open(errors="replace") as log:
        log.seek(start)
        print(log.read())
    disk.free()


def refused(agent: Agent) -> None:
    """A change of the host and one of a share are refused for what the disk is, and reading goes on."""
    with agent.client() as client:
        for change in ({"replace": {WAN: switch("wan")}}, {"update": {GUARANTEE: 300}}):
            with pytest.raises(UnavailableError, match=r"twinplane\.db cannot be written") as raised:
                client.set(**change)
            assert "free some space or make it writable" in str(raised.value)
        assert value(client, GUARANTEE) == 200
        assert value(client, f"{APPLIANCE}/state/oper-status") == "RUNNING"


def accepts(client: Client) -> bool:
    """Whether a Set that changes nothing is accepted."""
    try:
        client.set(delete=["/interfaces/interface[name=nowhere]"])
    except TwinplaneError:
        return False
    return True


def found(agent: Agent) -> Snapshot:
    """The host and the datastore as they are."""
    return take(agent.place, agent.state_dir)


def same(now: Snapshot, before: Snapshot) -> None:
    """Nothing differs, and the guest is the same process."""
    assert not (difference := now.difference(before)), difference
    assert now.processes == before.processes


def test_a_full_disk(agent: Agent, disk: Disk) -> None:
    before = found(agent)
    disk.fill()
    refused(agent)
    same(found(agent), before)
    disk.free()
    with agent.client() as client:
        client.set(update={GUARANTEE: 300})
        assert value(client, f"{APPLIANCE}/compute/share/state/guarantee") == 300
        client.set(update={GUARANTEE: 200})


@pytest.mark.parametrize(
    "room", [96, *(pytest.param(room, marks=pytest.mark.long) for room in range(16, 257, 8))]
)
def test_a_disk_that_fills_up_amid_a_request(agent: Agent, disk: Disk, room: int) -> None:
    """Wherever it happens: all or nothing, at the latest as soon as there is room to undo it."""
    second = appliance("fw2", vnic("eth0", 0, "wan"))
    second["compute"] = {"share": {"config": {"guarantee": 100}}}
    before = found(agent)
    disk.fill(room << 10)
    with agent.client() as client:
        try:
            client.set(replace={WAN: switch("wan"), SECOND: second}, update={GUARANTEE: 250})
        except TwinplaneError as error:
            print(error)
            disk.free()
            until(lambda: accepts(client), "what could not be undone is repaired")
            same(found(agent), before)
            return
        assert value(client, f"{SECOND}/state/oper-status") == "RUNNING"
        disk.free()
        client.set(delete=[WAN, SECOND], update={GUARANTEE: 200})
    same(found(agent), before)


def test_a_start_on_a_full_disk(agent: Agent, disk: Disk) -> None:
    """Embedded libvirt would end the guests; the agent does not let it come to that."""
    before = found(agent)
    disk.fill()
    agent.stop(signal.SIGKILL)
    code, lines = agent.refused()
    assert code == 2
    assert "has no room" in lines[-1], lines
    assert "free some space; running guests were left alone" in lines[-1]
    same(found(agent), before)
    disk.free()
    agent.start()
    agent.wait_for("adopted 1 appliance: 0 netlink writes, 0 modifying")
    same(found(agent), before)


def test_a_disk_that_becomes_read_only(agent: Agent, disk: Disk) -> None:
    before = found(agent)
    disk.fail()
    refused(agent)
    same(found(agent), before)
    assert agent.stop() == 0
    disk.mend()
    agent.start()
    agent.wait_for("adopted")
    with agent.client() as client:
        assert value(client, f"{APPLIANCE}/state/oper-status") == "RUNNING"
        client.set(update={GUARANTEE: 300})
