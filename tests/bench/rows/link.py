"""ON_CHANGE: how much later than a bare netlink listener a client hears of a link that goes down or up.

One device in a namespace of its own is switched by an ioctl. The listener is a thread that waits for the
kernel's announcement and does nothing with it; the client reads a stream of the agent over a Unix socket.
"""

import asyncio
import fcntl
import socket
import struct
import subprocess
import threading
import time

import grpc

from bench import namespace
from bench.client import admin, folder, subscribe_request
from bench.process import started
from bench.report import Measurement, emit
from bench.timing import p50, p99

DEVICE = "link0"
SWITCHES = 300
PAUSE = 0.01
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_RTMGRP_LINK = 1


class Listener:
    """Notes when the kernel's announcements come."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, _RTMGRP_LINK))
        self.heard: list[int] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            self._socket.recv(1 << 16)
            self.heard.append(time.perf_counter_ns())


def switch(control: socket.socket, up: bool) -> None:
    """Switch the device (netdevice(7))."""
    request = struct.pack("16sH22x", DEVICE.encode(), 0)
    flags = struct.unpack_from("16sH", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
    flags = flags | _IFF_UP if up else flags & ~_IFF_UP
    fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", DEVICE.encode(), flags))


async def main() -> None:
    namespace.enter_new()
    subprocess.run(["ip", "link", "add", DEVICE, "type", "veth", "peer", "name", "link1"], check=True)
    floor: list[float] = []
    later: list[float] = []
    with folder() as place, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        listener = Listener()
        async with (
            started("bench.product", str(place / "s"), "network") as product,
            admin(product.greeting) as ours,
        ):
            path = f"/interfaces/interface[name={DEVICE}]/state/admin-status"
            stream = ours.stream_stream("/gnmi.gNMI/Subscribe")()
            await stream.write(subscribe_request((path,)))
            await stream.read()
            await stream.read()
            for number in range(SWITCHES):
                await asyncio.sleep(PAUSE)
                listener.heard.clear()
                start = time.perf_counter_ns()
                switch(control, number % 2 == 0)
                answer = await stream.read()
                end = time.perf_counter_ns()
                assert answer is not grpc.aio.EOF
                while not listener.heard:  # its thread may not have had its turn yet
                    await asyncio.sleep(0)
                floor.append((listener.heard[0] - start) / 1e6)
                later.append((end - start) / 1e6 - floor[-1])
            stream.cancel()
    both = [early + late for early, late in zip(floor, later, strict=True)]
    for name, of, aim in (("p50", p50, "≤ 2 ms over it"), ("p99", p99, "≤ 10 ms over it")):
        note = f"{of(later):.2f} ms over it"
        emit(Measurement(f"ON_CHANGE, link event to client, {name}", of(both), "ms", of(floor), aim, note))


if __name__ == "__main__":
    asyncio.run(main())
