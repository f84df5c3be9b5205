"""Extensions of requests: which are heeded, ignored and refused; who is master."""

from pathlib import Path as File
from typing import Any

import grpc
import pytest

from conformance.refusal import refused
from conformance.target import Target
from conformance.test_set_operations import S
from conformance.test_set_refusals import everything
from conformance.wire import Client, ext, leaves, pb, subscription_list
from twinplane.settings import Settings

INVALID = grpc.StatusCode.INVALID_ARGUMENT
DENIED = grpc.StatusCode.PERMISSION_DENIED

INERT = [
    ext.Extension(registered_ext=ext.RegisteredExtension(id=999, msg=b"\xff\x00garbage")),
    ext.Extension(registered_ext=ext.RegisteredExtension(id=4711, msg=b"x")),
    ext.Extension(),
    ext.Extension.FromString(b"\xfa\x3e\x03abc"),  # field 1007, which nobody has defined yet
]
DEPTH = ext.Extension(depth=ext.Depth(level=1))
COMMIT = ext.Extension(commit=ext.Commit(id="c", commit=ext.CommitRequest()))
START = ext.Extension(config_subscription=ext.ConfigSubscription(start=ext.ConfigSubscriptionStart()))
SYNC_DONE = ext.Extension(
    config_subscription=ext.ConfigSubscription(sync_done=ext.ConfigSubscriptionSyncDone(done=True))
)


def arbitration(low: int | None, high: int = 0, role: str | None = None) -> ext.Extension:
    """Who claims to be the master of a role."""
    return ext.Extension(
        master_arbitration=ext.MasterArbitration(
            role=None if role is None else ext.Role(id=role),
            election_id=None if low is None else ext.Uint128(high=high, low=low),
        )
    )


async def subscribed(client: Client, *extensions: ext.Extension, **fields: Any) -> list[pb.SubscribeResponse]:
    """All messages of a ONCE subscription whose request has extensions."""
    request = pb.SubscribeRequest(
        subscribe=subscription_list("/samples", mode=pb.SubscriptionList.ONCE, **fields), extension=extensions
    )
    async with client.stream() as stream:
        await stream.send(request)
        return [message async for message in stream]


@pytest.mark.row("EXT-01", "EXT-02")
async def test_what_is_not_known_is_ignored(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1}, extension=INERT)
    assert await client.value(f"{S}/config/uint8", extension=INERT) == 1
    plain, extended = [await client.get("/samples", extension=each) for each in ([], INERT)]
    for answer in (plain, extended):
        answer.notification[0].timestamp = 0
    assert plain == extended
    assert await client.capabilities() == await client.capabilities(extension=INERT)
    assert len(await subscribed(client)) == len(await subscribed(client, *INERT))


@pytest.mark.row("EXT-02")
async def test_what_is_known_and_misplaced_is_refused(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    before = await everything(client)
    for one in (DEPTH, START, COMMIT, arbitration(1)):
        await refused(client.capabilities(extension=[one]), INVALID)
    for one in (DEPTH, START, SYNC_DONE):
        await refused(client.set(delete=[S], extension=[one]), INVALID)
    for one in (START, COMMIT, arbitration(1)):
        await refused(client.get(S, extension=[one]), INVALID)
    for one in (COMMIT, arbitration(1), SYNC_DONE):
        await refused(subscribed(client, one), INVALID)
    assert await everything(client) == before


@pytest.mark.row("EXT-02")
async def test_what_is_known_and_malformed_is_refused(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    before = await everything(client)
    empty = ext.Extension(config_subscription=ext.ConfigSubscription())
    await refused(subscribed(client, empty), INVALID)
    await refused(client.set(delete=[S], extension=[ext.Extension(commit=ext.Commit(id="c"))]), INVALID)
    await refused(client.set(delete=[S], extension=[arbitration(1), arbitration(2)]), INVALID)
    await refused(client.set(delete=[S], extension=[COMMIT, COMMIT]), INVALID)
    await refused(client.get(S, extension=[DEPTH, DEPTH]), INVALID)
    assert await everything(client) == before


@pytest.mark.row("EXT-02")
async def test_a_poll_asks_for_nothing_else_than_its_list(client: Client) -> None:
    """What it repeats or what is not known changes nothing; what it asks for anew nobody would answer."""
    unknown = ext.Extension(registered_ext=ext.RegisteredExtension(id=ext.EID_EXPERIMENTAL, msg=b"x"))
    listed = subscription_list("/samples", mode=pb.SubscriptionList.POLL)
    async with client.stream() as stream:
        await stream.send(pb.SubscribeRequest(subscribe=listed, extension=[DEPTH]))
        first = leaves(await stream.until_sync())
        for extensions in ((), (DEPTH,), (unknown,)):
            await stream.send(pb.SubscribeRequest(poll=pb.Poll(), extension=extensions))
            assert leaves(await stream.until_sync()) == first
    for other in (ext.Extension(depth=ext.Depth(level=7)), START, COMMIT, arbitration(1)):
        async with client.stream() as stream:
            await stream.send(pb.SubscribeRequest(subscribe=listed, extension=[DEPTH]))
            await stream.until_sync()
            await stream.send(pb.SubscribeRequest(poll=pb.Poll(), extension=[other]))
            assert await stream.status() is INVALID


@pytest.mark.row("EXT-02")
async def test_the_name_of_a_role_has_an_end(client: Client) -> None:
    """It is kept for ever."""
    await refused(client.set(extension=[arbitration(1, role="r" * 257)]), INVALID, "256")
    await client.set(extension=[arbitration(1, role="r" * 256)])


async def claim(client: Client, extension: ext.Extension, number: int) -> None:
    """A Set that leaves a mark, with an election id."""
    await client.set(update={f"{S}/config/uint32": number}, extension=[extension])
    assert await client.value(f"{S}/config/uint32") == number


@pytest.mark.row("EXT-04")
async def test_the_highest_election_id_is_the_master(client: Client) -> None:
    await claim(client, arbitration(5), 1)
    await claim(client, arbitration(5), 2)
    await claim(client, arbitration(6), 3)
    await refused(client.set(delete=[S], extension=[arbitration(5)]), DENIED, "low 6")
    assert await client.value(f"{S}/config/uint32") == 3


@pytest.mark.row("EXT-04")
async def test_an_id_counts_from_any_set(client: Client) -> None:
    """Also from one that fails."""
    await refused(client.set(update={f"{S}/config/uint8": 256}, extension=[arbitration(3)]), INVALID)
    await claim(client, arbitration(2), 1)  # it was refused before it was anybody's turn
    await refused(
        client.set(update={"/samples/settings/config": {"low": 2, "high": 1}}, extension=[arbitration(4)]),
        INVALID,
    )
    await refused(client.set(delete=[S], extension=[arbitration(3)]), DENIED)


@pytest.mark.row("EXT-05")
async def test_ids_have_128_bits(client: Client) -> None:
    await claim(client, arbitration(2**64 - 1), 1)
    await claim(client, arbitration(0, high=1), 2)
    await refused(client.set(delete=[S], extension=[arbitration(2**64 - 1)]), DENIED, "high 1", "low 0")
    await claim(client, arbitration(0, high=2**64 - 1), 3)
    await refused(client.set(delete=[S], extension=[arbitration(2**64 - 1, high=2**63)]), DENIED)


@pytest.mark.row("EXT-05")
async def test_a_missing_id_is_refused_and_zero_is_one(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    await refused(client.set(delete=[S], extension=[arbitration(None)]), INVALID)
    await refused(client.set(delete=[S], extension=[arbitration(None, role="r")]), INVALID)
    assert await client.value(f"{S}/config/uint8") == 1
    await claim(client, arbitration(0), 1)


@pytest.mark.row("EXT-06")
async def test_roles_are_independent(client: Client) -> None:
    await claim(client, arbitration(9, role="one"), 1)
    await claim(client, arbitration(3, role="two"), 2)
    await claim(client, arbitration(1), 3)
    await refused(client.set(delete=[S], extension=[arbitration(8, role="one")]), DENIED, "one")
    await claim(client, arbitration(2, role=""), 4)
    await refused(client.set(delete=[S], extension=[arbitration(1)]), DENIED)  # the same default role
    await claim(client, arbitration(3, role="two"), 5)


@pytest.mark.row("EXT-07")
async def test_the_extension_alone_takes_over(client: Client) -> None:
    answer = await client.set(extension=[arbitration(9)])
    assert answer.timestamp and not answer.response
    await refused(client.set(extension=[arbitration(8)]), DENIED)
    await refused(client.set(update={f"{S}/config/uint8": 1}, extension=[arbitration(8)]), DENIED)
    await client.set(extension=[arbitration(9)])


@pytest.mark.row("EXT-08")
async def test_a_set_without_the_extension_is_processed(client: Client) -> None:
    """Decision A-17."""
    assert Settings().gnmi.require_arbitration is False
    await client.set(extension=[arbitration(9)])
    await client.set(update={f"{S}/config/uint8": 1})
    assert await client.value(f"{S}/config/uint8") == 1


@pytest.mark.row("EXT-08")
async def test_a_set_without_the_extension_is_denied_where_that_is_set(folder: File) -> None:
    async with Target(folder, require_arbitration=True) as target:
        client = target.client()
        await refused(client.set(update={f"{S}/config/uint8": 1}), DENIED, "master_arbitration")
        await refused(client.set(), DENIED)
        await claim(client, arbitration(0), 1)


@pytest.mark.row("EXT-08")
async def test_ids_survive_a_restart(folder: File) -> None:
    async with Target(folder) as target:
        await target.client().set(extension=[arbitration(7, high=3)])
        await target.client().set(extension=[arbitration(4, role="r")])
    async with Target(folder) as again:
        client = again.client()
        await refused(client.set(extension=[arbitration(6, high=3)]), DENIED, "high 3", "low 7")
        await refused(client.set(extension=[arbitration(3, role="r")]), DENIED)
        await client.set(extension=[arbitration(7, high=3)])
