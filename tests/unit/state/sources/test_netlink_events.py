"""A burst of events becomes each fact once, and only where something differs from what was said before."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import pytest

from twinplane.netlink.address import AF_INET, AddressRow
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow
from twinplane.netlink.monitor import AddressEvent, Event, LinkGoneEvent, TrafficEvent
from twinplane.state.facts import Fact, LinkFact, LinkGone
from twinplane.state.sources.netlink import NetlinkSource

BRIDGE = LinkRow(2, "br0", "bridge", 1, 1500, "02:00:00:00:00:01", "", 0, "UP", True, 1, "noqueue", 1, b"")
PORT = LinkRow(3, "port", "veth", 1, 1500, "02:00:00:00:00:02", "", 2, "UP", True, 1, "noqueue", 1, b"")
ADDRESS = AddressRow(3, AF_INET, b"\xc0\0\2\1", 24)


@pytest.fixture
def source() -> NetlinkSource:
    return NetlinkSource(UUID(int=1), Connection())


def absorb(source: NetlinkSource, events: Iterable[Event]) -> list[Fact]:
    return list(asyncio.run(source.absorb(events)).facts)


def fact(row: LinkRow, master: str | None, *, addressed: bool = False) -> LinkFact:
    return LinkFact(
        row.name,
        row.index,
        row.kind,
        row.mtu,
        row.mac,
        None,
        row.up,
        row.oper,
        row.carrier,
        1,
        master,
        addressed,
    )


def test_equal_and_repeated_events_say_nothing_new(source: NetlinkSource) -> None:
    down = replace(PORT, flags=0, oper="DOWN")
    assert absorb(source, [BRIDGE, PORT, down, PORT]) == [fact(BRIDGE, None), fact(PORT, "br0")]
    assert absorb(source, [PORT, down, PORT, BRIDGE, TrafficEvent(3)]) == []
    assert absorb(source, [down]) == [fact(down, "br0")]


def test_gone_is_said_once_and_only_of_what_was_there(source: NetlinkSource) -> None:
    absorb(source, [BRIDGE, PORT])
    assert absorb(source, [LinkGoneEvent(3), LinkGoneEvent(3), LinkGoneEvent(9)]) == [LinkGone("port")]
    assert absorb(source, [PORT, LinkGoneEvent(3)]) == []


def test_gone_and_back_under_another_index_is_said_in_that_order(source: NetlinkSource) -> None:
    absorb(source, [BRIDGE, PORT])
    again = replace(PORT, index=9)
    assert absorb(source, [again, LinkGoneEvent(3)]) == [LinkGone("port"), fact(again, "br0")]


def test_a_new_name_of_a_bridge_is_told_of_its_ports_too(source: NetlinkSource) -> None:
    absorb(source, [BRIDGE, PORT])
    renamed = replace(BRIDGE, name="br1")
    assert absorb(source, [renamed]) == [LinkGone("br0"), fact(renamed, None), fact(PORT, "br1")]


def test_addresses_come_and_go(source: NetlinkSource) -> None:
    absorb(source, [BRIDGE, PORT])
    second = replace(ADDRESS, address=b"\xc0\0\2\2")
    assert absorb(source, [AddressEvent(ADDRESS, True)]) == [fact(PORT, "br0", addressed=True)]
    assert absorb(source, [AddressEvent(second, True), AddressEvent(ADDRESS, False)]) == []
    assert absorb(source, [AddressEvent(second, False)]) == [fact(PORT, "br0")]
    assert absorb(source, [AddressEvent(replace(ADDRESS, device=99), True)]) == []
