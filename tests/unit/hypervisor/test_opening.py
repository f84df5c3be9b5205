"""How long an open of libvirt is waited for; processes that look like a QEMU that is being asked."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from twinplane.errors import DriverError
from twinplane.hypervisor import connection, opening
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.lane import Limits
from twinplane.hypervisor.probe import probes
from twinplane.hypervisor.root import EmbeddedRoot

IDLE, BUSY = "import time\ntime.sleep(600)", "while True: pass"


class Questions:
    """What libvirt does in its open: it asks QEMUs one after the other, each of which `does` something, and
    returns when each has ended or it is `enough`."""

    def __init__(self, root: Path, does: str, count: int) -> None:
        self.root = root
        self.enough = threading.Event()
        self._does = does
        self._count = count
        # its name has to say what it is
        self._program = root / "qemu-system-x86_64"
        self._program.symlink_to(sys.executable)

    def open(self, _: str) -> str:
        for number in range(self._count):
            mark = f"unix:{self.root}/lib/qemu/qmp-{number}/qmp.monitor,server=on"
            asked = subprocess.Popen([self._program, "-S", "-E", "-c", self._does, mark])
            while asked.poll() is None and not self.enough.is_set():
                time.sleep(0.01)
            asked.kill()
            asked.wait()
        return "open"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(connection, "run_event_loop", lambda: None)
    monkeypatch.setattr(opening, "LOOK", 0.05)
    yield tmp_path
    assert probes(tmp_path) == []


def opened(root: Path, work: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(libvirt, "open", work)
    made = Connection(EmbeddedRoot(root, "root", 0), Limits(deadline=0.1))

    async def scenario() -> object:
        try:
            return await made._opened()
        finally:
            made.dismiss()

    return asyncio.run(scenario())


def test_an_open_that_asks_a_qemu_which_does_nothing_is_given_up(root, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.5)
    with pytest.raises(DriverError, match="asking QEMU what it can do") as given_up:
        opened(root, Questions(root, IDLE, 3).open, monkeypatch)
    assert "apt-get" not in given_up.value.remedy
    assert "less busy" in given_up.value.remedy


def test_an_open_is_waited_for_as_long_as_a_qemu_works(root, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE", 1.0)
    questions = Questions(root, BUSY, 1)
    threading.Timer(3.0, questions.enough.set).start()
    assert opened(root, questions.open, monkeypatch) == "open"


def test_but_not_for_ever(root, monkeypatch):
    monkeypatch.setattr(opening, "LIMIT", 1.0)
    with pytest.raises(DriverError, match="asking QEMU what it can do"):
        opened(root, Questions(root, BUSY, 2).open, monkeypatch)


def test_an_open_that_does_nothing_at_all_is_given_up(root, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.3)
    monkeypatch.setattr(opening, "ENDING", 0.1)
    enough = threading.Event()
    try:
        with pytest.raises(DriverError, match="did not open within") as given_up:
            opened(root, lambda _: enough.wait(60), monkeypatch)
        assert given_up.value.unknown
        assert "apt-get" not in given_up.value.remedy
    finally:
        enough.set()


def test_a_start_that_is_interrupted_leaves_no_qemu(root, monkeypatch):
    questions = Questions(root, IDLE, 2)
    monkeypatch.setattr(libvirt, "open", questions.open)
    made = Connection(EmbeddedRoot(root, "root", 0))

    async def scenario() -> None:
        task = asyncio.create_task(made._opened())
        while not probes(root):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        made.dismiss()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("no connection driver available for qemu:///embed?root=/x", opening.PACKAGES),
        ("Failed to load module '/usr/lib/libvirt_driver_qemu.so'", opening.PACKAGES),
        ("Failed to acquire pid file '/x/run/qemu/driver.pid'", ""),
    ],
)
def test_packages_are_the_remedy_only_where_they_are_missing(root, monkeypatch, said, remedy):
    def refuse(_: str) -> None:
        raise libvirt.libvirtError(said)

    with pytest.raises(DriverError, match=said.split(" ")[0]) as refused:
        opened(root, refuse, monkeypatch)
    assert refused.value.remedy == remedy
