"""The history, whoever writes it: author, source, address, comment, time and difference in each row."""

import asyncio
import json

import grpc
from google.protobuf.duration_pb2 import Duration

from conformance.test_set_operations import S
from conformance.wire import ext
from service.configuring import Box, edit, path, refusal, run, text
from twinplane_wire.v1 import config_pb2 as pb

LEAF = f"{S}/config/uint8"


async def merged(box: Box, value: int) -> None:
    await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, LEAF, value)]))


async def committed(box: Box, value: int, **fields: object) -> None:
    await merged(box, value)
    await box.admin.call(pb.CommitRequest(**fields))


async def rows(box: Box) -> list[pb.CommitRecord]:
    """All of them, oldest first."""
    return list(reversed((await box.admin.call(pb.ListCommitsRequest())).commit))


def test_every_way_to_a_commit_leaves_a_whole_row() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LEAF: 1})
        await committed(box, 2, comment="by hand")
        waits = ext.Extension(commit=ext.Commit(id="one", commit=ext.CommitRequest()))
        await box.gnmi.set(update={LEAF: 3}, extension=[waits])
        await box.admin.call(pb.CancelRequest(persist_id="one"))
        confirmed = pb.Confirmed(persist_id="two", timeout=Duration(nanos=200_000_000))
        await committed(box, 4, confirmed=confirmed)
        async with asyncio.timeout(20):
            while box.target.transactor.waiting:
                await asyncio.sleep(0.01)
        await box.admin.call(pb.RollbackRequest(number=1))
        found = await rows(box)
        assert [(one.number, one.source, one.comment) for one in found] == [
            (1, "gnmi", ""),
            (2, "config", "by hand"),
            (3, "gnmi", ""),
            (4, "config", "commit 3 was cancelled"),
            (5, "config", ""),
            (6, "confirm-timeout", "commit 5 was not confirmed"),
            (7, "config", "roll back to commit 1"),
        ]
        assert all(one.author for one in found) and len({one.author for one in found}) == 1
        assert [one.number for one in found if not one.peer] == [6]  # nobody called
        assert [one.time for one in found] == sorted({one.time for one in found})
        values = []
        for one in found:
            changes = (await box.admin.call(pb.GetCommitRequest(number=one.number))).change
            (leaf,) = (change for change in changes if text(change.path) == LEAF)
            values.append((leaf.before, leaf.after))
        assert b" ".join(after for _, after in values) == b"1 2 3 2 4 2 1"
        assert b" ".join(before for before, _ in values) == b" 1 2 3 2 4 2"
        await box.admin.call(pb.CopyConfigRequest(commit=5))  # what was taken back is not lost
        (change,) = (await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))).change
        assert (text(change.path), change.after) == (LEAF, b"4")

    run(scenario)


def test_a_page_of_the_history_fits_into_a_message_whatever_people_write() -> None:
    async def scenario(box: Box) -> None:
        for number in range(1, 4):
            await committed(box, number, comment="\U0001f9ef" * 4096)
        await merged(box, 4)
        for wanted in (pb.CommitRequest, pb.RollbackRequest):
            code, message, _ = await refusal(box.admin.call(wanted(comment="x" * 4097)))
            assert code is grpc.StatusCode.INVALID_ARGUMENT and "4096" in message
        listed = await box.admin.call(pb.ListCommitsRequest())
        assert [len(one.comment) for one in listed.commit] == [4096, 4096, 4096]
        assert 100 * listed.ByteSize() / 3 < 4 << 20

    run(scenario)


def test_each_number_can_be_read_compared_and_had_again() -> None:
    async def scenario(box: Box) -> None:
        for value in range(1, 6):
            await committed(box, value)
        for number in range(1, 6):
            (found,) = (await box.admin.text(pb.GetConfigRequest(commit=number, path=[path(LEAF)]))).values()
            assert json.loads(found) == number
        compared = await box.admin.call(pb.CompareRequest(**{"from": 5, "to": 2}))
        assert [(one.before, one.after) for one in compared.change] == [(b"5", b"2")]
        await merged(box, 9)
        compared = await box.admin.call(pb.CompareRequest(**{"from": 3, "candidate": pb.CANDIDATE}))
        assert [(one.before, one.after) for one in compared.change] == [(b"3", b"9")]
        paged = await box.admin.call(pb.ListCommitsRequest(before=4, limit=2))
        assert [one.number for one in paged.commit] == [3, 2]

    run(scenario)
