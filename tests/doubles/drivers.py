"""Recording drivers over the host of `host.py`, one for each group of nouns, true to the Driver protocol.

`ensures` counts calls of ensure, `host.effects` what they changed. A test may put `trap` in the way: it is
called with each step's key before and after the work and raises what the driver is to raise.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from doubles.host import Device, Host
from twinplane.errors import DriverError
from twinplane.plan.resource import (
    Bridge,
    Domain,
    Found,
    Htb,
    Ifb,
    ImageFile,
    Key,
    Link,
    Noun,
    Ownership,
    Plug,
    Port,
    Redirect,
    Resource,
    Run,
    Scheduler,
    Seed,
    Tap,
)
from twinplane_wire.path import ROOT

Trap = Callable[[str, Key, Resource | None], Awaitable[None]]

ABSENT = Found(Ownership.ABSENT)


async def _free(_when: str, _key: Key, _wanted: Resource | None) -> None:
    pass


class FakeDriver:
    """What all share: counting, the trap, and the read-back. Subclasses say how to read and how to bring."""

    served: frozenset[Noun] = frozenset()

    def __init__(self, host: Host) -> None:
        self.host = host
        self.ensures: list[Key] = []
        self.trap: Trap = _free

    @property
    def nouns(self) -> frozenset[Noun]:
        return self.served

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        self.ensures.append(key)
        await self.trap("before", key, wanted)
        await self.bring(key, wanted)
        await self.trap("after", key, wanted)
        there = self.read(key)
        if not self.reached(there, wanted):
            raise DriverError(f"{key}: is {there}, wanted {wanted}")
        return there

    async def find(self, key: Key) -> Found:
        there = self.read(key)
        return ABSENT if there is None else Found(Ownership.OWN, there)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        raise NotImplementedError

    def reached(self, there: Resource | None, wanted: Resource | None) -> bool:
        return there == wanted

    def read(self, key: Key) -> Resource | None:
        raise NotImplementedError

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        raise NotImplementedError


class Devices(FakeDriver):
    """Bridges, taps, IFBs: made first, marked by a second message."""

    served = frozenset({Noun.BRIDGE, Noun.TAP, Noun.IFB})

    def read(self, key: Key) -> Resource | None:
        device = self.host.kernel.devices.get(key.name)
        if device is None or device.kind != key.noun.value:
            return None
        owner = ROOT if device.owner is None else device.owner
        if key.noun is Noun.BRIDGE:
            return Bridge(key.name, owner, device.mtu, device.mac)
        if key.noun is Noun.TAP:
            return Tap(key.name, owner, device.mtu, device.mac)
        return Ifb(key.name, owner, device.mtu)

    async def find(self, key: Key) -> Found:
        device = self.host.kernel.devices.get(key.name)
        if device is None:
            return ABSENT
        if device.owner is None:
            return Found(Ownership.FOREIGN, None, f"a {device.kind or 'device'} of the host")
        return Found(Ownership.OWN, self.read(key))

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        named = set(keys)
        found = []
        for name, device in self.host.kernel.devices.items():
            if device.kind:
                key = Key(Noun(device.kind), name)
                resource = self.read(key)
                if resource is not None and (device.owner is not None or key in named):
                    found.append(resource)
        return tuple(found)

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        devices = self.host.kernel.devices
        if wanted is None:
            if key.name in devices:
                self.host.change(f"{key} delete", lambda _: self._delete(key.name))
            return
        assert isinstance(wanted, Bridge | Tap | Ifb)
        if key.name not in devices:
            self.host.change(
                f"{key} make", lambda kernel: kernel.devices.update({key.name: Device(key.noun.value)})
            )
            await asyncio.sleep(0)
        if self.read(key) != wanted:
            self.host.change(f"{key} mark", lambda _: self._mark(wanted))

    def _mark(self, wanted: Bridge | Tap | Ifb) -> None:
        device = self.host.kernel.devices[wanted.name]
        device.owner, device.mtu = wanted.owner, wanted.mtu
        if not isinstance(wanted, Ifb):
            device.mac = wanted.mac

    def _delete(self, name: str) -> None:
        kernel = self.host.kernel
        del kernel.devices[name]
        kernel.queues = {key: item for key, item in kernel.queues.items() if item.device != name}
        for device in kernel.devices.values():
            if device.master == name:
                device.master = None


class Ports(FakeDriver):
    """Ports of our devices and plugged ports of the host."""

    served = frozenset({Noun.PORT})

    def read(self, key: Key) -> Resource | None:
        device = self.host.kernel.devices.get(key.name)
        if device is None:
            return None
        if device.kind:
            return Port(key.name, device.owner or ROOT, device.master, device.up)
        bridge = self.host.kernel.devices.get(device.master or "")
        switch = ROOT if bridge is None or bridge.owner is None else bridge.owner
        owner = switch.child("ports").child("port", ("interface", key.name)) if switch.elems else ROOT
        return Plug(key.name, owner, device.master, device.generation)

    async def find(self, key: Key) -> Found:
        device, resource = self.host.kernel.devices.get(key.name), self.read(key)
        if device is None or resource is None:
            return ABSENT
        if not device.kind and device.master is not None and not self._own(device.master):
            return Found(Ownership.FOREIGN, None, f"it is a port of {device.master}")
        placed = device.master is not None or (isinstance(resource, Port) and resource.up)
        return Found(Ownership.OWN if placed else Ownership.ABSENT, resource)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        found = []
        for name, device in self.host.kernel.devices.items():
            resource = self.read(Key(Noun.PORT, name))
            ours = device.owner is not None or (device.master is not None and self._own(device.master))
            if ours and resource is not None:
                found.append(resource)
        return tuple(found)

    def reached(self, there: Resource | None, wanted: Resource | None) -> bool:
        if isinstance(wanted, Plug):
            return there is None or replace(there, owner=wanted.owner) == wanted
        return wanted is None or there == wanted

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        device = self.host.kernel.devices.get(key.name)
        if device is None:
            if isinstance(wanted, Port):
                raise DriverError(f"{key}: no device")
            return
        if isinstance(wanted, Plug) and device.generation != wanted.address_generation:
            mode = wanted.address_generation
            self.host.change(f"{key} generation {mode}", lambda _: setattr(device, "generation", mode))
            await asyncio.sleep(0)
        master = None if wanted is None else getattr(wanted, "master", None)
        if master is not None and not self._own(master):
            raise DriverError(f"{key}: no bridge {master}")
        if device.master != master:
            self.host.change(f"{key} master {master}", lambda _: setattr(device, "master", master))
            await asyncio.sleep(0)
        up = wanted.up if isinstance(wanted, Port) else (device.up if not device.kind or wanted else False)
        if device.up != up:
            self.host.change(f"{key} up {up}", lambda _: setattr(device, "up", up))

    def _own(self, bridge: str) -> bool:
        device = self.host.kernel.devices.get(bridge)
        return device is not None and device.kind == "bridge" and device.owner is not None


class Links(FakeDriver):
    """Admin state and MTU of the host's own devices."""

    served = frozenset({Noun.LINK})

    def read(self, key: Key) -> Resource | None:
        device = self.host.kernel.devices.get(key.name)
        owner = ROOT.child("interfaces").child("interface", ("name", key.name))
        return None if device is None else Link(key.name, owner, device.up, device.mtu)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        found = (self.read(key) for key in keys if key.noun is Noun.LINK)
        return tuple(link for link in found if link is not None)

    def reached(self, there: Resource | None, wanted: Resource | None) -> bool:
        if not isinstance(wanted, Link) or not isinstance(there, Link):
            return True
        return wanted.up in (None, there.up) and wanted.mtu in (None, there.mtu)

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        device = self.host.kernel.devices.get(key.name)
        if device is None or not isinstance(wanted, Link):
            return
        for name, value in (("up", wanted.up), ("mtu", wanted.mtu)):
            if value is not None and getattr(device, name) != value:
                self.host.change(
                    f"{key} {name} {value}", lambda _, name=name, value=value: setattr(device, name, value)
                )


class Queues(FakeDriver):
    """Root HTBs and ingress redirects."""

    served = frozenset({Noun.QDISC})

    def read(self, key: Key) -> Resource | None:
        return self.host.kernel.queues.get(key.name)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        named = set(keys)
        devices = self.host.kernel.devices
        return tuple(
            item
            for name, item in self.host.kernel.queues.items()
            if devices[item.device].owner is not None or Key(Noun.QDISC, name) in named
        )

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        if self.read(key) == wanted:
            return
        if wanted is None:
            self.host.change(f"{key} delete", lambda kernel: kernel.queues.pop(key.name))
            return
        assert isinstance(wanted, Htb | Redirect)
        for device in (wanted.device, getattr(wanted, "target", wanted.device)):
            if device not in self.host.kernel.devices:
                raise DriverError(f"{key}: no device {device}")
        self.host.change(f"{key} set", lambda kernel: kernel.queues.update({key.name: wanted}))


class Domains(FakeDriver):
    """Guests: defined, started paused, resumed. With `obedient` a request to stop is followed at once."""

    served = frozenset({Noun.DOMAIN})
    obedient = False

    def read(self, key: Key) -> Resource | None:
        return self.host.kernel.domains.get(key.name)

    async def find(self, key: Key) -> Found:
        if key.name in self.host.kernel.foreign_domains:
            return Found(Ownership.FOREIGN, None, "a domain that somebody else defined")
        return await super().find(key)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        return tuple(self.host.kernel.domains.values())

    def reached(self, there: Resource | None, wanted: Resource | None) -> bool:
        if isinstance(wanted, Domain) and wanted.run is Run.STOPPED and wanted.stop_timeout > 0:
            return there is not None
        return there == wanted

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        host, name = self.host, key.name
        there = host.kernel.domains.get(name)
        if wanted is None:
            if there is not None and there.run is not Run.STOPPED:
                host.change(f"{key} destroy", lambda _: host.end_guest(name))
                await asyncio.sleep(0)
            if there is not None:
                host.change(f"{key} undefine", lambda kernel: kernel.domains.pop(name))
            return
        assert isinstance(wanted, Domain)
        if there is None or there.digest != wanted.digest:
            if there is not None and there.run is not Run.STOPPED:
                raise DriverError(f"{key}: active with another definition")
            defined = replace(wanted, run=Run.STOPPED)
            host.change(f"{key} define", lambda kernel: kernel.domains.update({name: defined}))
            await asyncio.sleep(0)
        run = host.kernel.domains[name].run
        if wanted.run is Run.STOPPED:
            await self._stop(key, run, wanted.stop_timeout)
            return
        if run is Run.STOPPED:
            host.change(f"{key} start", lambda _: host.start_guest(name))
            await asyncio.sleep(0)
        if host.kernel.domains[name].run is not wanted.run:
            label = "resume" if wanted.run is Run.RUNNING else "suspend"
            moved = replace(host.kernel.domains[name], run=wanted.run)
            host.change(f"{key} {label}", lambda kernel: kernel.domains.update({name: moved}))

    async def _stop(self, key: Key, run: Run, timeout: int) -> None:
        host, name = self.host, key.name
        if run is Run.STOPPED:
            return
        if timeout == 0 or run is Run.PAUSED or self.obedient:
            host.change(f"{key} destroy", lambda _: host.end_guest(name))
        elif name not in host.kernel.asked:
            host.change(f"{key} shutdown", lambda kernel: kernel.asked.add(name))


class Schedulers(FakeDriver):
    """CPU shares of guests that are there."""

    served = frozenset({Noun.SCHEDULER})

    def read(self, key: Key) -> Resource | None:
        return self.host.kernel.schedulers.get(key.name)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        return tuple(self.host.kernel.schedulers.values())

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        if wanted is None or self.read(key) == wanted:
            return
        assert isinstance(wanted, Scheduler)
        domain = self.host.kernel.domains.get(key.name)
        if domain is None or domain.run is Run.STOPPED:
            raise DriverError(f"{key}: the guest is not running")
        self.host.change(f"{key} set", lambda kernel: kernel.schedulers.update({key.name: wanted}))

    def reached(self, there: Resource | None, wanted: Resource | None) -> bool:
        return wanted is None or there == wanted


class Files(FakeDriver):
    """Image copies and seeds; what is deleted goes to the trash first. An image comes back from there, a seed
    is written anew."""

    served = frozenset({Noun.IMAGE_FILE, Noun.SEED})

    def read(self, key: Key) -> Resource | None:
        return self.host.kernel.files.get(key.name)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        return tuple(self.host.kernel.files.values())

    async def bring(self, key: Key, wanted: Resource | None) -> None:
        name = key.name
        if self.read(key) == wanted:
            return
        if wanted is None:
            self.host.change(
                f"{key} aside", lambda kernel: kernel.trash.update({name: kernel.files.pop(name)})
            )
            return
        assert isinstance(wanted, ImageFile | Seed)
        if isinstance(wanted, ImageFile) and self.host.kernel.trash.get(name) == wanted:
            self.host.change(
                f"{key} back", lambda kernel: kernel.files.update({name: kernel.trash.pop(name)})
            )
        else:
            self.host.change(f"{key} write", lambda kernel: kernel.files.update({name: wanted}))


class FakeDrivers:
    """All of them over one host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.domains = Domains(host)
        self.all: tuple[FakeDriver, ...] = (
            Devices(host),
            Ports(host),
            Links(host),
            Queues(host),
            self.domains,
            Schedulers(host),
            Files(host),
        )

    @property
    def ensures(self) -> list[Key]:
        """Every call of ensure so far."""
        return [key for driver in self.all for key in driver.ensures]

    def set_trap(self, trap: Trap) -> None:
        """Put the same trap into all of them."""
        for driver in self.all:
            driver.trap = trap

    async def read_foreign(self, device: str) -> dict[str, int]:
        """As the foreign reader of the product."""
        there = self.host.kernel.devices.get(device)
        if there is None:
            return {}
        return {"address-generation": there.generation, "up": int(there.up), "mtu": there.mtu}

    async def sweep(self) -> None:
        """Empty the trash."""
        if self.host.kernel.trash:
            self.host.change("trash empty", lambda kernel: kernel.trash.clear())
