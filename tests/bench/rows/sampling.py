"""Sampling 1,000 vNICs every second: the agent's share of one core, against one bare dump a second.

1,000 taps in a namespace of its own, named and marked as those of 500 appliances with two vNICs each; a frame
goes into each of them every second, so that counters change. One client samples the vNICs' counters. The
floor is what asking the kernel for the same counters costs, the answer thrown away.
"""

import asyncio
import fcntl
import os
import resource
import struct
import subprocess
import time
from pathlib import Path as FilePath
from uuid import UUID

from bench import namespace
from bench.box import APPLIANCE_VNICS, appliance_name
from bench.client import admin, fill, folder, subscribe_request
from bench.process import started
from bench.report import Measurement, emit
from twinplane.model.appliance import vnic_path
from twinplane.model.names import alias, tap_name
from twinplane.netlink.counters import RTM_GETSTATS, stats_body
from twinplane.netlink.reader import Reader
from twinplane_wire.gnmi import gnmi_pb2

APPLIANCES = 500
SECONDS = 6
COUNTERS = "/appliances/appliance/vnics/vnic/state/counters"
_TUNSETIFF = 0x400454CA
_TAP, _NO_PI, _VNET_HDR = 0x0002, 0x1000, 0x4000
_FRAME = bytes(10) + b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(46)  # offload header, local experiment


async def main() -> None:
    namespace.enter_new()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with folder() as place:
        state = place / "s"
        async with started("bench.product", str(state)) as product, admin(product.greeting) as ours:
            await fill(ours, APPLIANCES)
        taps = make_taps(UUID((state / "instance-id").read_text().strip()), place / "batch")
        async with (
            started("bench.product", str(state), "network") as product,
            admin(product.greeting) as ours,
        ):
            stream = ours.stream_stream("/gnmi.gNMI/Subscribe")()
            await stream.write(subscribe_request((COUNTERS,), gnmi_pb2.SAMPLE, 1.0))
            reading = asyncio.ensure_future(read(stream))
            await asyncio.sleep(2.5)
            reader = Reader(5.0)
            used, bare = await product.cpu(), 0.0
            for _ in range(SECONDS):
                started_at = time.monotonic()
                for tap in taps:
                    os.write(tap, _FRAME)
                before = time.thread_time()
                await reader.dump(RTM_GETSTATS, stats_body(), "read the counters")
                bare += time.thread_time() - before
                await asyncio.sleep(1 - (time.monotonic() - started_at))
            used = await product.cpu() - used
            reading.cancel()
            reader.close()
    note = f"{len(taps)} taps"
    emit(
        Measurement(
            "Sampling 1,000 vNICs every second", 100 * used / SECONDS, "% of a core", 100 * bare / SECONDS,
            "≤ 10 %", note,
        )
    )  # fmt: skip


async def read(stream: object) -> None:
    """Throw away what comes."""
    while await stream.read():  # type: ignore[attr-defined]
        pass


def make_taps(instance: UUID, batch: FilePath) -> list[int]:
    """The taps of all vNICs, marked, up, and held open by their descriptors."""
    paths = [
        vnic_path(appliance_name(number), vnic) for number in range(APPLIANCES) for vnic in APPLIANCE_VNICS
    ]
    lines: list[str] = []
    taps: list[int] = []
    for path in paths:
        name = tap_name(instance, path)
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP | _NO_PI | _VNET_HDR))
        taps.append(descriptor)
        lines.append(f'link set dev {name} up alias "{alias(instance, path)}"')
    batch.write_text("\n".join(lines) + "\n")
    subprocess.run(["ip", "-batch", str(batch)], check=True)
    return taps


if __name__ == "__main__":
    asyncio.run(main())
