"""A box of many appliances that exists in memory only: its configuration, and a back end without a host.

Drivers that believe what they are told, and a source that reports what a kernel would: what is left is the
agent's own work.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from twinplane.model.host import Accelerator, Capabilities
from twinplane.netlink.connection import Connection
from twinplane.plan.resource import Bridge, Domain, Found, Key, Noun, Ownership, Port, Resource, Tap
from twinplane.state.collect import Feed
from twinplane.state.facts import Batch, DomainFact, DomainVnic, Fact, LinkCounters, LinkFact
from twinplane.state.sources.netlink import NetlinkSource
from twinplane.state_dir import StateDir
from twinplane.transaction.driver import Driver

SWITCHES = 4
APPLIANCE_VNICS = ("lan", "wan")
CAPABILITIES = Capabilities(
    cpus=4096,
    memory=1 << 44,
    reserve_cpu=0,
    reserve_memory=0,
    accelerator=Accelerator.TCG,
    overhead=0,
)
ABSENT = Found(Ownership.ABSENT)


def appliance_name(number: int) -> str:
    """The name of an appliance of the box."""
    return f"fw{number:04}"


def cpu_limit(number: int) -> str:
    """The path of the leaf that the bench sets again and again."""
    return f"/appliances/appliance[name={appliance_name(number)}]/compute/share/config/limit"


def document(appliances: int) -> dict[str, Any]:
    """The configuration of a box as JSON_IETF: each appliance with two shaped vNICs and day-0 files."""
    digest = f"sha256:{'1' * 64}"
    image = {
        "name": "firewall",
        "format": "KERNEL",
        "kernel-source": "firewall/vmlinuz",
        "kernel-digest": digest,
        "initrd-source": "firewall/initrd.img",
        "initrd-digest": digest,
        "command-line": "console=ttyS0 quiet",
    }
    switches = [{"name": f"net{number}", "config": {"name": f"net{number}"}} for number in range(SWITCHES)]
    return {
        "twinplane-image:images": {"image": [{"name": "firewall", "config": image}]},
        "twinplane-virtual-switch:virtual-switches": {"virtual-switch": switches},
        "twinplane-appliance:appliances": {"appliance": [_appliance(number) for number in range(appliances)]},
    }


def _appliance(number: int) -> dict[str, Any]:
    name = appliance_name(number)
    shaped = {"config": {"limit": "50000000"}}
    vnics: list[dict[str, Any]] = []
    for index, vnic in enumerate(APPLIANCE_VNICS):
        switch = f"net{(number + index) % SWITCHES}"
        vnics.append(
            {
                "name": vnic,
                "config": {"name": vnic, "index": index, "virtual-switch": switch},
                "share": {"ingress": shaped, "egress": shaped},
            }
        )
    rules = "table inet fw { chain forward { type filter hook forward priority 0; policy drop; } }\n"
    return {
        "name": name,
        "config": {"name": name, "type": "twinplane-types:VIRTUAL_MACHINE", "image": "firewall"},
        "compute": {"config": {"vcpus": 1}, "share": {"config": {"guarantee": 250, "limit": 500}}},
        "memory": {"config": {"size": str(256 << 20)}},
        "vnics": {"vnic": vnics},
        "bootstrap": {
            "files": {"file": [{"target": "rules.nft", "config": {"target": "rules.nft", "content": rules}}]}
        },
    }


class Believing:
    """A driver of every noun: whatever is wanted is there. What it holds outlives it in `file`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.there: dict[Key, Resource] = pickle.loads(file.read_bytes()) if file.exists() else {}

    @property
    def nouns(self) -> frozenset[Noun]:
        return frozenset(Noun)

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        if wanted is None:
            self.there.pop(key, None)
        else:
            # A definition is not read back as text.
            self.there[key] = replace(wanted, xml=str) if isinstance(wanted, Domain) else wanted
        return wanted

    async def find(self, key: Key) -> Found:
        there = self.there.get(key)
        return ABSENT if there is None else Found(Ownership.OWN, there)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        return tuple(self.there.values())

    def save(self) -> None:
        """Keep what is held for the next process."""
        self._file.write_bytes(pickle.dumps(self.there))


class Reporting:
    """A source that reports the devices and guests of a driver that believes; counters grow at each poll."""

    def __init__(self, driver: Believing) -> None:
        self._driver = driver
        self._links: list[LinkFact] = []
        self._polls = 0
        self.events: asyncio.Queue[Batch] = asyncio.Queue()

    async def batches(self) -> AsyncIterator[Batch]:
        """Everything, then what is put into `events`."""
        yield self.everything()
        while True:
            yield await self.events.get()

    def everything(self) -> Batch:
        """What there is now."""
        self._links = list(self._devices())
        return Batch("netlink", (*self._links, *self._guests()), complete=True)

    async def poll(self) -> Batch:
        """All eight counters of every vNIC, none as before."""
        self._polls += 1
        base = 10**9 + 1500 * self._polls
        values = [base + number for number in range(8)]
        return Batch("netlink", tuple(LinkCounters(link.name, *values) for link in self._links))

    def flip(self) -> Batch:
        """Every vNIC's device loses its carrier, or has it again."""
        self._links = [
            replace(link, oper="DOWN" if link.carrier else "UP", carrier=not link.carrier)
            for link in self._links
        ]
        return Batch("netlink", tuple(self._links))

    def _devices(self) -> Iterable[LinkFact]:
        there = self._driver.there
        for number, resource in enumerate(there.values()):
            if isinstance(resource, Tap | Bridge):
                kind = "tun" if isinstance(resource, Tap) else "bridge"
                port = there.get(Key(Noun.PORT, resource.name))
                master = port.master if isinstance(port, Port) else None
                yield LinkFact(
                    resource.name, number + 2, kind, resource.mtu, resource.mac, resource.owner,
                    True, "UP", True, 1, master,
                )  # fmt: skip

    def _guests(self) -> Iterable[Fact]:
        taps: dict[Any, list[Tap]] = {}
        for resource in self._driver.there.values():
            if isinstance(resource, Tap):
                taps.setdefault(resource.owner.elems[:2], []).append(resource)
        for resource in self._driver.there.values():
            if isinstance(resource, Domain):
                ends = tuple(
                    DomainVnic(tap.name, tap.mac, index)
                    for index, tap in enumerate(taps.get(resource.owner.elems, ()))
                )
                yield DomainFact(
                    resource.name, str(resource.uuid), resource.owner, "running", "booted",
                    1, 256 << 20, f"sha256:{'1' * 64}", 1_700_000_000_000_000_000, 4711, ends,
                )  # fmt: skip


class NullBackEnd:
    """What `back_end.BackEnd` is for the composition root, without a host."""

    written = "nothing"

    def __init__(self, file: Path) -> None:
        self.driver = Believing(file)
        self.source = Reporting(self.driver)
        self.netlink = Connection()  # asked only where a request comes from

    def drivers(self) -> Sequence[Driver]:
        """One, for every noun."""
        return (self.driver,)

    def feeds(self, _found: Capabilities) -> Sequence[Feed]:
        """One source."""
        return (Feed("netlink", self.source.batches, self.source.poll),)

    async def sweep(self) -> None:
        """Nothing is left behind."""

    async def watch(self, _raised: object) -> None:
        """No guest runs as anybody."""


class NetworkBackEnd(NullBackEnd):
    """The same, but the source is the kernel's network as it is."""

    def __init__(self, file: Path, instance: UUID) -> None:
        super().__init__(file)
        self.network = NetlinkSource(instance, self.netlink)

    def feeds(self, _found: Capabilities) -> Sequence[Feed]:
        return (Feed("netlink", self.network.batches, self.network.poll),)


async def open_null(state: StateDir, stack: AsyncExitStack, *, network: bool = False) -> NullBackEnd:
    """What `back_end.open_back_end` is, without a host."""
    file = state.root / "believed"
    made = NetworkBackEnd(file, state.instance) if network else NullBackEnd(file)
    stack.callback(made.driver.save)
    stack.callback(made.netlink.close)
    return made
