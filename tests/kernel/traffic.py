"""Traffic for measurements: a TCP stream between two namespaces, and frames through a tap."""

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from kernel.namespace import Namespace

# Of 1,514 bytes on the wire 1,448 are payload of a TCP stream with time stamps.
ON_WIRE = 1514 / 1448


class Stream:
    """A TCP stream from one namespace to an address in another, until `stop`."""

    def __init__(self, source: Namespace, sink: Namespace, address: str) -> None:
        self.received = 0
        self._ended = threading.Event()
        listener: socket.socket = sink.run(lambda: socket.create_server((address, 5001)))
        self._sink: Future[None] = sink.start(lambda: self._receive(listener))
        self._source: Future[None] = source.start(lambda: self._send(address))

    def measure(self, seconds: float, settle: float = 0.5) -> float:
        """The rate in bit/s on the wire, over `seconds` after a time to settle."""
        time.sleep(settle)
        octets, start = self.received, time.monotonic()
        time.sleep(seconds)
        return (self.received - octets) * 8 * ON_WIRE / (time.monotonic() - start)

    def stop(self) -> None:
        """End both sides."""
        self._ended.set()
        self._source.result(20)  # first: the receiver goes on reading until the sender has closed
        self._sink.result(20)

    def _send(self, address: str) -> None:
        with socket.create_connection((address, 5001), timeout=5) as sender:
            sender.setblocking(False)
            block = bytes(65536)
            while not self._ended.is_set():
                if select.select([], [sender], [], 0.1)[1]:
                    sender.send(block)
            # what still waits in the queue is of no interest: reset instead of close
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _receive(self, listener: socket.socket) -> None:
        with listener:
            listener.settimeout(10)
            receiver, _ = listener.accept()
        with receiver:
            receiver.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                while block := receiver.recv(1 << 20):
                    self.received += len(block)


def attach_tap(name: str) -> int:
    """The descriptor of an existing tap, as a hypervisor opens it (without offloads: plain frames)."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x0002 | 0x1000))
    return tun


def pace(send: Callable[[], object], per_second: int, seconds: float) -> None:
    """Call `send` that often, evenly; what it cannot take is lost."""
    start, sent = time.monotonic(), 0
    while (passed := time.monotonic() - start) < seconds:
        while sent < passed * per_second:
            with contextlib.suppress(BlockingIOError):
                send()
            sent += 1
        time.sleep(0.001)
