"""Rows of devices, addresses, counters and queueing disciplines, from bytes as the kernel lays them out."""

import socket
import struct

import pytest

from twinplane.netlink.address import parse_address
from twinplane.netlink.counters import parse_counters
from twinplane.netlink.link import parse_gone, parse_link
from twinplane.netlink.message import attribute
from twinplane.netlink.traffic import (
    CLASS,
    HANDLE,
    INGRESS_HANDLE,
    ROOT_PARENT,
    Shape,
    is_filter,
    parse_device,
    parse_qdisc,
    parse_redirect,
    parse_shape,
)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def link(family: int = 0, arphrd: int = 1, *rest: bytes) -> bytes:
    """The body of a link message about device 7."""
    name = attribute(3, b"tp0\0")
    return struct.pack("=BxHiII", family, arphrd, 7, 0x1003, 0) + name + b"".join(rest)


def test_a_tap() -> None:
    details = attribute(3, b"\2") + attribute(6, b"\1")
    info = attribute(18, attribute(1, b"tun\0") + attribute(2, details))
    inet6 = attribute(26, attribute(10, attribute(8, b"\1")))
    more = (number(4, 1400), number(10, 3), attribute(1, bytes.fromhex("feaa00000002")), attribute(16, b"\6"))
    row = parse_link(
        link(0, 1, info, inet6, *more, attribute(33, b"\1"), number(35, 5), attribute(20, b"mark\0"))
    )
    assert row is not None
    assert (row.index, row.name, row.kind, row.mtu, row.mac) == (7, "tp0", "tun", 1400, "fe:aa:00:00:00:02")
    assert (row.master, row.alias, row.oper, row.carrier, row.carrier_changes) == (3, "mark", "UP", True, 5)
    assert (row.up, row.is_tap, row.is_plain_bridge, row.address_generation) == (True, True, False, 1)


def test_what_a_kernel_leaves_out_has_a_value() -> None:
    row = parse_link(link())
    assert row is not None
    assert (row.kind, row.alias, row.master, row.oper, row.carrier) == ("", "", 0, "UNKNOWN", False)
    assert row.address_generation is None
    assert not row.is_tap
    loopback = parse_link(link(0, 772))
    assert loopback is not None
    assert loopback.kind == "loopback"


@pytest.mark.parametrize(("stp", "delay", "call"), [(1, 0, 0), (0, 1500, 0), (0, 0, 1)])
def test_a_bridge_is_plain_only_without_tree_delay_and_filter(stp: int, delay: int, call: int) -> None:
    def bridge(stp: int, delay: int, call: int) -> bytes:
        details = number(1, delay) + number(5, stp) + attribute(36, bytes([call]))
        return link(0, 1, attribute(18, attribute(1, b"bridge\0") + attribute(2, details)))

    row, plain = parse_link(bridge(stp, delay, call)), parse_link(bridge(0, 0, 0))
    assert row is not None
    assert plain is not None
    assert (row.is_plain_bridge, plain.is_plain_bridge, plain.has_netfilter) == (False, True, True)


def test_a_bridges_view_of_a_port_is_no_device() -> None:
    assert parse_link(link(socket.AF_BRIDGE if hasattr(socket, "AF_BRIDGE") else 7)) is None
    assert parse_gone(link(7)) is None
    assert parse_gone(link()) == 7


@pytest.mark.parametrize(
    ("family", "text", "automatic"),
    [
        (socket.AF_INET, "192.0.2.1", False),
        (socket.AF_INET, "254.128.0.1", False),
        (socket.AF_INET6, "2001:db8::1", False),
        (socket.AF_INET6, "fe80::1", True),
        (socket.AF_INET6, "febf::1", True),
        (socket.AF_INET6, "fec0::1", False),
    ],
)
def test_only_link_local_addresses_come_by_themselves(family: int, text: str, automatic: bool) -> None:
    packed = socket.inet_pton(family, text)
    row = parse_address(struct.pack("=BBBBI", family, 64, 0, 0, 7) + attribute(1, packed))
    assert (row.device, row.address, row.prefix_length, row.is_automatic) == (7, packed, 64, automatic)


def test_counters_are_in_the_devices_own_view() -> None:
    body = struct.pack("=BxxxII", 0, 7, 1) + attribute(4, struct.pack("=24Q", *range(1, 25)))
    row = parse_counters(body)
    assert (row.device, row.rx_packets, row.tx_packets, row.rx_octets, row.tx_octets) == (7, 1, 2, 3, 4)
    assert (row.rx_errors, row.tx_errors, row.rx_drops, row.tx_drops) == (5, 6, 7, 8)


def traffic(kind: bytes, handle: int, parent: int, options: bytes = b"") -> bytes:
    head = struct.pack("=BxxxiIII", 0, 7, handle, parent, 0)
    return head + attribute(1, kind + b"\0") + attribute(2, options)


def test_qdiscs_of_ours_and_of_others() -> None:
    ours = parse_qdisc(traffic(b"htb", HANDLE, ROOT_PARENT))
    assert (ours.device, ours.is_shaper, ours.is_ingress) == (7, True, False)
    assert not parse_qdisc(traffic(b"htb", 0x10000, ROOT_PARENT)).is_shaper
    assert not parse_qdisc(traffic(b"sfq", HANDLE, ROOT_PARENT)).is_shaper
    assert parse_qdisc(traffic(b"ingress", INGRESS_HANDLE, 0xFFFFFFF1)).is_ingress
    assert not parse_qdisc(traffic(b"clsact", INGRESS_HANDLE, 0xFFFFFFF1)).is_ingress
    assert parse_device(traffic(b"htb", HANDLE, ROOT_PARENT)) == 7


def htb(rate: int, ceiling: int, ticks: int, *rest: bytes) -> bytes:
    half = (0, 1, 0, 0, 0)
    options = struct.pack("=BBHhHI BBHhHI IIIII", *half, rate, *half, ceiling, ticks, ticks, 60000, 0, 0)
    return traffic(b"htb", CLASS, ROOT_PARENT, attribute(1, options) + b"".join(rest))


def test_a_class_says_what_it_lets_through() -> None:
    assert parse_shape(htb(6_250_000, 6_250_000, 156_250)) == Shape(50_000_000, 62_500)
    fast = htb(0xFFFFFFFF, 0xFFFFFFFF, 125, attribute(6, struct.pack("=Q", 12_500_000_000)))
    assert parse_shape(fast) == Shape(100_000_000_000, 100_000)
    assert parse_shape(htb(6_250_000, 12_500_000, 156_250)) is None
    assert parse_shape(traffic(b"hfsc", CLASS, ROOT_PARENT)) is None


def u32_filter(mask: bytes = bytes(4), action: bytes = b"mirred", does: int = 1) -> bytes:
    selector = struct.pack("=BBBxHHhhI", 1, 0, 1, 0, 0, 0, 0, 0) + mask + bytes(12)
    mirred = attribute(2, struct.pack("=IIiiiiI", 1, 0, 4, 1, 1, does, 9))
    act = attribute(1, attribute(1, action + b"\0") + attribute(2, mirred))
    return traffic(b"u32", 0x80000800, INGRESS_HANDLE, attribute(5, selector) + attribute(7, act))


def test_a_redirect_sends_everything_and_nothing_else_is_one() -> None:
    assert parse_redirect(u32_filter()) == 9
    assert parse_redirect(u32_filter(mask=b"\xff\0\0\0")) is None
    assert parse_redirect(u32_filter(action=b"gact")) is None
    assert parse_redirect(u32_filter(does=2)) is None
    assert parse_redirect(traffic(b"flower", 1, INGRESS_HANDLE)) is None


def test_hash_tables_of_u32_are_no_filters() -> None:
    assert is_filter(u32_filter())
    assert is_filter(traffic(b"flower", 1, INGRESS_HANDLE))
    assert not is_filter(traffic(b"u32", 0x80000000, INGRESS_HANDLE, number(4, 1)))
