"""Depth and Config Subscription: extensions of reads."""

import asyncio
import json
from typing import Any

import grpc
import pytest

from conformance import firewall
from conformance.firewall import FW1
from conformance.refusal import refused
from conformance.target import Target
from conformance.test_ext_commit import cancel, commit, confirm, over
from conformance.test_ext_requests import DEPTH, START
from conformance.test_set_operations import SETTINGS, B, S, bare
from conformance.wire import Client, Stream, apply, ext, leaves, path, pb, subscription_list, text
from twinplane.schema.write import JsonPayload, edits
from twinplane.transaction.request import Request
from twinplane.tree.edit import Operation
from twinplane_wire.path import parse

INVALID = grpc.StatusCode.INVALID_ARGUMENT
STREAM, ONCE, POLL = pb.SubscriptionList.STREAM, pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL
BASKET = {
    f"{S}/config": {"uint8": 1, "words": ["fruits", "vegetables"]},
    f"{S}/pairs/pair[number=1][shape=SQUARE]/value": "apples",
    f"{S}/bundle": {"left": 1, "inner": {"deep": True}, "step": [{"id": 4, "act": "a"}]},
    f"{SETTINGS}/optional/needed": "too heavy",
    f"{SETTINGS}/config/plain": "cotton",
}


def depth(level: int) -> list[ext.Extension]:
    """So many levels below each path."""
    return [ext.Extension(depth=ext.Depth(level=level))]


async def got(client: Client, where: str, level: int, **fields: Any) -> list[Any]:
    """The values of a Get of configuration at a depth, without module names."""
    fields.setdefault("type", pb.GetRequest.CONFIG)
    answer = await client.get(where, extension=depth(level), encoding=pb.JSON_IETF, **fields)
    changes = [change for notification in answer.notification for change in notification.update]
    return [bare(json.loads(change.val.json_ietf_val)) for change in changes]


async def followed(client: Client, level: int, *paths: str, mode: int = ONCE) -> set[str]:
    """The leaves of the initial values of a subscription at a depth."""
    stream = client.stream()
    async with stream:
        listed = subscription_list(*paths, mode=mode)
        await stream.send(pb.SubscribeRequest(subscribe=listed, extension=depth(level)))
        return set(leaves(await stream.until_sync()))


@pytest.mark.row("EXT-18")
async def test_depth_works_on_both_reads_and_on_every_path(client: Client) -> None:
    await client.set(update=BASKET)
    answer = await client.get(f"{S}/bundle", SETTINGS, extension=depth(1), encoding=pb.PROTO)
    found = [set(leaves([one])) for one in answer.notification]
    assert found == [{f"{S}/bundle/left"}, {f"{SETTINGS}/tcp-port"}]
    for mode in (STREAM, ONCE, POLL):
        assert await followed(client, 1, f"{S}/bundle", SETTINGS, mode=mode) == found[0] | found[1]


@pytest.mark.row("EXT-18")
async def test_no_depth_is_no_limit(client: Client) -> None:
    await client.set(update=BASKET)
    assert await got(client, "/samples", 0) == await got(client, "/samples", 2**32 - 1)
    plain = bare(await client.value("/samples", type=pb.GetRequest.CONFIG, encoding=pb.JSON_IETF))
    assert await got(client, "/samples", 0) == [plain]
    everything = set(leaves(await client_once(client, "/samples")))
    assert await followed(client, 0, "/samples") == everything
    assert await followed(client, 99, "/samples") == everything


async def client_once(client: Client, where: str) -> list[pb.Notification]:
    """The notifications of a ONCE subscription."""
    return [one.update for one in await client.once(where) if one.HasField("update")]


@pytest.mark.row("EXT-18")
async def test_depth_has_no_place_elsewhere(client: Client) -> None:
    await refused(client.capabilities(extension=[DEPTH]), INVALID, "depth")
    await refused(client.set(update={f"{S}/config/uint8": 1}, extension=[DEPTH]), INVALID, "depth")
    await refused(client.get(S), grpc.StatusCode.NOT_FOUND)


@pytest.mark.row("EXT-19")
async def test_one_level_is_the_leaves_directly_below(client: Client) -> None:
    await client.set(update=BASKET)
    assert await got(client, f"{S}/config", 1) == [
        {"name": "a", "uint8": 1, "words": ["fruits", "vegetables"]}
    ]
    assert await got(client, S, 1) == [{"name": "a"}]
    assert await got(client, f"{S}/bundle", 1) == [{"left": 1}]


@pytest.mark.row("EXT-19")
async def test_a_list_gives_the_leaves_of_its_entries(client: Client) -> None:
    await client.set(update={**BASKET, f"{B}/config/uint8": 2})
    assert await got(client, "/samples/sample", 1) == [{"name": "a"}, {"name": "b"}]
    assert await got(client, f"{S}/pairs/pair", 1) == [
        {"number": 1, "shape": "twinplane-fixture-types:SQUARE", "value": "apples", "weight": 50}
    ]
    assert await followed(client, 1, "/samples/sample") == {f"{S}/name", f"{B}/name"}


@pytest.mark.row("EXT-19")
async def test_more_levels_go_further_down(client: Client) -> None:
    await client.set(update=BASKET)
    assert await got(client, f"{S}/bundle", 2) == [
        {"left": 1, "inner": {"deep": True}, "step": [{"id": 4, "act": "a"}]}
    ]
    assert await got(client, S, 2) == [
        {
            "name": "a",
            "config": {"name": "a", "uint8": 1, "words": ["fruits", "vegetables"]},
            "bundle": {"left": 1},
        }
    ]
    found = await followed(client, 2, S)
    assert f"{S}/bundle/left" in found and f"{S}/config/uint8" in found
    assert not any("inner" in name or "pair" in name for name in found)


@pytest.mark.row("EXT-19")
async def test_containers_do_not_appear_by_themselves(client: Client) -> None:
    """Decision A-19: nothing at a level is an empty answer; a leaf is itself."""
    await client.set(update=BASKET)
    (found,) = await got(client, SETTINGS, 1)
    assert "optional" not in found and "config" not in found
    answer = await client.get("/samples", extension=depth(1), type=pb.GetRequest.CONFIG)
    assert len(answer.notification) == 1 and not answer.notification[0].update
    assert await followed(client, 1, "/samples") == set()
    assert await got(client, f"{S}/config/uint8", 1) == [1]
    assert await followed(client, 1, f"{S}/config/uint8") == {f"{S}/config/uint8"}


@pytest.mark.row("EXT-19")
async def test_changes_below_the_depth_are_not_sent(client: Client) -> None:
    await client.set(update=BASKET)
    async with client.stream() as stream:
        await stream.send(pb.SubscribeRequest(subscribe=subscription_list(S), extension=depth(2)))
        await stream.until_sync()
        await client.set(update={f"{S}/pairs/pair[number=1][shape=SQUARE]/value": "b"})
        await client.set(update={f"{S}/config/uint8": 2})
        assert leaves([await stream.notification()]) == {f"{S}/config/uint8": 2}
        await client.set(delete=[S])
        notification = await stream.notification()
        gone = {text(pb.Path(elem=[*notification.prefix.elem, *one.elem])) for one in notification.delete}
        assert gone and not any("inner" in one or "pair[" in one for one in gone)


async def follow_config(
    client: Client, stream: Stream, *entries: str | pb.Subscription, **fields: Any
) -> dict[str, Any]:
    """Start a config subscription; gives the tree after the initial values."""
    request = pb.SubscribeRequest(subscribe=subscription_list(*entries, **fields), extension=[START])
    await stream.send(request)
    tree: dict[str, Any] = {}
    for notification in await stream.until_sync():
        apply(tree, notification)
    return tree


async def to_done(stream: Stream, tree: dict[str, Any]) -> ext.ConfigSubscriptionSyncDone:
    """Take in what comes before the next sync-done, and that."""
    while (message := await stream.read()) is not None:
        if message.WhichOneof("response") == "update":
            apply(tree, message.update)
            continue
        assert message.WhichOneof("response") is None, message  # sync_response comes once only
        (extension,) = message.extension
        done = extension.config_subscription.sync_done
        assert done.done
        return done
    raise AssertionError("the stream ended")


@pytest.mark.row("EXT-20")
@pytest.mark.parametrize("mode", [STREAM, ONCE, POLL])
async def test_only_configuration_is_sent(target: Target, mode: int) -> None:
    client = target.client()
    await client.set(update={**firewall.everything(), **BASKET})
    target.report(f"{S}/state", {"uint8": 7, "ticks": 1})
    async with client.stream() as stream:
        tree = await follow_config(client, stream, "/", mode=mode)
    assert f"{FW1}/config/image" in tree and f"{S}/config/uint8" in tree
    assert not [name for name in tree if "/state/" in name or "/state[" in name]
    answer = await client.get("/", type=pb.GetRequest.CONFIG, encoding=pb.PROTO)
    configured = leaves(answer.notification)
    assert configured.keys() <= tree.keys()
    rows = tree.keys() - configured.keys()  # of these only the keys are sent: they are configuration too
    assert all(name.endswith(("/name", "/interface", "/id", "/index")) for name in rows), rows


@pytest.mark.row("EXT-20")
async def test_no_state_arrives_later_either(target: Target) -> None:
    client = target.client()
    await client.set(update=BASKET)
    async with client.stream() as stream:
        tree = await follow_config(client, stream, "/")
        target.report(f"{S}/state", {"uint8": 7})
        target.report(f"{S}/state", {"uint8": 8})
        target.report(f"{S}/state", {})
        await client.set(update={f"{S}/config/uint8": 9})
        await to_done(stream, tree)
        assert tree[f"{S}/config/uint8"] == 9 and not [name for name in tree if "/state/" in name]
        await stream.silent(0.3)


@pytest.mark.row("EXT-20")
async def test_updates_only_sends_no_initial_values(client: Client) -> None:
    await client.set(update=BASKET)
    async with client.stream() as stream:
        assert await follow_config(client, stream, "/", updates_only=True) == {}
        tree: dict[str, Any] = {}
        await client.set(update={f"{S}/config/uint8": 9})
        await to_done(stream, tree)
        assert tree == {f"{S}/config/uint8": 9}


@pytest.mark.row("EXT-20")
async def test_without_the_extension_there_is_no_sync_done(client: Client) -> None:
    async with client.subscribe(S) as stream:
        await stream.until_sync()
        await client.set(update={f"{S}/config/uint8": 9})
        message = await stream.read()
        assert message is not None and message.WhichOneof("response") == "update" and not message.extension
        await stream.silent(0.3)


@pytest.mark.row("EXT-21")
async def test_each_commit_ends_with_a_sync_done(client: Client) -> None:
    on_change = pb.Subscription(path=path("/samples"), mode=pb.ON_CHANGE)
    async with client.stream() as stream:
        tree = await follow_config(client, stream, on_change)
        ids = []
        for number in (1, 2):
            await client.set(update={f"{S}/config/uint8": number, f"{S}/config/uint16": number})
            done = await to_done(stream, tree)
            assert tree[f"{S}/config/uint8"] == tree[f"{S}/config/uint16"] == number
            assert not done.commit_confirm_id
            ids.append(int(done.server_commit_id))
        assert ids[1] == ids[0] + 1


@pytest.mark.row("EXT-21")
async def test_commits_are_told_apart_by_a_slow_reader_too(client: Client) -> None:
    """Nothing is merged over the end of a commit, however many wait to be read."""
    async with client.stream() as stream:
        tree = await follow_config(client, stream, S)
        await asyncio.gather(*(client.set(update={f"{S}/config/uint8": number}) for number in range(20)))
        seen = []
        for _ in range(20):
            await to_done(stream, tree)
            seen.append(tree[f"{S}/config/uint8"])
        assert sorted(seen) == list(range(20))


@pytest.mark.row("EXT-21")
async def test_no_sync_done_comes_before_the_sync_response(target: Target) -> None:
    """Also with commits during the walk over the initial values."""
    client, writer = target.client(), target.client()
    await client.set(update={f"/samples/sample[name=n{number}]/config/uint8": 1 for number in range(200)})
    stop = asyncio.Event()

    async def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await writer.set(update={f"{S}/config/uint32": number})

    churning = asyncio.ensure_future(churn())
    try:
        for _ in range(10):
            async with client.stream() as stream:
                tree = await follow_config(
                    client, stream, "/samples"
                )  # no message but updates until the sync
                await to_done(stream, tree)
                value = tree[f"{S}/config/uint32"]
                await to_done(stream, tree)
                assert tree[f"{S}/config/uint32"] == value + 1
    finally:
        stop.set()
        await churning


@pytest.mark.row("EXT-21")
async def test_a_commit_of_any_interface_is_marked(target: Target) -> None:
    client = target.client()
    async with client.stream() as stream:
        tree = await follow_config(client, stream, S)
        value = edits(target.schemas.default, Operation.UPDATE, parse(f"{S}/config/uint8"), JsonPayload(b"5"))
        outcome = await target.transactor.submit(Request(value, "admin", "config"))
        done = await to_done(stream, tree)
        assert tree[f"{S}/config/uint8"] == 5 and done.server_commit_id == str(outcome.revision)


@pytest.mark.row("EXT-22")
@pytest.mark.parametrize("end", ["confirm", "cancel", "expiry"])
async def test_sync_dones_of_a_confirmed_commit(target: Target, end: str) -> None:
    client = target.client()
    await client.set(update={f"{S}/config/uint8": 1})
    async with client.stream() as stream:
        tree = await follow_config(client, stream, S)
        await client.set(
            update={f"{S}/config/uint8": 2}, extension=commit(seconds=0.5 if end == "expiry" else 60)
        )
        assert (await to_done(stream, tree)).commit_confirm_id == "c1"
        assert tree[f"{S}/config/uint8"] == 2
        if end == "confirm":
            await client.set(extension=confirm())  # the next sync-done is that of the next commit
        else:
            if end == "cancel":
                await client.set(extension=cancel())
            await over(target)
            assert (await to_done(stream, tree)).commit_confirm_id == "c1"
            assert tree[f"{S}/config/uint8"] == 1
        await client.set(update={f"{S}/config/uint8": 3})
        assert not (await to_done(stream, tree)).commit_confirm_id
        assert tree[f"{S}/config/uint8"] == 3
