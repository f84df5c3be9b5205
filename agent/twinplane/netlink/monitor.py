"""What the kernel announces by itself: devices, addresses and queueing disciplines that change
(rtnetlink(7))."""

import asyncio
import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from twinplane.errors import TwinplaneError
from twinplane.netlink.address import RTM_DELADDR, RTM_NEWADDR, AddressRow, parse_address
from twinplane.netlink.link import (
    RTM_DELLINK,
    RTM_NEWLINK,
    LinkRow,
    parse_gone,
    parse_index,
    parse_link,
)
from twinplane.netlink.message import NLMSG_OVERRUN, Message, messages
from twinplane.netlink.traffic import (
    RTM_DELQDISC,
    RTM_DELTCLASS,
    RTM_DELTFILTER,
    RTM_NEWQDISC,
    RTM_NEWTCLASS,
    RTM_NEWTFILTER,
    parse_device,
)

_GROUPS = (1, 4, 5, 9)  # RTNLGRP_LINK, _TC, _IPV4_IFADDR, _IPV6_IFADDR
_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP = 1
_SO_RCVBUFFORCE = 33
_BUFFER = 4 << 20
_RECEIVE = 1 << 16
_MANY = 256  # datagrams taken together at most, so that a storm of events cannot hold a batch for ever
_PAUSE = 0.005  # seconds from one batch to the next: what comes meanwhile is taken together

_TRAFFIC = frozenset(
    {RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTCLASS, RTM_DELTCLASS, RTM_NEWTFILTER, RTM_DELTFILTER}
)


class EventsLost(TwinplaneError):  # noqa: N818 (it is not an error of anybody, but it must unwind)
    """Some events will never come: read everything anew."""


@dataclass(frozen=True, slots=True)
class LinkGoneEvent:
    """The device of this index is gone."""

    device: int


@dataclass(frozen=True, slots=True)
class AddressEvent:
    """An address has come (`present`) or gone."""

    row: AddressRow
    present: bool


@dataclass(frozen=True, slots=True)
class TrafficEvent:
    """Something about the queueing disciplines of this device (index) has changed."""

    device: int


Event: TypeAlias = LinkRow | LinkGoneEvent | AddressEvent | TrafficEvent


class Monitor:
    """A subscription in the network namespace of the thread that opens it.

    Events are kept from `open` on: whoever reads everything after it and the events after that has missed
    none.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._next = 0.0  # when a batch may be taken, on the clock of the loop

    def open(self) -> None:
        """Subscribe. Raises OSError."""
        made = socket.socket(
            socket.AF_NETLINK,
            socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
            socket.NETLINK_ROUTE,
        )
        self._socket = made
        try:
            made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        made.bind((0, 0))
        for group in _GROUPS:
            made.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)

    def close(self) -> None:
        """Unsubscribe."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def receive(self) -> tuple[Event, ...]:
        """Wait for events; those that have come by then, in order (empty where none concerned us). Of several
        about the state of one device only the last counts.

        A batch is bounded, and others of the loop have their turn before it, however fast events come: the
        first after silence is taken at once, then at most one batch in 5 ms.

        Raises:
            EventsLost: the buffer overflowed, or the socket is of no more use.
        """
        if self._socket is None:
            raise EventsLost("the subscription is closed")
        received: list[Message] = []
        loop = asyncio.get_running_loop()
        # sock_recv does not suspend where there is something to receive: without this a storm lets nobody in
        await asyncio.sleep(max(0.0, self._next - loop.time()))
        try:
            received += messages(await loop.sock_recv(self._socket, _RECEIVE))
            for _datagram in range(_MANY):
                received += messages(self._socket.recv(_RECEIVE))
        except BlockingIOError:
            pass
        except OSError as error:
            # what was received before counts for nothing: everything is read anew
            raise EventsLost(errno.errorcode.get(error.errno or 0, str(error))) from error
        events = tuple(_events(_newest(received)))
        self._next = loop.time() + _PAUSE
        return events


def _newest(received: Iterable[Message]) -> Iterable[Message]:
    """The messages without those that a later one of the same device says anew. A device that is gone stands
    between what was before and after it: an index may be given again."""
    waiting: dict[tuple[str, int], Message] = {}
    for message in received:
        match message.type:
            case t if t == RTM_NEWLINK:
                key = ("link", parse_index(message.payload))
            case t if t in _TRAFFIC:
                key = ("traffic", parse_device(message.payload))
            case _:
                yield from waiting.values()
                waiting.clear()
                yield message
                continue
        waiting.pop(key, None)  # it stands where the last one came
        waiting[key] = message
    yield from waiting.values()


def _events(received: Iterable[Message]) -> Iterable[Event]:
    for message in received:
        match message.type:
            case t if t == NLMSG_OVERRUN:
                raise EventsLost("overrun")
            case t if t == RTM_NEWLINK:
                link = parse_link(message.payload)
                if link is not None:
                    yield link
            case t if t == RTM_DELLINK:
                device = parse_gone(message.payload)
                if device is not None:
                    yield LinkGoneEvent(device)
            case t if t in (RTM_NEWADDR, RTM_DELADDR):
                yield AddressEvent(parse_address(message.payload), message.type == RTM_NEWADDR)
            case t if t in _TRAFFIC:
                yield TrafficEvent(parse_device(message.payload))
