"""Counters of all devices by one dump of RTM_GETSTATS (linux/if_link.h, struct rtnl_link_stats64)."""

import struct
from typing import NamedTuple

RTM_GETSTATS = 94

_HEADER = struct.Struct("=BxxxII")  # struct if_stats_msg
_LINK_64_FILTER = 1  # IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)
_ROW = struct.Struct("=4xI4x 4x 8Q")  # device index, filter; the attribute's header; the first eight counters


class CounterRow(NamedTuple):
    """Packets, octets, errors and drops of one device (by index), in its own view."""

    device: int
    rx_packets: int
    tx_packets: int
    rx_octets: int
    tx_octets: int
    rx_errors: int
    tx_errors: int
    rx_drops: int
    tx_drops: int


def stats_body() -> bytes:
    """The body of a request for the 64-bit counters of every device."""
    return _HEADER.pack(0, 0, _LINK_64_FILTER)


def parse_counters(payload: bytes) -> CounterRow:
    """The counters of an RTM_NEWSTATS payload that was asked for by `stats_body`."""
    return CounterRow._make(_ROW.unpack_from(payload))
