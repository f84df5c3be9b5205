"""Records of running guests, as libvirt would find them at its next open."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinplane.hypervisor import process, status
from twinplane.hypervisor.status import UNKNOWN, Found, Verdict, clear_records, judge, recorded_pid

RECORD = """<!-- made by libvirt -->
<domstatus state='paused' reason='starting up' pid='{pid}'>
  <job type='none' async='start' phase='0'/>
  <domain type='qemu' id='1'><name>{name}</name></domain>
</domstatus>
"""
# A guest that libvirt started looks like this to whoever reads its command line.
QEMU = "import time; time.sleep(600)"
# One that is ending: the first thread ends (exit(2) ends a thread only), the other a moment after it is let.
ENDING = """
import ctypes, fcntl, os, pathlib, platform, sys, threading, time
file = pathlib.Path(sys.argv[-1])
held = file.open("a")
fcntl.lockf(held, fcntl.LOCK_EX)

def end():
    while not file.with_name("go-on").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    os._exit(0)

threading.Thread(target=end).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
"""
GONE = 2**22 + 1  # above every pid_max


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found("vma", 0), Verdict.PUT_AWAY),
        (Found("vma", 0, starting=40), Verdict.END),
        (Found("vma", 0, qemu=41), Verdict.END),
        (Found("vma", 0, earlier=True), Verdict.PUT_AWAY),
        (Found("vma", 41, taken=True, qemu=41), Verdict.LEAVE),
        (Found("vma", 41, taken=True, earlier=True, qemu=41), Verdict.LEAVE),
        (Found("vma", 41), Verdict.LEAVE),  # libvirt says that it has crashed
        (Found("vma", 41, taken=True), Verdict.PUT_AWAY),  # and would kill whoever has its pid
        (Found("vma", 41, earlier=True), Verdict.PUT_AWAY),
        (Found("vma", 41, taken=True, qemu=42), Verdict.LOST),
        (Found("vma", 41, taken=True, starting=41), Verdict.END),
        (Found("vma", UNKNOWN), Verdict.PUT_AWAY),
        (Found("vma", UNKNOWN, starting=40), Verdict.END),
        (Found("vma", UNKNOWN, qemu=41), Verdict.LEAVE),
    ],
    ids=str,
)
def test_a_record_is_judged_by_the_process_of_its_guest(found, verdict):
    assert judge(found)[0] is verdict


def test_a_guest_that_runs_and_was_recorded_is_never_ended():
    for recorded in (41, 42, UNKNOWN):
        for taken in (False, True):
            for earlier in (False, True):
                judged = judge(Found("vma", recorded, taken=taken, earlier=earlier, qemu=41))[0]
                assert judged in (Verdict.LEAVE, Verdict.LOST)


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        (RECORD.format(pid=0, name="vma"), 0),
        (RECORD.format(pid=815, name="vma"), 815),
        (RECORD.format(pid=815, name="vma")[:-20], UNKNOWN),
        (RECORD.format(pid="many", name="vma"), UNKNOWN),
        (RECORD.format(pid=-7, name="vma"), UNKNOWN),
        ("<domain type='qemu' pid='815'/>", UNKNOWN),
        ("<domstatus pid='815'/>", UNKNOWN),
        ("", UNKNOWN),
        ("\0\0\0\0", UNKNOWN),
    ],
)
def test_the_pid_of_a_record_is_read_from_a_whole_one_only(text, pid):
    assert recorded_pid(text.encode()) == pid


class Root:
    """A libvirt root with records, and processes that stand for guests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run/qemu"
        self.run.mkdir(parents=True)
        self.cleaned: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def record(self, name: str, pid: object) -> Path:
        file = self.run / f"{name}.xml"
        file.write_text(RECORD.format(pid=pid, name=name))
        return file

    def guest(self, name: str, root: Path | None = None, program: str = QEMU) -> "subprocess.Popen[bytes]":
        """A process that looks like the QEMU of a guest; its pid is in the pid file."""
        key = f"{root or self.path}/lib/qemu/domain-3-{name}/master-key.aes"
        words = ("-name", f"guest={name},debug-threads=on", "-object", f'{{"file":"{key}"}}')
        made = self._process(sys.executable, "-c", program, *words, str(self.run / f"{name}.pid"))
        (self.run / f"{name}.pid").write_text(f"{made.pid}\n")
        return made

    def stranger(self) -> "subprocess.Popen[bytes]":
        return self._process("sleep", "600")

    def _process(self, *command: str) -> "subprocess.Popen[bytes]":
        made = subprocess.Popen(command)
        self._processes.append(made)
        while not Path(f"/proc/{made.pid}/cmdline").read_bytes().startswith(command[0].encode()):
            pass
        return made

    def clear(self) -> None:
        clear_records(self.path, self.cleaned.append)

    def aside(self) -> list[str]:
        return sorted(file.name for file in (self.path / "aside").glob("*"))

    def end(self) -> None:
        for each in self._processes:
            each.kill()
            each.wait()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    made = Root(tmp_path / "libvirt")
    yield made
    made.end()


def test_a_start_that_was_cut_off_before_its_qemu_is_put_away(root):
    record = root.record("vma", 0)
    (root.run / "vma.pid").write_text(f"{GONE}\n")
    root.clear()
    assert not record.exists()
    assert not (root.run / "vma.pid").exists()
    assert root.aside() == ["vma.xml"]
    assert root.cleaned == ["vma"]


def test_a_qemu_that_was_not_recorded_is_ended(root):
    root.record("vma", 0)
    qemu = root.guest("vma")
    (root.run / "vma.pid").unlink()  # also where only its command line is left to say whose it is
    root.clear()
    assert qemu.wait(10) != 0
    assert root.aside() == ["vma.xml"]


def test_the_qemu_of_another_root_is_left_alone(root, tmp_path):
    root.record("vma", 0)
    qemu = root.guest("vma", tmp_path / "other")
    (root.run / "vma.pid").unlink()
    root.clear()
    assert qemu.poll() is None
    assert root.aside() == ["vma.xml"]


def test_a_process_that_was_to_become_a_qemu_is_ended(root):
    """It holds the pid file locked, as libvirt's child does before QEMU takes its place."""
    root.record("vma", 0)
    file = root.run / "vma.pid"
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with file.open("w") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX)
            os.write(told, b"x")
            while True:
                time.sleep(60)
    os.read(ready, 1)
    try:
        assert process.holder(root.path, "vma") == child
    finally:
        root.clear()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert not file.exists()
    assert root.aside() == ["vma.xml"]


def test_a_guest_that_runs_is_left_to_libvirt(root):
    qemu = root.guest("vma")
    record = root.record("vma", qemu.pid)
    before = record.read_bytes()
    root.clear()
    assert qemu.poll() is None
    assert record.read_bytes() == before
    assert (root.cleaned, root.aside()) == ([], [])


def test_a_pid_that_is_another_process_now_is_kept_from_libvirt(root):
    """It would kill that process when it cannot reach the guest."""
    stranger = root.stranger()
    root.record("vma", stranger.pid)
    root.clear()
    assert stranger.poll() is None
    assert root.aside() == ["vma.xml"]


def test_a_guest_that_has_ended_is_left_for_libvirt_to_say_so(root):
    record = root.record("vma", GONE)
    root.clear()
    assert record.exists()


def test_a_guest_that_has_ended_and_is_reaped_only_now_is_left_too(root):
    qemu = root.guest("vma")
    record = root.record("vma", qemu.pid)
    qemu.kill()
    os.waitid(os.P_PID, qemu.pid, os.WEXITED | os.WNOWAIT)
    threading.Timer(0.2, qemu.wait).start()
    root.clear()
    assert record.exists()


def test_a_guest_that_is_ending_is_left_too(root):
    """Its first thread has ended and another not yet: a zombie that still holds the lock of its pid file."""
    qemu = root.guest("vma", program=ENDING)
    record = root.record("vma", qemu.pid)
    while not (process.ended(qemu.pid) and process.holder(root.path, "vma") == qemu.pid):
        time.sleep(0.01)
    threading.Thread(target=qemu.wait).start()
    (root.run / "go-on").touch()
    root.clear()
    assert record.exists()


def test_a_process_that_was_killed_counts_as_ended_until_it_is_gone(root):
    killed = root.stranger()
    assert not process.ended(killed.pid)
    killed.kill()
    while not process.ended(killed.pid):
        pass
    killed.wait()
    assert not process.ended(killed.pid)


def test_a_guest_that_has_ended_and_is_never_reaped_is_put_away(root, monkeypatch):
    """libvirt would wait for its end."""
    monkeypatch.setattr(status, "REAPING", 0.1)
    qemu = root.guest("vma")
    root.record("vma", qemu.pid)
    qemu.kill()
    os.waitid(os.P_PID, qemu.pid, os.WEXITED | os.WNOWAIT)
    root.clear()
    assert root.aside() == ["vma.xml"]


def test_after_a_boot_no_pid_means_anything(root, tmp_path, monkeypatch):
    boot = tmp_path / "boot_id"
    boot.write_text("one\n")
    monkeypatch.setattr(status, "BOOT_ID", boot)
    record = root.record("vma", GONE)
    root.clear()
    assert record.exists()
    boot.write_text("another\n")
    root.clear()
    assert not record.exists()
    record = root.record("vma", GONE)
    root.clear()
    assert record.exists()


def test_a_record_that_cannot_be_read_goes_only_without_a_guest(root):
    qemu = root.guest("vma")
    for name in ("vma", "vmb"):
        (root.run / f"{name}.xml").write_text("<domstatus pid='1'>")
    root.clear()
    assert qemu.poll() is None
    assert (root.run / "vma.xml").exists()
    assert root.aside() == ["vmb.xml"]


def test_records_that_were_put_away_do_not_pile_up(root):
    for number in range(status.KEPT + 5):
        root.record(f"vm{number:02}", 0)
    root.clear()
    assert len(root.aside()) == status.KEPT
