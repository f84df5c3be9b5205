"""The QEMU process of a domain, from libvirt's pid file and /proc; no call to libvirt."""

import fcntl
import json
import os
import re
import select
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def pid_of(root: Path, domain: str) -> int | None:
    """Process id of the domain's QEMU, or None where there is none (pid file absent or stale)."""
    try:
        pid = int((root / "run/qemu" / f"{domain}.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # A pid may have been given to another process since: QEMU has -name guest=<domain>,… on its command line.
    return pid if f"guest={domain},".encode() in command else None


def running(root: Path) -> dict[str, int]:
    """Every QEMU that is a guest of this root, by domain, whatever libvirt's own files say; one look at all
    processes."""
    pids = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return {domain: pid for pid in pids if (domain := guest(root, pid)) is not None}


def guest(root: Path, pid: int) -> str | None:
    """The domain whose QEMU this process is; None where it is not the QEMU of a guest of this root.

    A guest has ``-name guest=<domain>,…`` on its command line, and a key file below
    ``lib/qemu/domain-<number>-<domain>``."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    named = _NAME.search(command)
    if named is None:
        return None
    folder = rb"/lib/qemu/domain-[0-9]+-" + re.escape(named[1][:_FOLDER_NAME]) + rb"/"
    # as text, and as it is written in JSON
    texts = {str(root), json.dumps(str(root))[1:-1], json.dumps(str(root), ensure_ascii=False)[1:-1]}
    own = any(re.search(re.escape(os.fsencode(text)) + folder, command) for text in texts)
    return os.fsdecode(named[1]) if own else None


_NAME = re.compile(rb"\0-name\0guest=([^,\0]+)[,\0]")
_FOLDER_NAME = 20  # bytes of a domain's name in that of its folder, at most


def holder(root: Path, domain: str) -> int | None:
    """The process that holds the domain's pid file locked (fcntl(2), F_GETLK): its QEMU, or the process that
    is about to become it. None where nobody does."""
    try:
        descriptor = os.open(root / "run/qemu" / f"{domain}.pid", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return int(pid) if kind != fcntl.F_UNLCK and pid > 0 else None


_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, pid


def guests(root: Path) -> dict[str, int]:
    """Domains of this root that have a QEMU, and its process id."""
    found = {file.stem: pid_of(root, file.stem) for file in (root / "run/qemu").glob("*.pid")}
    return {name: pid for name, pid in found.items() if pid is not None}


def frozen(root: Path, domain: str) -> int | None:
    """Process id of the domain's QEMU where somebody has stopped it (SIGSTOP, a debugger): it executes
    nothing, and no question to it is answered until it goes on (proc(5): state T or t in /proc/pid/stat)."""
    pid = pid_of(root, domain)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return pid if fields[0] in ("T", "t") else None


def ended(pid: int) -> bool:
    """Whether the process has ended and only waits to be reaped, or is ending: it exits, or was killed and
    has yet to notice (proc(5): state and flags in /proc/pid/stat, SigPnd and ShdPnd in /proc/pid/status)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    pending = sum(1 << (signal.SIGKILL - 1) & int(each, 16) for each in _PENDING.findall(status))
    return fields[0] == "Z" or bool(int(fields[6]) & _EXITING) or pending != 0


_PENDING = re.compile(r"^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$", re.MULTILINE)
_EXITING = 0x4  # PF_EXITING (Linux include/linux/sched.h)


def end(root: Path, domain: str, patience: float = 2.0) -> bool:
    """Kill the domain's QEMU, if there is one, and wait (at most `patience` seconds) until it has let go of
    all it held; whether it has."""
    pid = pid_of(root, domain)
    if pid is not None:
        kill(pid, patience, unless=lambda: pid_of(root, domain) != pid)
    return pid_of(root, domain) is None


def kill(pid: int, patience: float = 5.0, *, unless: Callable[[], bool] = lambda: False) -> None:
    """Kill a process and wait (at most `patience` seconds) for its end. `unless` is asked when the process is
    held fast (pidfd_open(2)), so that its number cannot be given to another any more."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if unless():
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(patience * 1000)
    finally:
        os.close(descriptor)


def start_time(pid: int) -> int | None:
    """When the process started, in ns since the epoch (proc(5): /proc/pid/stat field 22), or None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return boot_time() + int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_time(pid: int) -> int | None:
    """CPU time of the process so far in ns, to the clock tick (fields 14 and 15), or None if gone."""
    return _spent(Path(f"/proc/{pid}/stat"))


def thread_time(thread: int) -> int | None:
    """The same of a thread of this process."""
    return _spent(Path(f"/proc/self/task/{thread}/stat"))


def _spent(file: Path) -> int | None:
    try:
        fields = file.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int | None:
    """Bytes of memory the process holds now (proc(5): /proc/pid/statm, field 2), or None if gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def boot_time() -> int:
    """When the host booted, in ns since the epoch (proc(5): btime of /proc/stat)."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * 1_000_000_000
    raise OSError("/proc/stat has no btime")
