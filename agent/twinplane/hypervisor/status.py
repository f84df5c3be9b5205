"""libvirt's records of running guests (status files), looked at before libvirt reads them.

libvirt writes ``run/qemu/<domain>.xml`` before it starts QEMU, with pid 0, and again once it knows the pid.
When it is killed in between, its next open takes a guest for active that has no process, and holds the lock
of that start for good. And where it cannot reach the monitor of a recorded guest, it kills the recorded pid,
whoever has that by now: after a reboot any process of the host. So a record whose process is not there is put
away, in ``aside/``, before libvirt opens. A guest whose QEMU runs is left to libvirt, with one exception: a
QEMU that was not recorded yet has never run its vCPUs and nobody can take it over, so that it is ended.
"""

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from xml.etree import ElementTree

from twinplane.hypervisor import process

log = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BOOT = "boot-id"  # of the boot in which records were looked at last
ASIDE = "aside"
KEPT = 20  # records put away, the newest
UNKNOWN = -1
REAPING = 2.0  # seconds


class Verdict(Enum):
    """What becomes of a record."""

    LEAVE = "leave"  # its QEMU runs, or libvirt finds out by itself, harmlessly, that it has ended
    PUT_AWAY = "put away"  # there is no such guest
    END = "end"  # the start was not over: end what there is of it, then put the record away
    LOST = "lost"  # the guest runs and the record is of no use: the guest is left alone


@dataclass(frozen=True, slots=True)
class Found:
    """A record and what there is of its guest. `recorded` is the pid that it names (0: not started yet;
    `UNKNOWN`: it cannot be read), `taken` whether any process has that pid, `earlier` whether it was written
    before the host booted. `qemu` is the guest's QEMU, `starting` a process that was to become it."""

    domain: str
    recorded: int
    taken: bool = False
    earlier: bool = False
    qemu: int | None = None
    starting: int | None = None


def judge(found: Found) -> tuple[Verdict, str]:
    """The verdict and its reason, in words. Pure."""
    if found.qemu is not None:
        if found.recorded == found.qemu:
            return Verdict.LEAVE, ""
        if found.recorded == 0:
            return (
                Verdict.END,
                f"its start was interrupted before its QEMU (process {found.qemu}) was recorded",
            )
        if found.recorded == UNKNOWN:
            return Verdict.LEAVE, f"it cannot be read; its QEMU (process {found.qemu}) goes on running"
        why = f"it names process {found.recorded}; its QEMU is process {found.qemu} and goes on running"
        return Verdict.LOST, why
    if found.starting is not None:
        return Verdict.END, f"its start was interrupted (process {found.starting} is left of it)"
    if found.recorded == UNKNOWN:
        return Verdict.PUT_AWAY, "it cannot be read and its guest does not run"
    if found.recorded == 0:
        return Verdict.PUT_AWAY, "its start was interrupted before there was a QEMU"
    if found.earlier:
        return Verdict.PUT_AWAY, "it was written before the host booted"
    if found.taken:
        return Verdict.PUT_AWAY, f"process {found.recorded}, which it names, is not its QEMU"
    return Verdict.LEAVE, ""


def recorded_pid(text: bytes) -> int:
    """The pid that a status file names; `UNKNOWN` where it is not a whole status file."""
    try:
        root = ElementTree.fromstring(text)
        pid = int(root.get("pid", ""))
    except (ElementTree.ParseError, ValueError):
        return UNKNOWN
    return pid if root.tag == "domstatus" and root.find("domain") is not None and pid >= 0 else UNKNOWN


def clear_records(root: Path, clean: Callable[[str], None]) -> None:
    """Judge every record of the libvirt root and do what the verdict says; only while libvirt is not open.
    `clean` removes what else is left of a domain without a process. Raises OSError."""
    records = sorted((root / "run/qemu").glob("*.xml"))
    running = process.running(root) if records else {}
    boot, note = BOOT_ID.read_text(), root / BOOT
    # Clocks cannot say whether the host booted since (random(4): boot_id): they may be set.
    earlier = note.exists() and note.read_text(errors="replace") != boot
    for record in records:
        found = _look(root, record, running, earlier=earlier)
        verdict, why = judge(found)
        if why:
            log.warning("libvirt's record of guest %s is %s: %s", found.domain, _DONE[verdict], why)
        if verdict is Verdict.END:
            _end(root, found)
        if verdict is not Verdict.LEAVE:
            _put_away(root, record)
        if verdict in (Verdict.END, Verdict.PUT_AWAY):
            record.with_suffix(".pid").unlink(missing_ok=True)
            clean(found.domain)
    if earlier or not note.exists():
        note.write_text(boot)


_DONE = {
    Verdict.LEAVE: "left as it is",
    Verdict.PUT_AWAY: "put away",
    Verdict.END: "put away, and what was started is ended",
    Verdict.LOST: "put away",
}


def _look(root: Path, record: Path, running: dict[str, int], *, earlier: bool) -> Found:
    domain = record.stem
    recorded = recorded_pid(record.read_bytes())
    taken = recorded > 0 and _taken(recorded)  # first: one that was ending has ended then
    holder = process.holder(root, domain)
    qemu = running.get(domain)
    if qemu is None or process.guest(root, qemu) != domain:
        qemu = process.pid_of(root, domain)
    return Found(
        domain,
        recorded,
        taken=taken,
        earlier=earlier,
        qemu=qemu,
        starting=holder if qemu is None else None,
    )


def _taken(pid: int) -> bool:
    """Whether a process has this pid. One that is ending or not reaped yet is waited for: it still holds its
    files, and libvirt says why a guest has ended, but waits long for a process that it cannot kill."""
    end = time.monotonic() + REAPING
    while process.ended(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return Path(f"/proc/{pid}").exists()


def _end(root: Path, found: Found) -> None:
    """End what is left of a start; each pid is looked at once more when it is held fast."""
    if (qemu := found.qemu) is not None:
        process.kill(qemu, unless=lambda: process.guest(root, qemu) != found.domain)
    if (child := found.starting) is not None:
        process.kill(child, unless=lambda: process.holder(root, found.domain) != child)


def _put_away(root: Path, record: Path) -> None:
    aside = root / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    shutil.move(record, aside / record.name)
    (aside / record.name).touch()
    kept = sorted(aside.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for file in kept[:-KEPT]:
        file.unlink()
