"""The QEMU process of a domain, from libvirt's pid file and /proc; no call to libvirt."""

import os
import signal
import time
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


def guests(root: Path) -> dict[str, int]:
    """Domains of this root that have a QEMU, and its process id."""
    found = {file.stem: pid_of(root, file.stem) for file in (root / "run/qemu").glob("*.pid")}
    return {name: pid for name, pid in found.items() if pid is not None}


def end(root: Path, domain: str, patience: float = 5.0) -> None:
    """Kill the domain's QEMU, if there is one, and wait (at most `patience` seconds) until it has let go of
    all it held."""
    pid = pid_of(root, domain)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    limit = time.monotonic() + patience
    while pid_of(root, domain) == pid and time.monotonic() < limit:
        time.sleep(0.02)


def start_time(pid: int) -> int | None:
    """When the process started, in ns since the epoch (proc(5): /proc/pid/stat field 22), or None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return boot_time() + int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def cpu_time(pid: int) -> int | None:
    """CPU time of the process so far in ns, to the clock tick (fields 14 and 15), or None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
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
