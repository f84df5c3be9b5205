"""What is taken from a host port and how it is given back."""

from pathlib import Path as FilePath

import pytest

from doubles import demo
from doubles.box import Box, deleted, furnish, replaced, started
from doubles.loop import in_loop
from twinplane.errors import ApplyError, DriverError
from twinplane.plan.resource import ForeignValue, HostDevice, Key, Link, Noun, Plug, Resource
from twinplane.plan.step import Phase, Step
from twinplane.transaction.foreign import (
    astray,
    claimed,
    followed,
    give_back,
    mask,
    missing,
    restored,
    unclaimed,
)
from twinplane.transaction.reconcile import rivals
from twinplane.transaction.request import Act, Confirm, Request
from twinplane_wire.path import parse

PORT = parse("/virtual-switches/virtual-switch[name=lan]/ports/port[interface=eth0]")
ROW = parse("/interfaces/interface[name=eth0]")
VALUES = {
    ("eth0", "address-generation"): ForeignValue("eth0", "address-generation", 2, PORT),
    ("eth0", "up"): ForeignValue("eth0", "up", 0, ROW),
    ("eth0", "mtu"): ForeignValue("eth0", "mtu", 1400, ROW),
}
PLUG, LINK = Plug("eth0", PORT, "br0", 1), Link("eth0", ROW, True, 9000)


def test_what_a_resource_claims() -> None:
    assert claimed(PLUG) == {"address-generation"}
    assert claimed(Plug("eth0", PORT, None, 0)) == claimed(None) == frozenset()
    assert claimed(LINK) == {"up", "mtu"} and claimed(Link("eth0", ROW, True, None)) == {"up"}


def test_only_what_nobody_remembers_is_missing() -> None:
    steps = [Step(Phase.PLUG, item.key, item.owner, None, item) for item in (PLUG, LINK)]
    assert missing(steps, {}) == {"eth0": {"address-generation": PORT, "up": ROW, "mtu": ROW}}
    assert missing(steps, VALUES) == {}


def test_what_nobody_wants_any_more_is_loose() -> None:
    wanted: dict[Key, Resource] = {LINK.key: Link("eth0", ROW, True, None)}
    assert set(unclaimed(VALUES, wanted)) == {("eth0", "address-generation"), ("eth0", "mtu")}
    assert set(unclaimed(VALUES, wanted, frozenset({PLUG.key}))) == {("eth0", "address-generation")}
    assert unclaimed(VALUES, {}, frozenset({Key(Noun.LINK, "eth1")})) == {}


TAKEN = ForeignValue("eth0", "mtu", 1400, ROW, 7, 0xAA)


@pytest.mark.parametrize(
    ("devices", "becomes"),
    [
        ([HostDevice(7, 0xAA, ("eth0",))], TAKEN),
        ([HostDevice(7, 0xBB, ("eth0",))], TAKEN),  # somebody gave it another address
        ([HostDevice(7, 0xAA, ("lan0",))], TAKEN._replace(device="lan0")),
        ([HostDevice(7, 0xAA, ("lan0", "eth0"))], TAKEN),  # an alternative name is one of its names
        ([HostDevice(7, 0xAA, ("lan0",)), HostDevice(8, 0xBB, ("eth0",))], TAKEN._replace(device="lan0")),
        ([HostDevice(9, 0xAA, ("eth0",))], TAKEN._replace(ifindex=9)),  # it was away
        ([HostDevice(9, 0xAA, ("eth0",)), HostDevice(7, 0xCC, ("eth1",))], TAKEN._replace(ifindex=9)),
        ([HostDevice(9, 0xBB, ("eth0",))], None),  # replaced by another
        ([HostDevice(7, 0xCC, ("eth1",))], TAKEN),  # its number went to another; it is waited for
        ([], TAKEN),
    ],
)
def test_what_was_taken_follows_its_device(devices: list[HostDevice], becomes: ForeignValue | None) -> None:
    held = {(TAKEN.device, TAKEN.attribute): TAKEN}
    gone, come = followed(held, devices)
    assert (gone, come) == (
        ((), ()) if becomes == TAKEN else ((TAKEN,), () if becomes is None else (becomes,))
    )
    if becomes is not None and becomes.device == "lan0":
        moved = {("lan0", "mtu"): becomes}
        assert astray(moved, {ROW}, {}) == moved and astray(held, {ROW}, {}) == {}
        back = followed(moved, [HostDevice(7, 0xAA, ("lan0", "eth0"))])
        assert back == ((becomes,), (TAKEN,))


def test_two_that_swap_their_names() -> None:
    other = ForeignValue("eth1", "mtu", 9000, parse("/interfaces/interface[name=eth1]"), 8, 0xBB)
    held = {("eth0", "mtu"): TAKEN, ("eth1", "mtu"): other}
    gone, come = followed(held, [HostDevice(7, 0xAA, ("eth1",)), HostDevice(8, 0xBB, ("eth0",))])
    assert gone == (TAKEN, other)
    assert come == (TAKEN._replace(device="eth1"), other._replace(device="eth0"))


def test_one_device_that_two_want_stays_with_whoever_has_it() -> None:
    port = "/virtual-switches/virtual-switch[name={}]/ports/port[interface={}]"
    lan, wan = parse(port.format("lan", "enp0s3")), parse(port.format("wan", "eth1"))
    wanted = [Plug("enp0s3", lan, "brlan", 1), Plug("eth1", wan, "brwan", 1)]
    desired: dict[Key, Resource] = {one.key: one for one in wanted}

    def refused(master: str | None) -> list[str]:
        seen = [Plug(one.device, one.owner, master, 1, 7) for one in wanted]
        steps = [
            Step(Phase.PLUG, one.key, one.owner, there, one)
            for one, there in zip(wanted, seen, strict=True)
            if one != there
        ]
        return [failure.step.key.name for failure in rivals(steps, desired, seen)]

    assert refused("brlan") == ["eth1"] and refused("brwan") == ["enp0s3"]
    assert refused(None) == ["eth1"]


def test_giving_back() -> None:
    assert restored(PLUG, VALUES) == Plug("eth0", PORT, None, 2)
    assert restored(LINK, VALUES) == Link("eth0", ROW, False, 1400)
    assert restored(Link("eth0", ROW, True, None), VALUES) == Link("eth0", ROW, False, None)
    assert restored(LINK, {}) == Link("eth0", ROW, None, None)
    assert [step.after for step in give_back(VALUES)] == [
        Plug("eth0", PORT, None, 2),
        Link("eth0", ROW, False, 1400),
    ]


def test_a_link_is_compared_by_what_is_managed() -> None:
    assert mask(Link("eth0", ROW, True, 1500), Link("eth0", ROW, True, None)) == Link("eth0", ROW, True, None)
    assert mask(PLUG, None) == PLUG
    # Nor is what has to be given back left alone.
    assert mask(Link("eth0", ROW, True, 9000), Link("eth0", ROW, False, None), VALUES) == LINK


def managed(mtu: int | None, *, enabled: bool = True) -> object:
    config = {"name": "eth7", "type": "iana-if-type:ethernetCsmacd", "enabled": enabled}
    return replaced(
        "/interfaces/interface[name=eth7]",
        {"name": "eth7", "config": config if mtu is None else {**config, "mtu": mtu}},
    )


@in_loop
async def test_a_managed_link_gets_its_values_back(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before = box.host.snapshot()
    async with started(box):
        await box.submit(managed(9000, enabled=False))  # type: ignore[arg-type]
        device = box.host.kernel.devices["eth7"]
        assert (device.mtu, device.up) == (9000, False)
        await box.submit(managed(None, enabled=False))  # type: ignore[arg-type]
        assert (device.mtu, device.up) == (1500, False)
        # The host changes it now, for nobody manages it; taken again, that is what it goes back to.
        device.mtu = 1600
        await box.submit(managed(9000))  # type: ignore[arg-type]
    async with started(Box(tmp_path, host=box.host)) as again:
        assert again.drivers.ensures == []
        await again.submit(deleted("/interfaces"))
        before.devices["eth7"].mtu = 1600
        assert again.host.kernel == before
    async with started(Box(tmp_path, host=box.host)) as last:
        assert last.drivers.ensures == []


@in_loop
async def test_undo_gives_back_what_was_just_taken(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before = box.host.snapshot()

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if when == "before" and key.noun is Noun.DOMAIN:
            raise DriverError("no")

    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError, match="everything was undone"):
            await box.submit(managed(9000, enabled=False), demo.everything())  # type: ignore[arg-type]
        assert box.host.kernel == before
        assert box.transactor._standing.foreign == {}


@in_loop
async def test_undo_gives_back_what_was_taken_beside_what_was_held(tmp_path: FilePath) -> None:
    """The port is managed already, its MTU is not: the undo finds no MTU in what was configured before."""
    box = Box(tmp_path)
    furnish(box.host)

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if when == "before" and key.noun is Noun.DOMAIN:
            raise DriverError("no")

    box.drivers.set_trap(trap)
    async with started(box):
        await box.submit(managed(None, enabled=False))  # type: ignore[arg-type]
        before, taken = box.host.snapshot(), dict(box.transactor._standing.foreign)
        with pytest.raises(ApplyError, match="everything was undone"):
            await box.submit(managed(9000, enabled=True), demo.everything())  # type: ignore[arg-type]
        assert box.host.kernel == before
        assert box.transactor._standing.foreign == taken


@pytest.mark.parametrize("first", ["switch", "interface"])
@in_loop
async def test_what_a_port_has_of_two_objects_is_given_back_by_each(first: str, tmp_path: FilePath) -> None:
    """One object that lets go does not make the box forget what the other one took."""
    box = Box(tmp_path)
    furnish(box.host)
    before = box.host.snapshot().devices["eth7"]
    let_go = {"switch": demo.switch(demo.LAN), "interface": deleted("/interfaces")}
    async with started(box):
        await box.submit(managed(9000, enabled=False), demo.switch(demo.LAN, "eth7"))  # type: ignore[arg-type]
        await box.submit(let_go.pop(first))
        assert box.host.kernel.devices["eth7"] != before
        await box.submit(*let_go.values())
        assert box.host.kernel.devices["eth7"] == before
        assert box.transactor._standing.foreign == {}


@in_loop
async def test_what_nobody_has_to_give_back_is_forgotten_too(tmp_path: FilePath) -> None:
    """The port was as it is configured: nothing is done when it is let go, nor to what it becomes later."""
    box = Box(tmp_path)
    furnish(box.host)
    async with started(box):
        await box.submit(managed(1500))  # type: ignore[arg-type]
        await box.submit(managed(None))  # type: ignore[arg-type]
        box.host.kernel.devices["eth7"].mtu = 1600
        await box.transactor.repair()
        assert box.host.kernel.devices["eth7"].mtu == 1600
        await box.submit(deleted("/interfaces"))
    box.host.kernel.devices["eth7"].up = False
    async with started(Box(tmp_path, host=box.host)) as again:
        assert not again.host.kernel.devices["eth7"].up


@in_loop
async def test_recovery_gives_back_one_value_while_it_sets_another(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before = box.host.kernel.devices["eth7"].mtu
    async with started(box):
        await box.submit(managed(None, enabled=False))  # type: ignore[arg-type]
        edits = managed(9000, enabled=True)
        confirm = Confirm(Act.COMMIT, "c1", 3600)
        await box.transactor.submit(Request(edits, "anna", "test", confirm=confirm))  # type: ignore[arg-type]
        device = box.host.kernel.devices["eth7"]
        assert (device.up, device.mtu) == (True, 9000)
    async with started(Box(tmp_path, host=box.host)) as again:
        assert (device.up, device.mtu) == (False, before)
        assert set(again.transactor._standing.foreign) == {("eth7", "up")}


@in_loop
async def test_a_port_that_was_moved_gets_its_value_back_though_late(
    tmp_path: FilePath,
) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before, busy = box.host.snapshot().devices["eth7"], True

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if busy and when == "before" and isinstance(wanted, Plug) and wanted.address_generation == 0:
            raise DriverError("busy")

    async with started(box):
        await box.submit(demo.switch(demo.LAN, "eth7"))
        await box.submit(demo.switch(demo.LAN), demo.switch(demo.WAN, "eth7"))
        box.drivers.set_trap(trap)
        await box.submit(demo.switch(demo.WAN))
        assert box.publisher.alarms and box.host.kernel.devices["eth7"].generation == 1
        busy = False
        await box.until(lambda: box.host.kernel.devices["eth7"] == before and not box.publisher.alarms)
        assert box.transactor._standing.foreign == {}


@in_loop
async def test_what_is_given_back_while_a_commit_waits_is_forgotten_after_it(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before, busy = box.host.snapshot().devices["eth7"], True

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if busy and when == "before" and key.noun is Noun.LINK:
            raise DriverError("busy")

    async with started(box):
        await box.submit(managed(9000))  # type: ignore[arg-type]
        box.drivers.set_trap(trap)
        await box.submit(deleted("/interfaces"))
        confirm = Confirm(Act.COMMIT, "c1", 3600)
        await box.transactor.submit(Request(demo.switch(demo.LAN), "anna", "test", confirm=confirm))
        busy = False
        await box.until(lambda: box.host.kernel.devices["eth7"] == before and not box.publisher.alarms)
        confirm = Confirm(Act.CONFIRM, "c1")
        await box.transactor.submit(Request((), "anna", "test", confirm=confirm))
        await box.until(lambda: not box.transactor._standing.foreign)
    box.host.kernel.devices["eth7"].mtu = 1600
    async with started(Box(tmp_path, host=box.host)) as again:
        assert again.host.kernel.devices["eth7"].mtu == 1600
