"""The agent, in a process that tells on standard error when it blocks its loop while it serves.

Beside what Python announces these are the calls of libvirt, which wait for QEMU. E2E_RENEWAL in the
environment is how often (in seconds) it looks at its certificates, which otherwise it does every hour.
"""

import os
import sys

from doubles.blocking import Watch
from twinplane import __main__ as command
from twinplane import app, credentials
from twinplane.hypervisor.connection import libvirt  # told where to log before it is imported

MARK = "BLOCKED"


def main() -> None:
    """As `twinplane-agent` with the same arguments."""
    watch = Watch(lambda text: print(f"{MARK} {text}", file=sys.stderr, flush=True))
    for kind in (libvirt.virConnect, libvirt.virDomain, libvirt.virStream):
        watch.wrap(kind)
    announce = app.notify

    def notify(state: str) -> None:
        announce(state)
        watch.on = state == "READY=1"

    app.notify = notify
    credentials.INTERVAL = float(os.environ.get("E2E_RENEWAL", credentials.INTERVAL))
    command.main()


if __name__ == "__main__":
    main()
