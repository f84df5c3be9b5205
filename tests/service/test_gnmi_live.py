"""Telemetry end to end: real operational tree, real streams, real gRPC. Names in brackets as elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path as File
from typing import Any

import pytest

from service.double import Live, live, serving
from twinplane.state.facts import Batch, LinkFact, LinkGone
from twinplane_client import AsyncClient, InvalidError, Notification, Sync, Target
from twinplane_wire.path import Path, parse

SWITCHES = "/virtual-switches"
LAN = f"{SWITCHES}/virtual-switch[name=lan]"
ETH = "/interfaces/interface[name=eth9]"


def run(folder: File, scenario: Callable[[AsyncClient, Live], Awaitable[None]]) -> None:
    async def body() -> None:
        target = live()
        async with (
            serving(folder, target) as (admin, _),
            AsyncClient(Target(admin)) as client,
            asyncio.timeout(60),
        ):
            await scenario(client, target)

    asyncio.run(body())


def link(oper: str = "UP") -> LinkFact:
    return LinkFact(
        name="eth9",
        index=9,
        kind="veth",
        mtu=1500,
        mac="02:00:00:00:00:09",
        owner=None,
        up=True,
        oper=oper,
        carrier=oper == "UP",
        carrier_changes=1,
        master=None,
    )


class Follower:
    """A client that applies what a stream says to a tree of its own."""

    def __init__(self, stream: AsyncIterator[Notification | Sync]) -> None:
        self._stream = stream
        self.leaves: dict[Path, Any] = {}
        self.times: dict[Path, int] = {}

    async def sync(self) -> "Follower":
        while not isinstance(item := await anext(self._stream), Sync):
            assert not item.deletes
            assert not {update.path for update in item.updates} & self.leaves.keys()
            self.take(item)
        return self

    async def next(self) -> Notification:
        item = await anext(self._stream)
        assert isinstance(item, Notification)
        self.take(item)
        return item

    def take(self, item: Notification) -> None:
        for gone in item.deletes:
            for path in [path for path in self.leaves if gone.is_prefix_of(path)]:
                assert item.timestamp > self.times[path]
                del self.leaves[path]
        for update in item.updates:
            assert item.timestamp > self.times.get(update.path, 0)
            self.leaves[update.path] = update.value
            self.times[update.path] = item.timestamp


def changes(item: Notification) -> dict[str, Any]:
    return {str(update.path): update.value for update in item.updates}


def test_telemetry_follows_a_set(tmp_path: File) -> None:
    """[SUB-15, SUB-16, SUB-33, SUB-35, SUB-36, SUB-46]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        stream = await Follower(client.subscribe(f"{SWITCHES}/virtual-switch/config")).sync()
        assert stream.leaves[parse(f"{LAN}/config/mtu")] == 1400
        done = await client.set(update={f"{LAN}/config/description": "a"})
        item = await stream.next()
        assert changes(item) == {f"{LAN}/config/description": "a"}
        assert item.timestamp == done.timestamp
        await client.set(update={f"{LAN}/config/description": "a"})  # the same: silence
        await client.set(delete=[f"{LAN}/config/mtu"])
        assert changes(await stream.next()) == {f"{LAN}/config/mtu": 1500}
        await client.set(delete=[LAN])
        item = await stream.next()
        assert item.deletes
        assert all(parse(f"{LAN}/config").is_prefix_of(path) for path in item.deletes)
        assert stream.leaves == {}

    run(tmp_path, scenario)


def test_events_of_the_host_reach_subscribers(tmp_path: File) -> None:
    """[SUB-07, SUB-15, SUB-32]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        stream = await Follower(client.subscribe(f"{ETH}/state/oper-status", encoding="proto")).sync()
        assert stream.leaves == {}
        for oper in ("UP", "DOWN"):
            target.operational.apply(Batch("netlink", (link(oper),)))
            assert changes(await stream.next()) == {f"{ETH}/state/oper-status": oper}
            (now,) = await client.get(f"{ETH}/state/oper-status")
            assert now.updates[0].value == oper
        target.operational.apply(Batch("netlink", (LinkGone("eth9"),)))
        item = await stream.next()
        assert [str(path) for path in item.deletes] == [f"{ETH}/state/oper-status"]
        assert stream.leaves == {}

    run(tmp_path, scenario)


@pytest.mark.parametrize("encoding", ["json", "json_ietf", "proto"])
def test_a_stream_converges_to_what_get_says(tmp_path: File, encoding: Any) -> None:
    """[SUB-05, SUB-37..39]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        async def write() -> None:
            for number in range(60):
                name = f"s{number % 7}"
                path = f"{SWITCHES}/virtual-switch[name={name}]"
                if number % 5 == 4:
                    await client.set(delete=[path])
                else:
                    await client.set(update={f"{path}/config": {"mtu": 1300 + number, "description": "ü"}})
            await client.set(update={f"{SWITCHES}/virtual-switch[name=last]/config/mtu": 9000})

        writing = asyncio.ensure_future(write())
        stream = await Follower(client.subscribe(SWITCHES, encoding=encoding)).sync()
        last = parse(f"{SWITCHES}/virtual-switch[name=last]/config/mtu")
        while last not in stream.leaves:
            await stream.next()
        await writing
        (now,) = await client.get(SWITCHES, encoding="proto")
        assert stream.leaves == {update.path: update.value for update in now.updates}

    run(tmp_path, scenario)


def test_samples_come_whether_or_not_values_change(tmp_path: File) -> None:
    """[SUB-19..22, SUB-24, ERR-21]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        mtu = f"{LAN}/config/mtu"
        stream = await Follower(client.subscribe(mtu, mode="sample", sample_interval=0.1)).sync()
        for _ in range(3):
            assert changes(await stream.next()) == {mtu: 1400}
        suppressed = await Follower(
            client.subscribe(mtu, mode="sample", sample_interval=0.1, suppress_redundant=True)
        ).sync()
        await client.set(update={mtu: 1450})
        assert changes(await suppressed.next()) == {mtu: 1450}
        for bad in (
            client.subscribe(mtu, mode="sample", sample_interval=1e-9),
            client.subscribe(mtu, mode="target-defined", sample_interval=1),
            client.subscribe(mtu, heartbeat_interval=1e-9),
        ):
            with pytest.raises(InvalidError, match="interval"):
                await anext(bad)

    run(tmp_path, scenario)


def test_once_of_everything(tmp_path: File) -> None:
    """[SUB-08, SUB-09, SUB-26, SUB-30]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        target.operational.apply(Batch("netlink", (link(),)))
        items = [item async for item in client.subscribe("/", LAN, LAN, mode="once", encoding="proto")]
        assert items.pop() is Sync.SYNC
        seen = [update.path for item in items if isinstance(item, Notification) for update in item.updates]
        assert len(seen) == len(set(seen))
        (everything,) = await client.get("/", encoding="proto")
        assert set(seen) == {update.path for update in everything.updates}
        assert parse(f"{ETH}/state/oper-status") in seen

    run(tmp_path, scenario)


def test_types_on_real_state(tmp_path: File) -> None:
    """[GET-09..11]"""

    async def scenario(client: AsyncClient, target: Live) -> None:
        target.operational.apply(Batch("netlink", (link(),)))
        await client.set(update={f"{ETH}/config/description": "uplink"})
        values = {}
        for kind in ("all", "config", "state", "operational"):
            (one,) = await client.get(ETH, kind=kind, encoding="json")  # type: ignore[arg-type]
            (values[kind],) = [update.value for update in one.updates]
        assert values["config"] == {
            "name": "eth9",
            "config": {"name": "eth9", "description": "uplink", "enabled": True},
        }
        assert "config" not in values["state"]
        assert values["all"] == {**values["config"], **values["state"]}
        assert values["state"]["state"]["mtu"] == 1500
        assert "mtu" not in values["operational"]["state"]
        assert values["operational"]["state"]["oper-status"] == "UP"

    run(tmp_path, scenario)
