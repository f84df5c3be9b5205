"""QEMU processes that libvirt asks what they can do; they outlive an agent that is killed meanwhile.

libvirt makes a folder ``lib/qemu/qmp-<random>`` for each, whose name is in its command line, and removes it
when it has its answer. The ``qmp.pid`` in there is written a moment after the process began: not looked at.
"""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path


def probes(root: Path) -> list[int]:
    """The processes of the questioned QEMUs of this libvirt root."""
    mark = f"unix:{root}/lib/qemu/qmp-".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"qemu" in words[0] and any(word.startswith(mark) for word in words):
                found.append(int(process.name))
    return found


def end_probes(root: Path) -> None:
    """End the questioned QEMUs of this libvirt root and remove their folders; only where nobody is asking."""
    for pid in probes(root):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for folder in (root / "lib/qemu").glob("qmp-*"):
        shutil.rmtree(folder, ignore_errors=True)
