"""QEMU processes that libvirt asks what they can do; they outlive an agent that is killed meanwhile.

libvirt makes a folder ``lib/qemu/qmp-<random>`` with ``qmp.pid`` for each and removes both when it has its
answer.
"""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path


def end_probes(root: Path) -> None:
    """End the questioned QEMUs of this libvirt root and remove their folders; only where nobody is asking."""
    for folder in (root / "lib/qemu").glob("qmp-*"):
        with suppress(OSError, ValueError):
            pid = int((folder / "qmp.pid").read_text())
            # The pid may have been given to somebody else since.
            if f"{folder}/".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
