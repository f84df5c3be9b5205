"""The host of the doubles as a source of facts: what its kernel holds, told again after every effect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from doubles.host import Host, Kernel
from twinplane.model.host import Capabilities
from twinplane.plan.resource import Domain, Run
from twinplane.state.facts import Batch, DomainFact, Fact, HostFact, LinkCounters, LinkFact

KINDS = {"bridge": "bridge", "tap": "tun", "ifb": "ifb", "": ""}
STATES = {Run.RUNNING: "running", Run.PAUSED: "paused", Run.STOPPED: "shutoff"}
BOOT = 1_700_000_000_000_000_000


class HostSource:
    """Batches of links and domains; `poll` gives counters that grow with each poll, unless they are `frozen`.
    `polls` counts those that grew."""

    def __init__(self, host: Host, capabilities: Capabilities) -> None:
        self._host = host
        self._capabilities = capabilities
        self._changed = asyncio.Event()
        self.polls = 0
        self.poll_hook: Callable[[], Awaitable[object]] | None = None  # a test may put itself in the way
        self.frozen = False
        inner = host.hook

        def hook(when: str, label: str) -> None:
            inner(when, label)
            if when == "after":
                self._changed.set()

        host.hook = hook

    def touch(self) -> None:
        """Something changed in the kernel that no effect of ours did."""
        self._changed.set()

    async def batches(self) -> AsyncIterator[Batch]:
        """All there is, then all there is after each change."""
        while True:
            self._changed.clear()
            yield Batch("host", (*self._facts(self._host.kernel), self._self()), complete=True)
            await self._changed.wait()

    async def poll(self) -> Batch:
        """The counters of every device."""
        self.polls += not self.frozen
        if self.poll_hook is not None:
            await self.poll_hook()
        octets, packets = 1000 * self.polls, 10 * self.polls
        counters = (
            LinkCounters(name, octets, packets, 0, 0, octets, packets, 0, 0)
            for name in self._host.kernel.devices
        )
        return Batch("host", tuple(counters))

    def _self(self) -> Fact:
        return HostFact("box", BOOT, self._capabilities, "3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")

    def _facts(self, kernel: Kernel) -> tuple[Fact, ...]:
        links = (
            LinkFact(
                name=name,
                index=index,
                kind=KINDS[device.kind],
                mtu=device.mtu,
                mac=device.mac,
                owner=device.owner,
                up=device.up,
                oper="UP" if device.up else "DOWN",
                carrier=device.up,
                carrier_changes=0,
                master=device.master,
            )
            for index, (name, device) in enumerate(kernel.devices.items(), 2)
        )
        return (*links, *(_domain(domain) for domain in kernel.domains.values()))


def _domain(domain: Domain) -> DomainFact:
    active = domain.run is not Run.STOPPED
    return DomainFact(
        name=domain.name,
        uuid=str(domain.uuid),
        owner=domain.owner,
        state=STATES[domain.run],
        reason="",
        vcpus=1,
        memory=256 << 20,
        image_digest="",
        start_time=BOOT if active else None,
        pid=4711 if active else None,
    )
