"""Events of the configuration service: stored with what causes them, replayed, filtered, followed."""

import asyncio
import json
from pathlib import Path as File
from typing import Any

import grpc
from pyang import context, repository

from conformance.firewall import FW1, everything
from conformance.target import FIXTURES
from service.configuring import Box, edit, path, refusal, run, text
from twinplane.schema.compile import standard_directories
from twinplane.transaction import notice
from twinplane_wire.v1 import config_pb2 as pb

YANG = File(__file__).parents[2] / "yang"
LAN = "/virtual-switches/virtual-switch[name=lan]"
DMZ = "/virtual-switches/virtual-switch[name=dmz]"


async def replay(box: Box, **fields: Any) -> list[pb.Notification]:
    call = box.admin.stream(pb.NotificationsRequest(stop_at_now=True, **fields))
    return [one async for one in call]


async def commit(box: Box, where: str, **fields: Any) -> None:
    name = where.rpartition("=")[2].rstrip("]")
    await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, where, {"config": {"name": name}})]))
    await box.admin.call(pb.CommitRequest(**fields))


def test_commits_are_events_and_are_replayed_from_a_number_or_a_time() -> None:
    async def scenario(box: Box) -> None:
        await commit(box, LAN, comment="first")
        await commit(box, DMZ, confirmed=pb.Confirmed(persist_id="x"))
        await box.admin.call(pb.ConfirmRequest(persist_id="x"))
        *events, end = await replay(box, after_sequence=0)
        assert end.replay_complete
        assert [(one.sequence, one.kind) for one in events] == [
            (1, "commit"),
            (2, "commit"),
            (3, "commit-confirmed"),
        ]
        first, second, _ = (json.loads(one.data) for one in events)
        assert first["twinplane-notifications:commit"]["comment"] == "first"
        assert first["twinplane-notifications:commit"]["object"] == [LAN]
        assert second["twinplane-notifications:commit"]["confirmation"] == "waiting"
        later = await replay(box, since=events[1].time)
        assert [one.sequence for one in later[:-1]] == [2, 3]
        some = await replay(box, after_sequence=0, below=[path(DMZ)])
        assert [one.sequence for one in some[:-1]] == [2, 3]
        some = await replay(box, after_sequence=0, below=[path(LAN)])
        assert [one.sequence for one in some[:-1]] == [1]
        for pattern in (f"{LAN[:-5]}=*]", "/*/virtual-switch", "/.../virtual-switch"):
            some = await replay(box, after_sequence=0, below=[path(pattern)])
            assert [one.sequence for one in some[:-1]] == [1, 2, 3], pattern
        some = await replay(box, after_sequence=0, below=[path("/appliances/*")])
        assert not some[:-1]
        some = await replay(box, after_sequence=0, kind=["commit-confirmed"])
        assert [one.sequence for one in some[:-1]] == [3]
        code, message, _ = await refusal(replay(box, after_sequence=0, kind=["weather"]))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "weather" in message

    run(scenario)


def test_what_comes_is_sent_as_it_comes() -> None:
    async def scenario(box: Box) -> None:
        call = box.admin.stream(pb.NotificationsRequest(after_sequence=0))
        assert (await call.read()).replay_complete
        await commit(box, LAN)
        async with asyncio.timeout(20):
            event = await call.read()
        assert (event.sequence, event.kind) == (1, "commit")
        call.cancel()

    run(scenario)


def test_a_replay_from_below_what_is_kept_begins_with_the_gap() -> None:
    async def scenario(box: Box) -> None:
        await commit(box, LAN)
        await commit(box, DMZ)
        await box.target.store.read(lambda db: db.execute("DELETE FROM notice WHERE sequence = 1"))
        gap, event, end = await replay(box, after_sequence=0)
        assert (getattr(gap.gap, "from"), gap.gap.to) == (1, 1)
        assert event.sequence == 2
        assert end.replay_complete
        gap, *_ = await replay(box, since=1)
        assert gap.HasField("gap")

    run(scenario)


def test_an_appliance_that_changes_its_state_is_an_event() -> None:
    async def scenario(box: Box) -> None:
        reported = "/appliances/appliance[name=gone]/state"
        box.target.report(reported, {"name": "gone", "oper-status": "FAILED", "oper-reason": "why"})
        async with asyncio.timeout(20):
            while not (found := (await replay(box, after_sequence=0))[:-1]):
                await asyncio.sleep(0.01)
        (event,) = found
        assert text(event.path) == "/appliances/appliance[name=gone]"
        assert json.loads(event.data) == {
            "twinplane-notifications:appliance-state": {"name": "gone", "after": "FAILED", "reason": "why"}
        }
        box.target.report(reported, {})
        async with asyncio.timeout(20):
            while len(found := (await replay(box, after_sequence=0))[:-1]) < 2:
                await asyncio.sleep(0.01)
        assert json.loads(found[1].data)["twinplane-notifications:appliance-state"]["before"] == "FAILED"

    run(scenario)


def test_what_a_commit_does_to_an_appliance_is_stored_with_it() -> None:
    async def scenario(box: Box) -> None:
        def told(event: pb.Notification) -> dict[str, str]:
            return dict(json.loads(event.data)["twinplane-notifications:appliance-state"])

        states, only = {"kind": ["commit", "appliance-state"]}, {"kind": ["appliance-state"]}
        await box.gnmi.set(update=everything())
        committed, started, _ = await replay(box, after_sequence=0, **states)
        assert (committed.sequence, started.sequence) == (1, 2)
        assert started.time == committed.time
        assert told(started) == {"name": "fw1", "after": "RUNNING"}
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.DELETE, FW1)]))
        await box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(persist_id="x")))
        *_, committed, paused, _ = await replay(box, after_sequence=2, **states)
        assert paused.time == committed.time
        assert told(paused) == {"name": "fw1", "before": "RUNNING", "after": "PAUSED"}
        await box.admin.call(pb.ConfirmRequest(persist_id="x"))
        async with asyncio.timeout(20):  # no commit causes that the guest goes: it has waited until now
            while len(rest := await replay(box, after_sequence=paused.sequence, **only)) < 2:
                await asyncio.sleep(0.01)
        assert [told(one) for one in rest[:-1]] == [{"name": "fw1", "before": "PAUSED"}]

    run(scenario)


def test_what_others_change_on_the_host_is_an_event_and_an_alarm_until_it_is_over() -> None:
    async def scenario(box: Box) -> None:
        await commit(box, LAN)
        (bridge,) = (one for one in box.target.host.kernel.devices.values() if one.owner is not None)

        async def until(resolved: bool) -> pb.Notification:
            async with asyncio.timeout(20):
                while True:
                    *events, _ = await replay(box, after_sequence=0, kind=["drift"], below=[path(LAN)])
                    for event in events:
                        if json.loads(event.data)["twinplane-notifications:drift"]["resolved"] is resolved:
                            return event
                    await asyncio.sleep(0.01)

        bridge.mtu = 1400
        box.target.source.touch()
        event = await until(False)
        (line,) = json.loads(event.data)["twinplane-notifications:drift"]["difference"]
        assert (text(event.path), line.rpartition(" ")[0]) == (LAN, "change bridge")
        alarms = await box.gnmi.value("/system/alarms")
        assert line in json.dumps(alarms) and "DRIFT" in json.dumps(alarms)
        bridge.mtu = 1500
        box.target.source.touch()
        await until(True)
        assert await box.admin.text(pb.GetDataRequest(path=[path("/system/alarms/alarm")])) == {}

    run(scenario)


def test_the_module_has_every_kind() -> None:
    directories = ":".join(str(one) for one in (YANG, FIXTURES, *standard_directories()))
    ctx = context.Context(repository.FileRepository(directories, use_env=False, no_path_recurse=True))
    module = ctx.add_module("it", (YANG / "twinplane-notifications.yang").read_text())
    assert {one.arg for one in module.search("notification")} == notice.KINDS
