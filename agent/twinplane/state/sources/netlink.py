"""The kernel's network as a source of facts: devices by events, their counters by one bulk poll.

Beside every device of the namespace it reports the shaping of our own devices, which libvirt and others may
change behind our back. It changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from twinplane.model.names import parse_alias
from twinplane.netlink.address import AddressRow
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow
from twinplane.netlink.monitor import (
    AddressEvent,
    Event,
    EventsLost,
    LinkGoneEvent,
    Monitor,
    TrafficEvent,
)
from twinplane.plan.resource import Htb, Key, Redirect
from twinplane.state.facts import Batch, Fact, LinkCounters, LinkFact, LinkGone, ResourceGone
from twinplane_wire.path import Path

SOURCE = "netlink"
RESYNC = 0.5  # seconds


class NetlinkSource:
    """Facts about the devices of the connection's namespace; one reader of `batches` at a time."""

    def __init__(self, instance: UUID, connection: Connection) -> None:
        self._instance = instance
        self._connection = connection
        self._links: dict[int, LinkRow] = {}
        self._addresses: dict[int, set[AddressRow]] = {}
        self._facts: dict[int, LinkFact] = {}
        self._shaping: dict[int, dict[Key, Htb | Redirect]] = {}

    async def batches(self) -> AsyncIterator[Batch]:
        """A complete batch, then one for each burst of events that changed a fact; complete again after
        events were lost, at most once in `RESYNC` seconds. Never ends; raises DriverError or OSError where
        the kernel cannot be asked."""
        while True:
            monitor = Monitor()
            try:
                monitor.open()
                yield await self.everything()
                while True:
                    batch = await self.absorb(await monitor.receive())
                    if batch.facts:
                        yield batch
            except EventsLost:
                pass
            finally:
                monitor.close()
            await asyncio.sleep(
                RESYNC
            )  # who loses events is under a storm: reading all of it anew is no help

    async def everything(self) -> Batch:
        """All devices and the shaping of ours, read now."""
        self._links = {link.index: link for link in await self._connection.links()}
        self._addresses = {}
        for address in await self._connection.addresses():
            self._addresses.setdefault(address.device, set()).add(address)
        self._facts = {index: self._fact(link) for index, link in self._links.items()}
        self._shaping = {}
        for qdisc in await self._connection.qdiscs():
            if (qdisc.is_shaper or qdisc.is_ingress) and qdisc.device not in self._shaping:
                await self._read_shaping(qdisc.device)
        shaping = [resource for found in self._shaping.values() for resource in found.values()]
        return Batch(SOURCE, (*self._facts.values(), *shaping), complete=True)

    async def absorb(self, events: Iterable[Event]) -> Batch:
        """What the events changed, each fact once and only where it differs from what was reported before."""
        touched: dict[int, None] = {}  # a set that keeps the order
        shaped: dict[int, None] = {}
        changes: list[Fact] = []
        for event in events:
            match event:
                case LinkRow():
                    before = self._links.get(event.index)
                    self._links[event.index] = event
                    touched[event.index] = None
                    if before is not None and before.name != event.name:
                        changes.append(LinkGone(before.name))
                        touched |= {
                            link.index: None for link in self._links.values() if link.master == event.index
                        }
                    if before is None or before.alias != event.alias:
                        shaped[event.index] = None
                case LinkGoneEvent(device):
                    changes += self._drop(device)
                    touched.pop(device, None)
                    shaped.pop(device, None)
                case AddressEvent(row, present):
                    held = self._addresses.setdefault(row.device, set())
                    (held.add if present else held.discard)(row)
                    touched[row.device] = None
                case TrafficEvent(device):
                    shaped[device] = None
        for index in touched:
            link = self._links.get(index)
            if link is not None and (fact := self._fact(link)) != self._facts.get(index):
                self._facts[index] = fact
                changes.append(fact)
        for index in shaped:
            changes += await self._reread_shaping(index)
        return Batch(SOURCE, tuple(changes))

    async def poll(self) -> Batch:
        """The counters of all known devices, by one request.

        A device that has just appeared is left out until its event has come.
        """
        if not self._links:
            self._links = {link.index: link for link in await self._connection.links()}
        facts: list[Fact] = []
        links = self._links
        for row in await self._connection.counters():
            link = links.get(row.device)
            if link is not None:
                facts.append(
                    LinkCounters(
                        link.name,
                        row.rx_octets,
                        row.rx_packets,
                        row.rx_errors,
                        row.rx_drops,
                        row.tx_octets,
                        row.tx_packets,
                        row.tx_errors,
                        row.tx_drops,
                    )
                )
        return Batch(SOURCE, tuple(facts))

    def _fact(self, link: LinkRow) -> LinkFact:
        master = self._links.get(link.master)
        return LinkFact(
            name=link.name,
            index=link.index,
            kind=link.kind,
            mtu=link.mtu,
            mac=link.mac,
            owner=self._owner(link),
            up=link.up,
            oper=link.oper,
            carrier=link.carrier,
            carrier_changes=link.carrier_changes,
            master=master.name if master else None,
            addressed=any(not row.is_automatic for row in self._addresses.get(link.index, ())),
            alternatives=link.alternatives,
        )

    def _owner(self, link: LinkRow) -> Path | None:
        owner = parse_alias(link.alias) if link.alias else None
        return owner.path if owner is not None and owner.instance == self._instance else None

    def _drop(self, index: int) -> Iterable[Fact]:
        self._links.pop(index, None)
        self._addresses.pop(index, None)
        for resource in self._shaping.pop(index, {}).values():
            yield ResourceGone(resource.key, resource.owner)
        fact = self._facts.pop(index, None)
        if fact is not None:
            yield LinkGone(fact.name)

    async def _reread_shaping(self, index: int) -> list[Fact]:
        before = self._shaping.get(index, {})
        await self._read_shaping(index)
        after = self._shaping.get(index, {})
        gone = [ResourceGone(key, before[key].owner) for key in before if key not in after]
        return [*gone, *(resource for key, resource in after.items() if before.get(key) != resource)]

    async def _read_shaping(self, index: int) -> None:
        self._shaping.pop(index, None)
        link = self._links.get(index)
        owner = self._owner(link) if link is not None else None
        if link is None or owner is None:
            return
        found: dict[Key, Htb | Redirect] = {}
        shape = await self._connection.shape(index)
        if shape is not None:
            htb = Htb(link.name, shape.rate, shape.burst, owner)
            found[htb.key] = htb
        targets = await self._connection.redirects(index)
        if len(targets) == 1 and targets[0] in self._links:
            redirect = Redirect(link.name, self._links[targets[0]].name, owner)
            found[redirect.key] = redirect
        if found:
            self._shaping[index] = found
