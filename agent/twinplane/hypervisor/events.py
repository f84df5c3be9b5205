"""libvirt's own event loop in one thread; the only state of this room that belongs to the whole process.

libvirt has one event implementation per process and wants it before the first connection is opened
(virEventRegisterDefaultImpl).
"""

import functools
import logging
import threading

import libvirt

LOG = logging.getLogger(__name__)


@functools.cache
def run_event_loop() -> threading.Thread:
    """Register libvirt's event loop and run it in a thread of its own for as long as the process lives."""
    libvirt.virEventRegisterDefaultImpl()
    # Errors are raised as exceptions; without this libvirt prints them as well.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    # A timer makes the loop turn where nothing happens, so that what other threads add is never waited for.
    libvirt.virEventAddTimeout(1000, lambda _timer, _opaque: None, None)
    thread = threading.Thread(target=_run, name="libvirt-events", daemon=True)
    thread.start()
    return thread


def _run() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            LOG.exception("libvirt's event loop reported an error and goes on")
