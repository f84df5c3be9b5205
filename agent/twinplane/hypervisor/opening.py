"""How long libvirt may take to open, and what is left when it does not.

An open takes 20 ms, unless libvirt has to ask QEMU what it can do: some seconds, and on a busy host a minute.
So it is waited for as long as it gets on: the thread that opens, or a QEMU that is being asked, uses
processor time.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from twinplane.errors import DriverError
from twinplane.hypervisor import process
from twinplane.hypervisor.probe import end_probes, probes

Result = TypeVar("Result")

PATIENCE = 30.0  # seconds without progress
LIMIT = 120.0  # seconds altogether; the unit file's TimeoutStartSec has room for it
LOOK = 0.5  # seconds between two looks
ENDING = 3.0  # seconds for libvirt to notice that the QEMUs it asks are gone
PACKAGES = "apt-get install libvirt-daemon-system qemu-system-x86"
MISSING = ("no connection driver", "failed to load", "failed to find")  # what libvirt says without its driver


async def finish(opening: "Future[Result]", root: Path, thread: Callable[[], int | None]) -> Result:
    """The result of an open that runs in a thread, whose id `thread` gives once it has begun.

    Where it does not succeed, no QEMU that was being asked is left, whatever the reason. Raises DriverError,
    with the remedy that fits, and what the open itself raises.
    """
    future = asyncio.wrap_future(opening)
    begun = last = time.monotonic()
    spent: dict[int, int] = {}
    try:
        while not (await asyncio.wait({future}, timeout=LOOK))[0]:
            now = time.monotonic()
            if (seen := await asyncio.to_thread(_effort, root, thread())) != spent:
                spent, last = seen, now
            if now - last > PATIENCE or now - begun > LIMIT:
                raise _given_up(round(now - begun), [pid for pid in spent if pid != thread()])
        return future.result()
    except BaseException:
        await _end_questions(future, root)
        raise


def remedy(message: str) -> str:
    """What helps against an error of libvirt's open; empty where its message has to say it all."""
    return PACKAGES if any(text in message.lower() for text in MISSING) else ""


def _given_up(seconds: int, asked: list[int]) -> DriverError:
    again = "start the agent again when the host is less busy"
    if not asked:
        return DriverError(f"libvirt did not open within {seconds} s", remedy=again, unknown=True)
    pids = ", ".join(map(str, asked))
    what = f"it was asking QEMU what it can do (process {pids}, ended now)"
    return DriverError(
        f"libvirt did not open within {seconds} s: {what}",
        remedy=f"{again}; if QEMU hangs each time, see what it waits for (/dev/kvm, a disk)",
        unknown=True,
    )


def _effort(root: Path, thread: int | None) -> dict[int, int]:
    """Processor time used by who works on an open, by their ids."""
    found = {pid: process.cpu_time(pid) for pid in probes(root)}
    if thread is not None:
        found[thread] = process.thread_time(thread)
    return {each: spent for each, spent in found.items() if spent is not None}


async def _end_questions(future: "asyncio.Future[Result]", root: Path) -> None:
    """End the QEMUs that are asked, and those that libvirt asks next for that, until its call returns."""
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    end = time.monotonic() + ENDING
    while True:
        await asyncio.to_thread(end_probes, root)
        if future.done() or time.monotonic() > end:
            return
        await asyncio.wait({future}, timeout=LOOK / 5)
