"""Set as one transaction: back ends, readers, origins, other requests, crashes and restarts."""

import asyncio
import hashlib
import sqlite3
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from conformance import firewall
from conformance.firewall import DOMAIN, FW1, IMAGE, LAN, WAN
from conformance.refusal import refused
from conformance.target import Target
from conformance.test_set_operations import SETTINGS, B, S, bare, config, names
from conformance.test_set_refusals import everything, unchanged
from conformance.wire import Client, apply, leaves, path, pb, update
from twinplane.back_end import ImageCheck
from twinplane.errors import DriverError
from twinplane.plan.resource import Key, Resource, Run

INVALID = grpc.StatusCode.INVALID_ARGUMENT
FIXTURE = "fixture:/samples/sample[name=a]"


def fail_at(target: Target, number: int) -> None:
    """Let the call of ensure with this number fail, and only that one."""
    count = 0

    async def trap(when: str, _key: Key, _wanted: Resource | None) -> None:
        nonlocal count
        if when == "before":
            count += 1
            if count == number:
                raise DriverError("injected")

    target.drivers.set_trap(trap)


@pytest.mark.row("SET-04")
@pytest.mark.parametrize("change", ["create", "delete", "live"])
async def test_a_back_end_that_refuses_at_any_step_is_rolled_back(target: Target, change: str) -> None:
    client = target.client()
    if change != "create":
        await client.set(update=firewall.everything())
    requests: dict[str, dict[str, Any]] = {
        "create": {"update": firewall.everything()},
        "delete": {"delete": ["/appliances", "/virtual-switches", "/images"]},
        "live": {"update": {f"{FW1}/compute/share/config/limit": 250}, "delete": [f"{LAN}/ports"]},
    }
    host, configured = target.host.snapshot(), await everything(client)
    for number in range(1, 60):
        fail_at(target, number)
        try:
            await client.set(**requests[change])
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.ABORTED and "injected" in (error.details() or "")
            assert target.host.kernel == host, number
            assert await everything(client) == configured
        else:
            break
    assert number > 2
    assert target.host.kernel != host


@pytest.mark.row("SET-05")
async def test_nobody_sees_what_is_not_accepted(target: Target) -> None:
    """Requests that fail at the last moment, next to ones that succeed; readers and a follower watch."""
    client, watcher = target.client(), target.client()
    await client.set(update={**firewall.everything(), f"{S}/config": {"uint8": 0, "uint16": 0}})
    seen: set[tuple[int, int]] = set()
    told: list[tuple[Any, Any]] = []
    over = asyncio.Event()

    async def read() -> None:
        while not over.is_set():
            found = bare(await watcher.value(f"{S}/config", encoding=pb.JSON_IETF))
            seen.add((found["uint8"], found["uint16"]))
            await asyncio.sleep(0)

    async def follow() -> None:
        tree: dict[str, Any] = {}
        async with watcher.subscribe(f"{S}/config") as stream:
            for notification in await stream.until_sync():
                apply(tree, notification)
            while f"{S}/config/string" not in tree:
                apply(tree, await stream.notification())
                told.append((tree[f"{S}/config/uint8"], tree[f"{S}/config/uint16"]))

    async def pause(_when: str, key: Key, _wanted: Resource | None) -> None:
        await asyncio.sleep(0.001)
        if key.name == DOMAIN:
            raise DriverError("no")

    watching = [asyncio.ensure_future(work()) for work in (read, follow)]
    await asyncio.sleep(0.2)
    for number in range(1, 21):
        pair = {f"{S}/config": {"uint8": number, "uint16": number}}
        await client.set(update=pair)
        target.drivers.set_trap(pause)
        phantom = {f"{S}/config": {"uint8": 200, "uint16": 200}}
        await refused(client.set(update=phantom, delete=["/appliances"]), grpc.StatusCode.ABORTED)
        await refused(client.set(update={**phantom, f"{S}/config/uint32": -1}), INVALID)
        target.drivers.set_trap(_free)
    await client.set(update={f"{S}/config/string": "the end"})
    over.set()
    await asyncio.gather(*watching)
    assert len(seen) > 3 and all(first == second < 200 for first, second in seen)
    assert told[-1] == (20, 20) and all(first == second < 200 for first, second in told)


async def _free(_when: str, _key: Key, _wanted: Resource | None) -> None:
    pass


@pytest.mark.row("SET-16")
async def test_a_replace_touches_only_its_subtree_and_origin(client: Client) -> None:
    await client.set(
        update={
            f"{S}/config": {"uint8": 1},
            f"{S}/queue/item[id=5]/amount": "1",
            f"{B}/config/uint8": 1,
            FIXTURE: {"config": {"uint8": 9}},
        }
    )
    await client.set(replace={f"{S}/config": {"uint16": 1}})
    assert await client.value(f"{S}/queue/item[id=5]/amount") == 1
    assert await client.value(f"{B}/config/uint8") == 1
    await client.set(replace={"/": {}})
    assert await names(client) == []
    assert await client.value(path(f"{FIXTURE}/config/uint8")) == 9
    await client.set(update={f"{S}/config": {"uint8": 1}})
    await client.set(replace={"fixture:/": {}})
    await refused(client.get(f"{FIXTURE}/config/uint8"), grpc.StatusCode.NOT_FOUND)
    assert await client.value(f"{S}/config/uint8") == 1


@pytest.mark.row("SET-29")
async def test_values_are_exchanged_within_one_request(client: Client) -> None:
    first, second = f"{S}/pairs/pair[number=1][shape=SQUARE]", f"{S}/pairs/pair[number=2][shape=SQUARE]"
    await client.set(update={f"{first}/value": "v", f"{second}/value": "w"})
    await client.set(update={f"{first}/value": "w", f"{second}/value": "v"})
    assert await client.value(f"{first}/value") == "w"
    third = f"{S}/pairs/pair[number=3][shape=SQUARE]"
    await client.set(delete=[first], update={f"{third}/value": "w"})
    assert await client.value(f"{third}/value") == "w"
    await client.set(delete=[second], update={f"{second}/weight": 7})
    assert await config(client, second) == {
        "number": 2,
        "shape": "twinplane-fixture-types:SQUARE",
        "weight": 7,
    }


@pytest.mark.row("SET-29")
async def test_addresses_and_ports_are_exchanged_within_one_request(target: Target) -> None:
    client = target.client()
    await client.set(update={**firewall.everything(), FW1: firewall.appliance("STOPPED")})
    lan, wan = (f"{FW1}/vnics/vnic[name={name}]/config/mac-address" for name in ("lan", "wan"))
    await client.set(update={lan: "52:54:00:00:00:01", wan: "52:54:00:00:00:02"})
    await client.set(update={lan: "52:54:00:00:00:02", wan: "52:54:00:00:00:01"})
    assert await client.value(lan) == "52:54:00:00:00:02"
    bridge = target.host.kernel.devices["eth7"].master
    await client.set(replace={LAN: firewall.switch("eth9"), WAN: firewall.switch("eth7")})
    assert target.host.kernel.devices["eth7"].master not in (None, bridge)
    guest = target.host.kernel.domains[DOMAIN].uuid
    await client.set(delete=[FW1], update={FW1: firewall.appliance("STOPPED")})
    assert target.host.kernel.domains[DOMAIN].uuid == guest


@pytest.mark.row("SET-31")
async def test_applying_the_same_again_changes_nothing(target: Target) -> None:
    client = target.client()
    samples = {f"{S}/config": {"words": ["b", "a"], "uint64": "1"}, f"{S}/queue/item[id=5]/amount": "1"}
    await client.set(update={**firewall.everything(), **samples})
    whole = await everything(client)
    host = target.host.snapshot()
    target.host.effects.clear()
    async with client.subscribe("/") as stream:
        await stream.until_sync()
        await client.set(replace={"/": whole})  # defaults are configured now, with the value they had
        revision = target.transactor.running.revision
        await client.set(replace={"/": whole})
        await client.set(update={"/": whole})
        await client.set(replace={S: bare(whole)["samples"]["sample"][0]})
        assert target.transactor.running.revision == revision
        await client.set(replace={FW1: firewall.appliance(), LAN: firewall.switch("eth7")})
        marker = await client.set(update={f"{S}/config/string": "marker"})
        told = leaves([await _of(stream, marker.timestamp)])
    assert told == {f"{S}/config/string": "marker"}
    assert target.host.kernel == host and target.host.effects == []


async def _of(stream: Any, when: int) -> pb.Notification:
    """The first notification of configuration, which has to have this time; counters may come before."""
    while True:
        notification: pb.Notification = await stream.notification()
        if any("/config/" in name for name in leaves([notification])):
            assert notification.timestamp == when, notification
            return notification


@pytest.mark.row("SET-31")
async def test_another_order_of_a_list_of_the_user_is_a_change(client: Client) -> None:
    def items(*ids: int) -> dict[str, Any]:
        return {f"{S}/queue": {"item": [{"id": number, "amount": "1"} for number in ids]}}

    async def order() -> list[int]:
        return [item["id"] for item in (await config(client, f"{S}/queue"))["item"]]

    for number in (5, 6, 7):
        await client.set(update={f"{S}/queue/item[id={number}]/amount": "1"})
    assert await order() == [5, 6, 7]
    await client.set(replace=items(7, 5, 6))
    assert await order() == [7, 5, 6]
    await client.set(update=items(6, 8))  # merges into what is there
    assert await order() == [7, 5, 6, 8]


@pytest.mark.row("SET-32")
async def test_several_origins_are_one_transaction(client: Client) -> None:
    good, bad = update(f"{S}/config/uint8", 1), update(f"{FIXTURE}/config/uint8", 256)
    late = update("fixture:/samples/settings/config", {"low": 2, "high": 1})
    for operations in ([good, bad], [bad, good], [good, late], [late, good]):
        refusal = await unchanged(client, INVALID, update=operations)
        assert refusal.violations[0][0].startswith("fixture:/samples")
        await refused(client.get(S), grpc.StatusCode.NOT_FOUND)
    await refused(client.get(FIXTURE), grpc.StatusCode.NOT_FOUND)
    await client.set(update=[good, update(f"{FIXTURE}/config/uint8", 2)])
    assert await client.value(f"{S}/config/uint8") == 1
    assert await client.value(f"{FIXTURE}/config/uint8") == 2
    backwards = [update(f"{SETTINGS}/config", {"low": 2, "high": 1}), update(f"{FIXTURE}/config/uint8", 3)]
    await unchanged(client, INVALID, update=backwards)
    assert await client.value(f"{FIXTURE}/config/uint8") == 2


@pytest.mark.row("SET-32")
async def test_an_origin_refers_to_its_own_objects(client: Client) -> None:
    await client.set(update={f"{B}/config/uint8": 1})
    await refused(client.set(update={f"{FIXTURE}/more/friend": "b"}), INVALID)
    other = "fixture:/samples/sample[name=b]"
    await client.set(update={f"{FIXTURE}/more/friend": "b", f"{other}/config/uint8": 1})
    await client.set(delete=[B])
    await refused(client.set(delete=[other]), INVALID)


@pytest.mark.row("SET-33")
async def test_concurrent_requests_are_serialised(target: Target) -> None:
    async def write(client: Client, text: str) -> None:
        for _ in range(15):
            await client.set(replace={f"{S}/config": {"string": text, "words": [text], "pattern": text}})

    client, reader = target.client(), target.client()
    await client.set(replace={f"{S}/config": {"string": "a", "words": ["a"], "pattern": "a"}})
    writing = asyncio.gather(*(write(target.client(), text) for text in "abcd"))
    looked = 0
    while not writing.done():
        found = await config(reader, f"{S}/config")
        assert [found["string"]] == found["words"] and found["pattern"] == found["string"]
        looked += 1
    await writing
    assert looked > 5


@pytest.mark.row("SET-33")
async def test_a_client_that_goes_away_leaves_all_or_nothing(target: Target) -> None:
    """Cancelled at a different moment each time, while drivers take their time."""
    client = target.client()

    async def slow(_when: str, _key: Key, _wanted: Resource | None) -> None:
        await asyncio.sleep(0.002)

    nothing, whole = await everything(client), None
    for number in range(12):
        target.drivers.set_trap(slow)
        call = client.channel.unary_unary("/gnmi.gNMI/Set")(
            pb.SetRequest(
                replace=[update(where, value) for where, value in firewall.everything().items()]
            ).SerializeToString(),
            timeout=0.02 * number if number % 2 else 20,
        )
        await asyncio.sleep(0.015 * number)
        call.cancel()
        target.drivers.set_trap(_free)
        await client.set()  # its turn comes after that of the request before
        found = await everything(client)
        if found != nothing:
            assert whole is None or found == whole
            whole = found
            assert target.host.kernel.domains[DOMAIN].run is Run.RUNNING
            await client.set(delete=["/appliances", "/virtual-switches", "/images"])
        assert target.host.kernel.domains == {} and await everything(client) == nothing
    assert whole is not None


@pytest.mark.row("SET-34")
async def test_ok_means_applied_and_what_waits_says_so(target: Target) -> None:
    client = target.client()
    await client.set(update=firewall.everything())
    assert target.host.kernel.domains[DOMAIN].run is Run.RUNNING
    assert await client.value(f"{FW1}/state/oper-status") == "RUNNING"
    waiting = f"{WAN}/ports/port[interface=eth9]/state"
    assert await client.value(f"{waiting}/oper-status") == "WAITING"
    assert await client.value(f"{waiting}/oper-reason")


@pytest.mark.row("SET-34")
async def test_what_cannot_be_applied_is_not_accepted(folder: File, tmp_path: File) -> None:
    """An image that nobody configured; files of an image that are missing, or have another digest."""
    async with Target(folder, prechecks=(ImageCheck(tmp_path),)) as target:
        client, failed = target.client(), grpc.StatusCode.FAILED_PRECONDITION
        without_image = {name: value for name, value in firewall.everything().items() if name != IMAGE}
        await unchanged(client, INVALID, update=without_image)
        refusal = await unchanged(client, failed, update={IMAGE: firewall.image()})
        sources = [f"{IMAGE}/config/{name}-source" for name in ("initrd", "kernel")]
        assert [field for field, _ in refusal.violations] == sources
        (tmp_path / "firewall").mkdir()
        for name in ("vmlinuz", "initrd.img"):
            (tmp_path / "firewall" / name).write_bytes(b"other")
        assert len((await unchanged(client, failed, update={IMAGE: firewall.image()})).violations) == 2
        digest = "sha256:" + hashlib.sha256(b"other").hexdigest()
        image = firewall.image()
        image["config"] |= {"kernel-digest": digest, "initrd-digest": digest}
        await client.set(update={IMAGE: image})


@pytest.mark.row("SET-35")
async def test_configuration_survives_a_restart(folder: File) -> None:
    async with Target(folder) as target:
        client = target.client()
        await client.set(
            update={
                **firewall.everything(),
                f"{S}/config": {"uint64": "18446744073709551615", "words": ["b", "a"], "decimal18": "0.1"},
                f"{S}/queue": {"item": [{"id": 7}, {"id": "auto"}, {"id": 5}]},
                FIXTURE: {"config": {"string": "ü"}},
            }
        )
        before = await everything(client), await client.value("fixture:/", encoding=pb.JSON_IETF)
        host = target.host
        host.effects.clear()
    async with Target(folder, host=host) as again:
        client = again.client()
        found = await everything(client), await client.value("fixture:/", encoding=pb.JSON_IETF)
        assert found == before
        assert host.effects == []


@pytest.mark.row("SET-35")
async def test_what_was_answered_is_on_the_disk(target: Target) -> None:
    """The file as it is in the moment of the answer, seen by a stranger: what a SIGKILL would leave."""
    await target.client().set(update={f"{S}/config/string": "durable"})
    with sqlite3.connect(f"file:{target.folder}/twinplane.db?mode=ro", uri=True) as db:
        rows = dict(db.execute("SELECT path, body FROM object").fetchall())
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert b"durable" in rows[S]
    db.close()
