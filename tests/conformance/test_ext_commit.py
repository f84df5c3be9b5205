"""The Commit extension: a Set that has to be confirmed (decision A-18; RFC 6241 section 8.4)."""

import asyncio
from pathlib import Path as File
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from conformance import firewall
from conformance.firewall import DOMAIN, FW1
from conformance.refusal import refused
from conformance.target import Target
from conformance.test_ext_requests import arbitration
from conformance.test_set_operations import S
from conformance.test_set_refusals import everything
from conformance.wire import Client, apply, ext, pb
from twinplane.errors import DriverError
from twinplane.plan.resource import Key, Resource, Run
from twinplane.transaction.request import Act, Confirm, Request

INVALID = grpc.StatusCode.INVALID_ARGUMENT
FAILED = grpc.StatusCode.FAILED_PRECONDITION
LEAF = f"{S}/config/uint8"


def duration(seconds: float) -> Duration:
    """A Duration."""
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 10**9))


def commit(name: str = "c1", seconds: float | None = None) -> list[ext.Extension]:
    """Make the Set a commit that has to be confirmed."""
    asked = ext.CommitRequest(rollback_duration=None if seconds is None else duration(seconds))
    return [ext.Extension(commit=ext.Commit(id=name, commit=asked))]


def confirm(name: str = "c1") -> list[ext.Extension]:
    """It is for good."""
    return [ext.Extension(commit=ext.Commit(id=name, confirm=ext.CommitConfirm()))]


def cancel(name: str = "c1") -> list[ext.Extension]:
    """All as before, at once."""
    return [ext.Extension(commit=ext.Commit(id=name, cancel=ext.CommitCancel()))]


def extend(seconds: float | None, name: str = "c1") -> list[ext.Extension]:
    """The time starts anew."""
    asked = ext.CommitSetRollbackDuration(rollback_duration=None if seconds is None else duration(seconds))
    return [ext.Extension(commit=ext.Commit(id=name, set_rollback_duration=asked))]


async def over(target: Target) -> None:
    """Wait until no commit waits, and until all that is done for its end is done."""
    while target.transactor.waiting:
        await asyncio.sleep(0.005)
    await target.transactor.repair()


@pytest.mark.row("EXT-12")
async def test_every_action_needs_an_id(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1})
    for nameless in (commit(""), confirm(""), cancel(""), extend(5, "")):
        await refused(client.set(extension=nameless), INVALID, "id")
        await refused(client.set(update={LEAF: 2}, extension=nameless), INVALID)
    assert await client.value(LEAF) == 1 and not target.transactor.waiting


@pytest.mark.row("EXT-12")
async def test_a_commit_is_applied_and_taken_back_when_its_time_is_up(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1})
    answer = await client.set(update={LEAF: 2}, extension=commit(seconds=0.3))
    assert answer.timestamp and len(answer.response) == 1
    assert await client.value(LEAF) == 2
    await over(target)
    assert await client.value(LEAF) == 1


@pytest.mark.row("EXT-12")
async def test_without_a_duration_it_is_ten_minutes(target: Target) -> None:
    client = target.client()
    loop = asyncio.get_running_loop()
    before = loop.time()
    await client.set(update={LEAF: 2}, extension=commit())
    timer = target.transactor._confirmations._timer
    assert timer is not None and before + 600 <= timer.when() <= loop.time() + 600


@pytest.mark.row("EXT-12")
@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_time_at_all_is_refused(client: Client, seconds: int) -> None:
    await refused(client.set(update={LEAF: 2}, extension=commit(seconds=seconds)), INVALID)
    await refused(client.get(LEAF), grpc.StatusCode.NOT_FOUND)


@pytest.mark.row("EXT-13")
async def test_while_a_commit_waits_others_are_refused(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1}, extension=commit())
    for other in (client, target.mutual("operator")):
        await refused(other.set(update={LEAF: 2}), FAILED, "commit 1 ")
        await refused(other.set(), FAILED)
        await refused(other.set(delete=[S], extension=[arbitration(1)]), FAILED)
        await refused(other.set(update={LEAF: 2}, extension=commit("c2")), FAILED)
        await refused(other.set(update={LEAF: 2}, extension=commit("c1")), FAILED)
        union = [pb.Update(path=pb.Path(), val=pb.TypedValue(json_ietf_val=b"{}"))]
        await refused(other.set(union_replace=union), FAILED)
    assert await client.value(LEAF) == 1
    await client.set(extension=confirm())
    await client.set(update={LEAF: 2})
    assert await client.value(LEAF) == 2


@pytest.mark.row("EXT-13")
async def test_both_faces_see_one_commit(target: Target) -> None:
    """What the other face submits is a request like ours; no commit, wait, confirmation is a face's own."""
    client, writer = target.client(), target.transactor

    def other(act: Act | None, name: str = "c1") -> Request:
        return Request((), "admin", "config", confirm=None if act is None else Confirm(act, name))

    await client.set(update={LEAF: 1}, extension=commit())
    for act in (None, Act.COMMIT):
        with pytest.raises(Exception, match="waits for its confirmation"):
            await writer.submit(other(act))
    await writer.submit(other(Act.CONFIRM))
    await writer.submit(other(Act.COMMIT, "theirs"))
    await refused(client.set(update={LEAF: 2}), FAILED, "commit 2 ")
    await client.set(extension=cancel("theirs"))
    assert await client.value(LEAF) == 1


@pytest.mark.row("EXT-14")
@pytest.mark.parametrize("end", ["cancel", "expiry"])
async def test_the_reversal_restores_everything_and_is_told(target: Target, end: str) -> None:
    client = target.client()
    await client.set(update={**firewall.everything(), LEAF: 1, f"{S}/config/words": ["a"]})
    before, host = await everything(client), target.host.snapshot()
    tree: dict[str, Any] = {}
    async with client.subscribe("/samples", "/appliances/appliance/config") as stream:
        for notification in await stream.until_sync():
            apply(tree, notification)
        known = dict(tree)
        answer = await client.set(
            update={LEAF: 2, f"{S}/config/string": "new"},
            delete=["/appliances", "/virtual-switches", f"{S}/config/words"],
            extension=commit(seconds=60 if end == "cancel" else 0.5),
        )
        while tree.get(LEAF) != 2 or any(name.startswith(FW1) for name in tree):
            apply(tree, await stream.notification())
        assert target.host.kernel.domains[DOMAIN].run is Run.PAUSED  # as it was, and can be had back
        if end == "cancel":
            reversal = await client.set(extension=cancel())
            assert reversal.timestamp > answer.timestamp
        await over(target)
        while tree != known:
            notification = await stream.notification()
            assert notification.timestamp > answer.timestamp
            apply(tree, notification)
    assert await everything(client) == before
    assert target.host.kernel == host


@pytest.mark.row("EXT-15")
async def test_a_confirmation_makes_it_permanent(folder: File) -> None:
    async with Target(folder) as target:
        client = target.client()
        await client.set(update=firewall.everything())
        await client.set(delete=["/appliances"], update={LEAF: 1}, extension=commit(seconds=0.5))
        assert target.host.kernel.domains[DOMAIN].run is Run.PAUSED
        answer = await client.set(extension=confirm())
        assert answer.timestamp and not answer.response
        assert DOMAIN not in target.host.kernel.domains
        await asyncio.sleep(0.6)
        assert await client.value(LEAF) == 1
        host = target.host
    async with Target(folder, host=host) as again:
        assert await again.client().value(LEAF) == 1
        assert DOMAIN not in host.kernel.domains


@pytest.mark.row("EXT-15")
async def test_actions_in_each_state(target: Target) -> None:
    client = target.client()
    for action in (confirm(), cancel(), extend(5)):
        await refused(client.set(extension=action), FAILED)
    await client.set(update={LEAF: 1}, extension=commit())
    for action in (confirm("c2"), cancel("c2"), extend(5, "c2")):
        await refused(client.set(extension=action), INVALID, action[0].commit.id)
    await client.set(extension=extend(60))
    await client.set(extension=confirm())
    for action in (confirm(), cancel(), extend(5)):
        await refused(client.set(extension=action), FAILED)
    await client.set(update={LEAF: 2}, extension=commit("c2"))
    await client.set(extension=cancel("c2"))
    for action in (confirm("c2"), cancel("c2"), extend(5, "c2")):
        await refused(client.set(extension=action), FAILED)
    assert await client.value(LEAF) == 1


@pytest.mark.row("EXT-16")
async def test_the_time_starts_anew_from_receipt(target: Target) -> None:
    client = target.client()
    loop = asyncio.get_running_loop()
    await client.set(update={LEAF: 1}, extension=commit(seconds=60))
    before = loop.time()
    await client.set(extension=extend(5))
    timer = target.transactor._confirmations._timer
    assert timer is not None and before + 5 <= timer.when() <= loop.time() + 5
    await client.set(extension=extend(60))
    await client.set(extension=extend(0.1))
    await over(target)
    await refused(client.get(LEAF), grpc.StatusCode.NOT_FOUND)


@pytest.mark.row("EXT-16")
async def test_more_time_is_more_than_there_was(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1}, extension=commit(seconds=0.3))
    await client.set(extension=extend(60))
    await asyncio.sleep(0.5)
    assert await client.value(LEAF) == 1 and target.transactor.waiting == "c1"


@pytest.mark.row("EXT-16")
async def test_a_duration_has_to_be_there_and_positive(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1}, extension=commit())
    for seconds in (None, 0, -1):
        await refused(client.set(extension=extend(seconds)), INVALID)
    assert target.transactor.waiting == "c1"


@pytest.mark.row("EXT-17")
async def test_a_restart_takes_a_waiting_commit_back(folder: File) -> None:
    async with Target(folder) as target:
        client = target.client()
        await client.set(update={**firewall.everything(), LEAF: 1})
        before, host = await everything(client), target.host.snapshot()
        await client.set(
            delete=["/appliances", "/virtual-switches"], update={LEAF: 2}, extension=commit(seconds=600)
        )
        assert await everything(client) != before
        left = target.host
    async with Target(folder, host=left) as again:
        client = again.client()
        assert await everything(client) == before
        assert left.kernel == host
        await refused(client.set(extension=confirm()), FAILED)
        await client.set(update={LEAF: 3})


@pytest.mark.row("EXT-17")
async def test_a_commit_that_fails_opens_no_window(target: Target) -> None:
    client = target.client()
    await refused(client.set(update={LEAF: 256}, extension=commit()), INVALID)
    await refused(
        client.set(update={"/samples/settings/config": {"low": 2, "high": 1}}, extension=commit()), INVALID
    )

    async def trap(when: str, key: Key, _wanted: Resource | None) -> None:
        if when == "before" and key.name == DOMAIN:
            raise DriverError("no")

    target.drivers.set_trap(trap)
    await refused(client.set(update=firewall.everything(), extension=commit()), grpc.StatusCode.ABORTED)
    assert not target.transactor.waiting
    await client.set(update={LEAF: 1})


@pytest.mark.row("EXT-17")
async def test_an_end_carries_no_operations(target: Target) -> None:
    client = target.client()
    await client.set(update={LEAF: 1}, extension=commit())
    for action in (confirm(), cancel(), extend(5)):
        await refused(client.set(update={LEAF: 2}, extension=action), INVALID)
        await refused(client.set(delete=[S], extension=action), INVALID)
    assert await client.value(LEAF) == 1 and target.transactor.waiting == "c1"
