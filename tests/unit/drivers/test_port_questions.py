"""What it costs to find ports: one device at a time, never a look at all devices for each."""

import asyncio
from uuid import UUID

from twinplane.drivers.port import PortDriver
from twinplane.model.names import alias
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow
from twinplane.plan.resource import Key, Noun, Ownership
from twinplane_wire.path import parse

INSTANCE = UUID(int=1)
SWITCH = parse("/virtual-switches/virtual-switch[name=lan]")


def row(index: int, name: str, kind: str = "veth", master: int = 0, text: str = "") -> LinkRow:
    return LinkRow(index, name, kind, 1, 1500, "02:00:00:00:00:01", text, master, "UP", True, 1, "", 1, b"")


class Devices(Connection):
    """Some devices; a dump of all is refused."""

    def __init__(self, *rows: LinkRow) -> None:
        super().__init__()
        self.rows = rows

    async def link(self, name: str) -> LinkRow | None:
        return next((row for row in self.rows if row.name == name), None)

    async def device(self, index: int) -> LinkRow | None:
        return next((row for row in self.rows if row.index == index), None)

    async def links(self) -> tuple[LinkRow, ...]:
        raise AssertionError("all devices were asked for")


def test_a_port_is_found_without_a_look_at_all_devices() -> None:
    driver = PortDriver(
        INSTANCE,
        Devices(
            row(1, "ours", "bridge", text=alias(INSTANCE, SWITCH)),
            row(2, "theirs", "bridge"),
            row(3, "plugged", master=1),
            row(4, "taken", master=2),
            row(5, "free"),
        ),
    )

    async def find(name: str) -> Ownership:
        return (await driver.find(Key(Noun.PORT, name))).ownership

    assert asyncio.run(find("plugged")) is Ownership.OWN
    assert asyncio.run(find("taken")) is Ownership.FOREIGN
    assert asyncio.run(find("free")) is Ownership.ABSENT
    assert asyncio.run(find("nowhere")) is Ownership.ABSENT
