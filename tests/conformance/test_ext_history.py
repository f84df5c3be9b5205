"""History: configuration as it was, from the commits that are kept."""

import itertools
import time
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from conformance.refusal import refused
from conformance.target import Target
from conformance.test_ext_requests import START
from conformance.test_set_operations import SETTINGS, B, S
from conformance.wire import Client, apply, ext, leaves, pb, subscription_list

INVALID, UNIMPLEMENTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED
ALL = ("/samples",)  # elsewhere are rows that nobody configured, whose keys count as configuration
STREAM, ONCE, POLL = pb.SubscriptionList.STREAM, pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL


def snapshot(moment: int) -> ext.Extension:
    """What was at a time."""
    return ext.Extension(history=ext.History(snapshot_time=moment))


def span(start: int, end: int) -> ext.Extension:
    """What changed in a time."""
    return ext.Extension(history=ext.History(range=ext.TimeRange(start=start, end=end)))


async def asked(
    client: Client, *extensions: ext.Extension, mode: int, paths: tuple[str, ...] = ALL, **fields: Any
) -> list[pb.SubscribeResponse]:
    """All messages of a subscription of the past, to its end."""
    async with client.stream() as stream:
        listed = subscription_list(*paths, mode=mode, **fields)
        await stream.send(pb.SubscribeRequest(subscribe=listed, extension=extensions))
        return [message async for message in stream]


async def then(client: Client, moment: int, *paths: str) -> dict[str, Any]:
    """Path → value of a snapshot, which ends with its sync_response."""
    *updates, last = await asked(client, snapshot(moment), mode=ONCE, paths=paths or ALL)
    assert last.sync_response
    assert all(one.update.timestamp == moment for one in updates)
    return leaves([one.update for one in updates])


async def now(client: Client) -> dict[str, Any]:
    """Path → value of the configuration in force, with the defaults in use."""
    stream = client.stream()
    async with stream:
        listed = subscription_list(*ALL, mode=ONCE)
        await stream.send(pb.SubscribeRequest(subscribe=listed, extension=[START]))
        return leaves(await stream.until_sync())


async def lived(client: Client) -> list[tuple[int, dict[str, Any]]]:
    """A few commits of all kinds: the time of each and what was configured after it."""
    sets: tuple[dict[str, Any], ...] = (
        {"update": {f"{S}/config/uint8": 1, f"{SETTINGS}/config/plain": "a"}},
        {"update": {f"{S}/config/uint8": 2, f"{B}/config/uint16": 5}},
        {"replace": {S: {"name": "a", "config": {"name": "a", "words": ["x", "y"]}}}},
        {"delete": [B]},
        {"update": {f"{B}/bundle": {"left": 1, "step": [{"id": 4, "act": "z"}]}}},
    )
    found = []
    for one in sets:
        answer = await client.set(**one)
        found.append((answer.timestamp, await now(client)))
    return found


@pytest.mark.row("EXT-09")
async def test_a_snapshot_is_the_tree_as_it_was(client: Client) -> None:
    begin = time.time_ns()
    bare = await now(client)
    commits = await lived(client)
    assert await then(client, begin) == bare
    for moment, configured in commits:
        assert await then(client, moment) == configured  # what was committed at that time is in it
    for (_, before), (moment, _) in itertools.pairwise(commits):
        assert await then(client, moment - 1) == before


@pytest.mark.row("EXT-09")
async def test_a_snapshot_is_of_the_paths_that_are_asked_for(client: Client) -> None:
    (moment, configured), *_ = await lived(client)
    found = await then(client, moment, f"{S}/config", "/samples/*[name=b]")
    assert found == {name: value for name, value in configured.items() if name.startswith(f"{S}/config/")}


@pytest.mark.row("EXT-09")
async def test_a_snapshot_needs_once(client: Client) -> None:
    for mode in (STREAM, POLL):
        await refused(asked(client, snapshot(1), mode=mode), INVALID, "ONCE")


@pytest.mark.row("EXT-10")
async def test_a_range_tells_every_change_and_ends(client: Client) -> None:
    commits = await lived(client)
    start, end = commits[1][0], commits[4][0]
    messages = await asked(client, span(start, end), mode=STREAM)
    tree: dict[str, Any] = {}
    sync = [index for index, one in enumerate(messages) if one.sync_response]
    assert len(sync) == 1
    for one in messages[: sync[0]]:
        apply(tree, one.update)
    assert tree == commits[0][1]  # as it was at the start: what is of that very time comes as a change
    seen = {}
    for one in messages[sync[0] + 1 :]:
        apply(tree, one.update)
        seen[one.update.timestamp] = dict(tree)
    assert seen == dict(commits[1:4])  # half-open: the last commit is at the end


@pytest.mark.row("EXT-10")
async def test_updates_only_leaves_out_what_was_at_the_start(client: Client) -> None:
    commits = await lived(client)
    messages = await asked(
        client, span(commits[1][0], commits[1][0] + 1), START, mode=STREAM, updates_only=True
    )
    assert messages[0].sync_response
    *updates, done = messages[1:]
    assert leaves([one.update for one in updates]) == {
        f"{S}/config/uint8": 2,
        **{name: value for name, value in commits[1][1].items() if name.startswith(B)},
    }
    assert done.extension[0].config_subscription.sync_done.server_commit_id == "2"


@pytest.mark.row("EXT-10")
async def test_an_empty_range_is_the_state_at_its_start(client: Client) -> None:
    commits = await lived(client)
    moment = commits[2][0]
    *updates, last = await asked(client, span(moment, moment), mode=STREAM)
    assert last.sync_response
    assert leaves([one.update for one in updates]) == commits[1][1]


@pytest.mark.row("EXT-10")
async def test_a_range_needs_stream_and_an_order(client: Client) -> None:
    for mode in (ONCE, POLL):
        await refused(asked(client, span(1, 2), mode=mode), INVALID, "STREAM")
    await refused(asked(client, span(3, 2), mode=STREAM), INVALID, "3", "2")


@pytest.mark.row("EXT-11")
async def test_times_that_have_not_come_are_not_served(client: Client) -> None:
    later = time.time_ns() + 3600 * 10**9
    await refused(asked(client, snapshot(later), mode=ONCE), UNIMPLEMENTED, str(later))
    await refused(asked(client, span(1, later), mode=STREAM), UNIMPLEMENTED, str(later))
    await refused(asked(client, span(later, later + 1), mode=STREAM), UNIMPLEMENTED)


@pytest.mark.row("EXT-03")
async def test_what_has_no_history_is_refused(client: Client) -> None:
    """What is of now in the place of what was then would be wrong data."""
    await lived(client)
    await refused(asked(client, snapshot(1), mode=ONCE, paths=(f"{S}/state",)), UNIMPLEMENTED, "state")
    await refused(asked(client, span(1, 2), mode=STREAM, paths=("/components",)), UNIMPLEMENTED)


@pytest.mark.row("EXT-02")
async def test_history_has_no_place_elsewhere_and_asks_for_something(client: Client) -> None:
    await refused(client.get("/", extension=[snapshot(1)]), INVALID, "history")
    await refused(client.set(delete=[S], extension=[snapshot(1)]), INVALID, "history")
    await refused(client.capabilities(extension=[span(1, 2)]), INVALID, "history")
    await refused(asked(client, ext.Extension(history=ext.History()), mode=ONCE), INVALID, "history")


@pytest.mark.row("EXT-02")
@pytest.mark.parametrize("moment", [-1, -(2**40), -(2**63)])
async def test_no_time_is_before_the_epoch(client: Client, moment: int) -> None:
    await refused(asked(client, snapshot(moment), mode=ONCE), INVALID, str(moment))
    await refused(asked(client, span(moment, 1), mode=STREAM), INVALID, str(moment))
    assert await then(client, 0) == await now(client)


@pytest.mark.row("EXT-09", "EXT-10")
async def test_what_is_not_kept_any_more_is_said(folder: File) -> None:
    target = Target(folder)
    target.store._kept = 2
    async with target:
        client = target.client()
        commits = await lived(client)
        for request, mode in ((snapshot(commits[2][0]), ONCE), (span(commits[3][0], commits[4][0]), STREAM)):
            await refused(asked(client, request, mode=mode), grpc.StatusCode.NOT_FOUND, "4 to 5 are kept")
        assert await then(client, commits[3][0]) == commits[3][1]


@pytest.mark.row("EXT-10")
async def test_long_ranges_come_whole(client: Client) -> None:
    sets = [await client.set(update={f"{S}/config/uint16": number}) for number in range(120)]
    times = [one.timestamp for one in sets]
    messages = await asked(
        client, span(times[0], times[-1] + 1), mode=STREAM, paths=(f"{S}/config/uint16",), updates_only=True
    )
    assert [leaves([one.update]).popitem()[1] for one in messages[1:]] == list(range(120))
