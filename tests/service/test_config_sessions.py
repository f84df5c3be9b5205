"""Sessions, locks, reading and schemas of the configuration service."""

import asyncio
import json

import grpc
import pytest

from service.configuring import SAMPLE, Box, Caller, edit, path, refusal, run
from twinplane_wire.v1 import config_pb2 as pb

SWITCH = "/virtual-switches/virtual-switch[name=lan]"
NAMED = {"name": "lan", "config": {"name": "lan"}}


def test_a_session_lives_as_long_as_its_stream() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            listed = (await box.admin.call(pb.ListSessionsRequest(session_id=session.number))).session
            assert [(one.session_id, one.connected) for one in listed] == [(session.number, True)]
            await box.admin.call(pb.LockRequest(session_id=session.number, target=pb.RUNNING))
        while (await box.admin.call(pb.ListSessionsRequest())).session:
            pass
        assert not box.target.sessions.locked

    run(scenario)


@pytest.mark.long
def test_a_session_ends_when_its_peer_is_silent() -> None:
    async def scenario(box: Box) -> None:
        silent, over = asyncio.Event(), asyncio.Event()

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while (data := await reader.read(1 << 16)) and not silent.is_set():
                    writer.write(data)
                await over.wait()
            finally:
                writer.close()

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await asyncio.open_unix_connection(box.target.folder / "admin.sock")
            await asyncio.gather(forward(reader, there[1]), forward(there[0], writer))

        between = box.target.folder / "between.sock"
        async with (
            await asyncio.start_unix_server(relay, between),
            grpc.aio.insecure_channel(f"unix:{between}") as channel,
            Caller(channel).session() as held,
        ):
            await box.admin.call(pb.ListSessionsRequest(session_id=held.number))
            silent.set()
            # within the minute that a scenario may take: 20 s until it is asked, 10 s for its answer
            while (await box.admin.call(pb.ListSessionsRequest())).session:
                await asyncio.sleep(0.5)
        over.set()

    run(scenario)


def test_a_session_that_lingers_is_resumed_with_its_secret() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session(linger={"seconds": 60}) as session:
            pass
        while (await box.admin.call(pb.ListSessionsRequest())).session[0].connected:
            pass
        wrong = box.admin.stream(pb.OpenSessionRequest(session_id=session.number, secret="guess")).read()
        assert (await refusal(wrong))[0] is grpc.StatusCode.PERMISSION_DENIED
        call = box.admin.stream(pb.OpenSessionRequest(session_id=session.number, secret=session.secret))
        assert (await call.read()).opened.resumed
        call.cancel()

    run(scenario)


def test_a_session_is_its_users() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            call = box.user("operator").call(pb.ListSessionsRequest(session_id=session.number))
            code, message, errors = await refusal(call)
            assert code is grpc.StatusCode.PERMISSION_DENIED
            assert "local-admin" in message
            assert [(one.error_type, one.error_tag) for one in errors] == [("protocol", "access-denied")]
            kill = box.user("operator").call(pb.KillSessionRequest(target=session.number))
            assert (await refusal(kill))[0] is grpc.StatusCode.PERMISSION_DENIED
            await box.user("admin").call(pb.KillSessionRequest(target=session.number))
            assert (await session.event()).ended.reason == "killed by admin"

    run(scenario)


def test_a_lock_on_running_holds_back_both_faces() -> None:
    async def scenario(box: Box) -> None:
        async with box.user("operator").session() as session:
            request = pb.LockRequest(session_id=session.number, target=pb.RUNNING, reason="moving racks")
            await box.user("operator").call(request)
            code, message, _ = await refusal(box.gnmi.set(update={SWITCH: NAMED}))
            assert code is grpc.StatusCode.FAILED_PRECONDITION
            assert "operator" in message
            assert "moving racks" in message
            changed = pb.EditRequest(edit=[edit(pb.Edit.MERGE, SWITCH, NAMED)])
            await box.admin.call(changed)
            code, _, errors = await refusal(box.admin.call(pb.CommitRequest()))
            assert errors[0].error_tag == "lock-denied"
            plan = await box.admin.call(pb.PlanRequest())
            assert plan.step and [one.error_tag for one in plan.refused] == ["lock-denied"]
            mine = pb.EditRequest(session_id=session.number, edit=[edit(pb.Edit.MERGE, SWITCH, NAMED)])
            await box.user("operator").call(mine)
            await box.user("operator").call(pb.CommitRequest(session_id=session.number))
        while box.target.sessions.locked:
            await box.admin.call(pb.ListSessionsRequest())
        await box.gnmi.set(update={f"{SWITCH}/config/description": "free"})

    run(scenario)


def test_only_an_administrator_breaks_a_lock_and_its_holder_is_told() -> None:
    async def scenario(box: Box) -> None:
        async with box.user("operator").session() as held, box.user("admin").session() as other:
            await box.user("operator").call(pb.LockRequest(session_id=held.number, target=pb.CANDIDATE))
            lock = pb.LockRequest(session_id=other.number, target=pb.CANDIDATE)
            assert (await refusal(box.user("admin").call(lock)))[2][0].error_tag == "lock-denied"
            lock.break_held = True
            answer = await box.user("admin").call(lock)
            assert answer.lock.user == "admin"
            lost = (await held.event()).lock_lost
            assert (lost.datastore, lost.reason) == (pb.CANDIDATE, "broken by admin")
            again = pb.LockRequest(session_id=held.number, target=pb.CANDIDATE, break_held=True)
            assert (await refusal(box.user("operator").call(again)))[0] is grpc.StatusCode.PERMISSION_DENIED

    run(scenario)


def test_a_lock_lasts_a_year_at_most_and_takes_the_edits_it_protected_with_it() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            mine = {"session_id": session.number, "target": pb.CANDIDATE}
            ages = pb.LockRequest(expires_after={"seconds": 10**12}, **mine)
            code, _, errors = await refusal(box.admin.call(ages))
            assert code is grpc.StatusCode.INVALID_ARGUMENT and errors[0].error_tag == "invalid-value"
            assert not (await box.admin.call(pb.ListSessionsRequest())).session[0].lock
            await box.admin.call(pb.LockRequest(**mine))
            await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, SWITCH, NAMED)], **mine))
            await box.admin.call(pb.UnlockRequest(**mine))
            assert not (await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))).change

    run(scenario)


def test_running_is_read_as_text_with_and_without_defaults() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={SWITCH: NAMED})
        (found,) = (await box.admin.text(pb.GetConfigRequest(path=[path(SWITCH)]))).values()
        assert json.loads(found) == {
            "twinplane-virtual-switch:name": "lan",
            "twinplane-virtual-switch:config": {"name": "lan"},
        }
        full = pb.GetConfigRequest(path=[path(SWITCH)], with_defaults=pb.REPORT_ALL)
        (found,) = (await box.admin.text(full)).values()
        config = json.loads(found)["twinplane-virtual-switch:config"]
        assert set(config) > {"name"}
        (name, default), *_ = [pair for pair in config.items() if pair[0] != "name"]
        await box.gnmi.set(update={f"{SWITCH}/config/{name}": default})
        where = pb.GetConfigRequest(path=[path(f"{SWITCH}/config")])
        (found,) = (await box.admin.text(where)).values()
        assert f"twinplane-virtual-switch:{name}" in json.loads(found)
        where.with_defaults = pb.TRIM
        (found,) = (await box.admin.text(where)).values()
        assert json.loads(found) == {"twinplane-virtual-switch:name": "lan"}
        where.encoding = pb.XML
        (found,) = (await box.admin.text(where)).values()
        assert b"<name>lan</name>" in found
        assert await box.admin.text(pb.GetConfigRequest(path=[path(f"{SAMPLE}/config")])) == {}

    run(scenario)


def test_operational_has_state_beside_configuration() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={SWITCH: NAMED})
        request = pb.GetDataRequest(path=[path(SWITCH)], content=pb.GetDataRequest.STATE)
        (found,) = (await box.admin.text(request)).values()
        assert "twinplane-virtual-switch:state" in json.loads(found)
        assert "twinplane-virtual-switch:config" not in json.loads(found)
        request = pb.GetDataRequest(path=[path(SWITCH)], with_defaults=pb.EXPLICIT)
        (found,) = (await box.admin.text(request)).values()
        assert json.loads(found)["twinplane-virtual-switch:config"] == {"name": "lan"}
        whole = await box.admin.text(pb.GetDataRequest(depth=1))
        assert list(whole) == ["/"]

    run(scenario)


def test_schemas_are_those_of_capabilities_and_their_texts_are_there() -> None:
    async def scenario(box: Box) -> None:
        listed = await box.admin.call(pb.ListSchemasRequest())
        models = (await box.gnmi.capabilities()).supported_models
        assert {one.name for one in listed.schema if one.implemented} > {"twinplane-system", "iana-if-type"}
        offered = {(one.name, one.version) for one in listed.schema}
        assert offered == {(one.name, one.version) for one in models}
        for name in ("twinplane-system", "iana-if-type"):
            answer = await box.admin.call(pb.GetSchemaRequest(name=name))
            assert f"module {name} {{" in answer.text
        answer = await box.admin.call(pb.GetSchemaRequest(name="twinplane-system", format=pb.YIN))
        assert 'xmlns="urn:ietf:params:xml:ns:yang:yin:1"' in answer.text
        code, _, errors = await refusal(box.admin.call(pb.GetSchemaRequest(name="nothing")))
        assert code is grpc.StatusCode.NOT_FOUND
        assert errors[0].error_tag == "data-missing"

    run(scenario)
