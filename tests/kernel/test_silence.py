"""The host is not a neighbour of its guests: it neither answers on a bridge nor takes anything from it."""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from kernel.host import BRIDGE, INSTANCE, addresses, tool
from kernel.namespace import Namespace, isolated
from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.port import PortDriver
from twinplane.netlink.connection import Connection
from twinplane.plan.resource import Port

pytestmark = pytest.mark.kernel

GUEST_MAC = bytes.fromhex("020000000b01")
PLAIN_MAC = "02:aa:00:00:00:09"
HOST_ADDRESS, GUEST_ADDRESS = "192.0.2.1", "192.0.2.2"


def plug_guest(bridge: str, guest: Namespace) -> None:
    """A veth between the bridge and the namespace, where it is called guest; no address on it."""
    tool("ip", "link", "add", f"{bridge}-v", "type", "veth", "peer", "name", f"{bridge}-g")
    tool("ip", "link", "set", f"{bridge}-v", "addrgenmode", "none")
    tool("ip", "link", "set", f"{bridge}-v", "master", bridge, "up")
    tool("ip", "link", "set", f"{bridge}-g", "netns", f"/proc/{os.getpid()}/fd/{guest.descriptor}")
    guest.run(lambda: tool("ip", "link", "set", f"{bridge}-g", "address", GUEST_MAC.hex(":"), "up"))


@contextlib.contextmanager
def wire(device: str) -> Iterator[socket.socket]:
    """All frames of a device, in its namespace."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as frames:
        frames.bind((device, 0))
        frames.settimeout(0.05)
        yield frames


def ask(device: str, frame: bytes, wait: float = 0.6) -> list[bytes]:
    """Send a frame; what the others say in the time after it."""
    with wire(device) as frames:
        frames.send(frame)
        heard, end = [], time.monotonic() + wait
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                heard.append(frames.recv(2048))
    return [got for got in heard if got[6:12] != GUEST_MAC]


def arp(sender: str) -> bytes:
    """Who has the address that the host has elsewhere?"""
    return (
        b"\xff" * 6
        + GUEST_MAC
        + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
        + GUEST_MAC
        + socket.inet_aton(sender)
        + bytes(6)
        + socket.inet_aton(HOST_ADDRESS)
    )


def udp(bridge_mac: str) -> bytes:
    """A datagram to the host's address, to a MAC that was not asked for."""
    header = struct.pack("!BBHHHBBH", 0x45, 0, 32, 1, 0, 64, 17, 0)
    ends = socket.inet_aton(GUEST_ADDRESS) + socket.inet_aton(HOST_ADDRESS)
    total = sum(struct.unpack("!10H", header + ends))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    packet = (
        header[:10] + struct.pack("!H", checksum) + ends + struct.pack("!HHHH", 4000, 4000, 12, 0) + b"ping"
    )
    return bytes.fromhex(bridge_mac.replace(":", "")) + GUEST_MAC + b"\x08\x00" + packet


def router_advertisement() -> bytes:
    """A router that offers a prefix to everybody."""
    source = socket.inet_pton(socket.AF_INET6, "fe80::b1")
    everybody = socket.inet_pton(socket.AF_INET6, "ff02::1")
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + socket.inet_pton(
        socket.AF_INET6, "2001:db8:1::"
    )
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
    pseudo = source + everybody + struct.pack("!II", len(body), 58)
    total = sum(struct.unpack(f"!{len(pseudo + body) // 2}H", pseudo + body))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
    packet = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + everybody + body
    return bytes.fromhex("333300000001") + GUEST_MAC + b"\x86\xdd" + packet


@isolated
async def test_no_answer_from_the_host_and_nothing_reaches_it() -> None:
    tool("ip", "link", "set", "lo", "up")
    tool("ip", "link", "add", "elsewhere", "type", "veth", "peer", "name", "far")
    tool("ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", "elsewhere")
    tool("ip", "link", "set", "elsewhere", "up")
    tool("ip", "link", "set", "far", "up")
    with Namespace() as guest, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("0.0.0.0", 4000))
        listener.settimeout(0.3)
        async with Connection() as connection:
            await DeviceDriver(INSTANCE, connection).ensure(BRIDGE.key, BRIDGE)
            port = Port(BRIDGE.name, BRIDGE.owner, None, up=True)
            await PortDriver(INSTANCE, connection).ensure(port.key, port)
        # the same without our care, to see that the questions are ones that a host answers
        tool("ip", "link", "add", "plain", "address", PLAIN_MAC, "type", "bridge", "forward_delay", "0")
        tool("ip", "link", "set", "plain", "up")

        for bridge, mac, silent in (("plain", PLAIN_MAC, False), (BRIDGE.name, BRIDGE.mac, True)):
            plug_guest(bridge, guest)
            device = f"{bridge}-g"
            time.sleep(0.2)
            for sender in (GUEST_ADDRESS, "0.0.0.0"):
                heard = guest.run(lambda d=device, s=sender: ask(d, arp(s)))
                replies = [got for got in heard if got[12:14] == b"\x08\x06"]
                assert (replies == []) is silent, (bridge, sender)
            guest.run(lambda d=device, m=mac: ask(d, udp(m), 0.1))
            if silent:
                with pytest.raises(TimeoutError):
                    listener.recv(100)
            else:
                assert listener.recv(100) == b"ping"
            heard = guest.run(lambda d=device: ask(d, router_advertisement(), 2.0))
            assert any(got[12:14] == b"\x86\xdd" for got in heard) is not silent
            assert (addresses(bridge) == []) is silent
