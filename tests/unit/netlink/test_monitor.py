"""A storm of events: taken in bounded batches between which others have their turn, the last word of each
device alone."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Iterator

import pytest

from twinplane.netlink.link import RTM_DELLINK, RTM_NEWLINK, LinkRow
from twinplane.netlink.message import attribute
from twinplane.netlink.monitor import LinkGoneEvent, Monitor, TrafficEvent
from twinplane.netlink.traffic import RTM_NEWQDISC

DEVICE = 7


def event(kind: int, body: bytes) -> bytes:
    """One datagram as the kernel sends it (struct nlmsghdr)."""
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def link(index: int, name: str, *, up: bool) -> bytes:
    """RTM_NEWLINK of a device."""
    body = struct.pack("=BxHiII", 0, 1, index, int(up), 0) + attribute(3, name.encode() + b"\0")
    return event(RTM_NEWLINK, body)


def gone(index: int) -> bytes:
    """RTM_DELLINK of a device."""
    return event(RTM_DELLINK, struct.pack("=BxHiII", 0, 1, index, 0, 0))


def traffic(index: int) -> bytes:
    """RTM_NEWQDISC of a device."""
    return event(RTM_NEWQDISC, struct.pack("=BxxxiIII", 0, index, 0, 0, 0))


@pytest.fixture
def kernel() -> Iterator[tuple[Monitor, socket.socket]]:
    """A subscription, and the other end of its socket."""
    monitor = Monitor()
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    monitor._socket = near
    yield monitor, far
    monitor.close()
    far.close()


def test_others_have_their_turn_however_fast_events_come(kernel: tuple[Monitor, socket.socket]) -> None:
    monitor, far = kernel
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def storm() -> list[int]:
        seen = []
        task = asyncio.create_task(other())
        for round_ in range(5):
            far.send(link(DEVICE, "flap", up=bool(round_ % 2)))  # there is always something to receive
            await monitor.receive()
            seen.append(turns)
        task.cancel()
        return seen

    seen = asyncio.run(storm())
    assert seen[0] > 0
    assert all(late > early for early, late in itertools.pairwise(seen))


def test_of_one_device_only_the_last_word_counts(kernel: tuple[Monitor, socket.socket]) -> None:
    monitor, far = kernel
    for message in (
        link(DEVICE, "flap", up=True),
        link(8, "other", up=True),
        traffic(DEVICE),
        link(DEVICE, "flap", up=False),
        traffic(DEVICE),
    ):
        far.send(message)
    other, flap, shaped = asyncio.run(monitor.receive())
    assert isinstance(other, LinkRow) and (other.name, other.up) == ("other", True)
    assert isinstance(flap, LinkRow) and (flap.name, flap.up) == ("flap", False)
    assert shaped == TrafficEvent(DEVICE)


def test_what_is_gone_parts_what_was_from_what_comes(kernel: tuple[Monitor, socket.socket]) -> None:
    monitor, far = kernel
    for message in (link(DEVICE, "old", up=True), gone(DEVICE), link(DEVICE, "new", up=True)):
        far.send(message)
    old, end, new = asyncio.run(monitor.receive())
    assert isinstance(old, LinkRow) and old.name == "old"
    assert end == LinkGoneEvent(DEVICE)
    assert isinstance(new, LinkRow) and new.name == "new"
