"""libvirt's own event loop in one thread; the only state of this room that belongs to the whole process.

libvirt has one event implementation per process and wants it before the first connection is opened
(virEventRegisterDefaultImpl).
"""

import atexit
import functools
import logging
import threading

import libvirt

LOG = logging.getLogger(__name__)


@functools.cache
def run_event_loop() -> threading.Thread:
    """Register libvirt's event loop and run it in a thread of its own until the interpreter ends."""
    libvirt.virEventRegisterDefaultImpl()
    # Errors are raised as exceptions; without this libvirt prints them as well.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    # A timer makes the loop turn where nothing happens, so that what other threads add is never waited for.
    timer = libvirt.virEventAddTimeout(1000, lambda _timer, _opaque: None, None)
    ended = threading.Event()
    thread = threading.Thread(target=_run, args=(ended,), name="libvirt-events", daemon=True)
    thread.start()
    atexit.register(_end, thread, timer, ended)
    return thread


def _end(thread: threading.Thread, timer: int, ended: threading.Event) -> None:
    # libvirt calls back into Python from this thread: a segmentation fault once the interpreter is gone.
    ended.set()
    libvirt.virEventUpdateTimeout(timer, 0)
    thread.join(5)


def _run(ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            LOG.exception("libvirt's event loop reported an error and goes on")
