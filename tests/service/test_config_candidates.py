"""Edits of candidates, plans, commits, confirmations and the history of the configuration service."""

import asyncio
import json

import grpc
from google.protobuf.duration_pb2 import Duration

from conformance.firewall import FW1, IMAGE, appliance
from conformance.wire import ext
from service.configuring import Box, edit, path, refusal, run, text
from twinplane.plan.resource import Key, Resource
from twinplane_wire.v1 import config_pb2 as pb

SWITCHES = "/virtual-switches/virtual-switch"
LAN = f"{SWITCHES}[name=lan]"
DMZ = f"{SWITCHES}[name=dmz]"
SAMPLES = "/samples/sample"


def named(name: str, **config: str) -> dict[str, object]:
    return {"name": name, "config": {"name": name, **config}}


def merge(where: str, value: object) -> pb.Edit:
    return edit(pb.Edit.MERGE, where, value)


async def description(box: Box, where: str = LAN, **fields: object) -> str | None:
    request = pb.GetConfigRequest(path=[path(f"{where}/config/description")], **fields)
    found = await box.admin.text(request)
    return next((str(json.loads(one)) for one in found.values()), None)


def test_edits_of_a_private_candidate_are_seen_by_nobody_else_until_committed() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            edits = [merge(LAN, named("lan", description="one"))]
            await box.admin.call(pb.EditRequest(session_id=session.number, edit=edits))
            own = {"session_id": session.number, "source": pb.PRIVATE}
            assert await description(box, **own) == "one"
            assert await description(box) is None
            assert await description(box, source=pb.CANDIDATE) is None
            committed = await box.admin.call(pb.CommitRequest(session_id=session.number, comment="first"))
            assert committed.changed
            assert {text(one.path) for one in committed.change} >= {f"{LAN}/config/description"}
            assert await description(box) == "one"
            assert await box.gnmi.value(f"{LAN}/config/description") == "one"

    run(scenario)


def test_create_and_delete_need_what_they_say_and_all_faults_come_at_once() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LAN: named("lan")})
        request = pb.EditRequest(edit=[edit(pb.Edit.CREATE, LAN, named("lan"))])
        code, _, errors = await refusal(box.admin.call(request))
        assert code is grpc.StatusCode.ALREADY_EXISTS
        assert [(one.error_tag, one.error_path, one.operation) for one in errors] == [("data-exists", LAN, 1)]
        request = pb.EditRequest(edit=[edit(pb.Edit.REMOVE, DMZ), edit(pb.Edit.DELETE, DMZ)])
        _, _, errors = await refusal(box.admin.call(request))
        assert [(one.error_tag, one.operation) for one in errors] == [("data-missing", 2)]
        request = pb.EditRequest(edit=[merge(f"{LAN}/config/mtu", "x"), merge(f"{LAN}/config/colour", "red")])
        _, _, errors = await refusal(box.admin.call(request))
        assert [one.operation for one in errors] == [1, 2]

    run(scenario)


def test_entries_of_an_ordered_list_are_put_where_they_belong() -> None:
    async def scenario(box: Box) -> None:
        steps = f"{SAMPLES}[name=a]/bundle/step"

        def entry(number: int) -> str:
            return f"{steps}[id={number}]"

        async def order() -> list[str]:
            request = pb.GetConfigRequest(source=pb.CANDIDATE, path=[path(steps)])
            return [one.rpartition("=")[2].rstrip("]") for one in await box.admin.text(request)]

        placed = [
            edit(pb.Edit.INSERT, entry(3), {"id": 3}),
            edit(pb.Edit.INSERT, entry(1), {"id": 1}, insert=pb.Edit.FIRST),
            edit(pb.Edit.INSERT, entry(2), {"id": 2}, insert=pb.Edit.BEFORE, point=path(entry(3))),
        ]
        await box.admin.call(pb.EditRequest(edit=placed, test_option=pb.EditRequest.SET))
        assert await order() == ["1", "2", "3"]
        moved = edit(pb.Edit.MOVE, entry(1), insert=pb.Edit.AFTER, point=path(entry(3)))
        await box.admin.call(pb.EditRequest(edit=[moved], test_option=pb.EditRequest.SET))
        assert await order() == ["2", "3", "1"]
        lost = edit(pb.Edit.MOVE, entry(1), insert=pb.Edit.AFTER, point=path(entry(9)))
        _, _, errors = await refusal(box.admin.call(pb.EditRequest(edit=[lost])))
        assert [(e.error_tag, e.error_app_tag) for e in errors] == [("invalid-value", "missing-instance")]

    run(scenario)


def test_what_is_told_of_many_faults_fits_into_the_trailers() -> None:
    async def scenario(box: Box) -> None:
        request = pb.EditRequest(edit=[merge(f"{LAN}/config/mtu", "x") for _ in range(300)])
        code, message, errors = await refusal(box.admin.call(request))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "100 more" in message
        assert [one.operation for one in errors] == list(range(1, len(errors) + 1))
        assert len(errors) > 3

    run(scenario)


def test_validate_lists_everything_in_its_answer() -> None:
    async def scenario(box: Box) -> None:
        wrong = [merge(f"/appliances/appliance[name={name}]", {"config": {"name": name}}) for name in "ab"]
        code, _, errors = await refusal(box.admin.call(pb.EditRequest(edit=wrong)))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        await box.admin.call(pb.EditRequest(edit=wrong, test_option=pb.EditRequest.SET))
        answer = await box.admin.call(pb.ValidateRequest())
        assert not answer.valid
        assert [one.error_path for one in answer.error] == [one.error_path for one in errors]
        assert {one.error_path.split("]")[0] for one in answer.error} == {
            "/appliances/appliance[name=a",
            "/appliances/appliance[name=b",
        }
        await box.admin.call(pb.DiscardRequest())
        assert (await box.admin.call(pb.ValidateRequest())).valid
        assert (await box.admin.call(pb.ValidateRequest(source=pb.RUNNING))).valid
        assert not (await box.admin.call(pb.ValidateRequest(text=b'{"nothing:here": 1}'))).valid

    run(scenario)


def test_an_older_candidate_is_carried_over_or_refused_with_the_paths() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LAN: named("lan", description="old")})
        async with box.admin.session() as session:
            mine = {"session_id": session.number}
            edits = [merge(f"{LAN}/config/description", "mine")]
            await box.admin.call(pb.EditRequest(edit=edits, **mine))
            await box.gnmi.set(update={DMZ: named("dmz")})
            expected = pb.CommitRequest(expected_revision=1, **mine)
            code, message, _ = await refusal(box.admin.call(expected))
            assert code is grpc.StatusCode.ABORTED
            assert "revision 2" in message
            await box.gnmi.set(update={f"{DMZ}/config/description": "theirs"})
            for wanted in (
                pb.EditRequest(
                    edit=[merge(f"{DMZ}/config/description", "mine")], expected_revision=2, **mine
                ),
                pb.RollbackRequest(number=1, expected_revision=2),
            ):
                code, _, errors = await refusal(box.admin.call(wanted))
                assert code is grpc.StatusCode.ABORTED
                assert f"{DMZ}/config/description" in [one.error_path for one in errors]
            assert (await box.admin.call(pb.CommitRequest(**mine))).revision == 4
            assert await description(box) == "mine"

            await box.admin.call(pb.EditRequest(edit=[merge(f"{LAN}/config/description", "again")], **mine))
            await box.gnmi.set(update={f"{LAN}/config/description": "theirs"})
            code, _, errors = await refusal(box.admin.call(pb.CommitRequest(**mine)))
            assert code is grpc.StatusCode.ABORTED
            assert [one.error_path for one in errors] == [f"{LAN}/config/description"]
            rebased = await box.admin.call(pb.RebaseRequest(**mine))
            assert [text(one) for one in rebased.conflict] == [f"{LAN}/config/description"]
            await box.admin.call(pb.DiscardRequest(**mine))
            assert not (await box.admin.call(pb.CommitRequest(**mine))).changed

    run(scenario)


def test_a_plan_says_what_a_commit_would_do_and_does_nothing() -> None:
    async def scenario(box: Box) -> None:
        await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan"))]))
        plan = await box.admin.call(pb.PlanRequest())
        assert [step.action for step in plan.step][:1] == ["create"]
        assert [text(one.path) for one in plan.effect] == [LAN]
        assert {one.resource for one in plan.capacity} == {"cpu", "memory"}
        assert plan.revision == 0
        assert box.target.transactor.running.revision == 0
        assert (await box.admin.call(pb.CommitRequest())).revision == 1

    run(scenario)


def test_a_plan_lists_what_of_others_is_in_the_way() -> None:
    async def scenario(box: Box) -> None:
        await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan"))]))
        async with box.admin.session() as session:
            mine = {"session_id": session.number}
            await box.admin.call(pb.LockRequest(target=pb.RUNNING, reason="mine", **mine))
            (locked,) = (await box.admin.call(pb.PlanRequest())).refused
            assert (locked.error_tag, "(mine)" in locked.error_message) == ("lock-denied", True)
            assert not (await box.admin.call(pb.PlanRequest(source=pb.CANDIDATE, **mine))).refused
        commit = ext.Extension(commit=ext.Commit(id="friday", commit=ext.CommitRequest()))
        await box.gnmi.set(update={DMZ: named("dmz")}, extension=[commit])
        plan = await box.admin.call(pb.PlanRequest())
        assert plan.step and [one.error_path for one in plan.refused] == ["/"]
        _, message, _ = await refusal(box.admin.call(pb.CommitRequest()))
        assert plan.refused[0].error_message in message and "friday" not in message

    run(scenario)


def test_a_commit_that_waits_is_one_for_both_faces() -> None:
    async def scenario(box: Box) -> None:
        await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan"))]))
        waits = pb.CommitRequest(confirmed=pb.Confirmed(persist_id="friday"))
        assert (await box.admin.call(waits)).persist_id == "friday"
        assert (await box.admin.call(pb.ListCommitsRequest())).persist_id == "friday"
        code, message, _ = await refusal(box.gnmi.set(update={DMZ: named("dmz")}))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert "commit 1 " in message and "friday" not in message
        await box.admin.call(waits)  # nothing new, the same id: the time starts anew
        confirm = ext.Extension(commit=ext.Commit(id="friday", confirm=ext.CommitConfirm()))
        await box.gnmi.set(extension=[confirm])
        (record,) = (await box.admin.call(pb.ListCommitsRequest())).commit
        assert record.confirmation == pb.CommitRecord.CONFIRMED

        commit = ext.Extension(commit=ext.Commit(id="monday", commit=ext.CommitRequest()))
        await box.gnmi.set(update={DMZ: named("dmz")}, extension=[commit])
        await box.admin.call(pb.CancelRequest(persist_id="monday"))
        listed = (await box.admin.call(pb.ListCommitsRequest())).commit
        assert [one.confirmation for one in listed] == [
            pb.CommitRecord.NOT_ASKED,
            pb.CommitRecord.TAKEN_BACK,
            pb.CommitRecord.CONFIRMED,
        ]
        assert await box.admin.text(pb.GetConfigRequest(path=[path(DMZ)])) == {}

    run(scenario)


def test_a_commit_of_a_session_alone_ends_with_it() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            mine = {"session_id": session.number}
            await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan"))], **mine))
            await box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(), **mine))
            name = f"session {session.number}"
            for other in (pb.ConfirmRequest(persist_id=name), pb.CancelRequest(persist_id=name)):
                assert (await refusal(box.admin.call(other)))[0] is grpc.StatusCode.PERMISSION_DENIED
            longer = ext.CommitSetRollbackDuration(rollback_duration=Duration(seconds=9))
            for asked in (
                ext.Commit(id=name, confirm=ext.CommitConfirm()),
                ext.Commit(id=name, cancel=ext.CommitCancel()),
                ext.Commit(id=name, set_rollback_duration=longer),
            ):
                code, message, _ = await refusal(box.gnmi.set(extension=[ext.Extension(commit=asked)]))
                assert (code, "own session" in message) == (grpc.StatusCode.PERMISSION_DENIED, True)
        while box.target.transactor.waiting:
            await box.admin.call(pb.ListSessionsRequest())
        assert await box.admin.text(pb.GetConfigRequest(path=[path(LAN)])) == {}

    run(scenario)


def test_a_commit_of_gnmi_is_confirmed_here_whatever_it_is_called() -> None:
    async def scenario(box: Box) -> None:
        async with box.admin.session() as session:
            name = f"session {session.number}"
            commit = ext.Extension(commit=ext.Commit(id=name, commit=ext.CommitRequest()))
            await box.gnmi.set(update={LAN: named("lan")}, extension=[commit])
        while (await box.admin.call(pb.ListSessionsRequest())).session:
            pass
        assert box.target.transactor.waiting == name  # it was never that session's
        await box.admin.call(pb.ConfirmRequest(persist_id=name))
        (record,) = (await box.admin.call(pb.ListCommitsRequest())).commit
        assert record.confirmation == pb.CommitRecord.CONFIRMED

    run(scenario)


def test_a_session_that_ends_amid_its_commit_does_not_leave_it_waiting() -> None:
    async def scenario(box: Box) -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def wait(when: str, key: Key, wanted: Resource | None) -> None:
            reached.set()
            await go_on.wait()

        box.target.drivers.set_trap(wait)
        async with box.admin.session() as session:
            mine = {"session_id": session.number}
            await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan"))], **mine))
            commit = asyncio.ensure_future(box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(), **mine)))
            await reached.wait()
        while (await box.admin.call(pb.ListSessionsRequest())).session:
            pass
        go_on.set()
        await commit
        while box.target.transactor.running.revision < 2:
            await box.admin.call(pb.ListSessionsRequest())
        assert not box.target.transactor.waiting
        assert await box.admin.text(pb.GetConfigRequest(path=[path(LAN)])) == {}

    run(scenario)


def test_a_lock_of_somebody_else_does_not_keep_an_abandoned_commit() -> None:
    async def scenario(box: Box) -> None:
        async with box.user("admin").session() as other:
            async with box.user("operator").session() as session:
                mine = {"session_id": session.number}
                caller = box.user("operator")
                await caller.call(pb.EditRequest(edit=[merge(LAN, named("lan"))], **mine))
                await caller.call(pb.LockRequest(target=pb.RUNNING, **mine))
                await caller.call(pb.CommitRequest(confirmed=pb.Confirmed(), **mine))
                lock = pb.LockRequest(session_id=other.number, target=pb.RUNNING, break_held=True)
                await box.user("admin").call(lock)
            while box.target.transactor.waiting:
                await box.admin.call(pb.ListSessionsRequest())
            (newest, _) = (await box.admin.call(pb.ListCommitsRequest())).commit
            assert (newest.author, newest.source) == ("operator", "config")
            assert await box.admin.text(pb.GetConfigRequest(path=[path(LAN)])) == {}

    run(scenario)


def test_history_is_numbered_compared_and_rolled_back() -> None:
    async def scenario(box: Box) -> None:
        for word in ("one", "two", "three"):
            await box.admin.call(pb.EditRequest(edit=[merge(LAN, named("lan", description=word))]))
            await box.admin.call(pb.CommitRequest(comment=word))
        listed = await box.admin.call(pb.ListCommitsRequest(limit=2))
        assert [(one.number, one.comment, one.source) for one in listed.commit] == [
            (3, "three", "config"),
            (2, "two", "config"),
        ]
        assert listed.oldest == 1
        assert await description(box, commit=1) == "one"
        assert await description(box, commit=2) == "two"
        second = await box.admin.call(pb.GetCommitRequest(number=2))
        assert [(text(one.path), one.before, one.after) for one in second.change] == [
            (f"{LAN}/config/description", b'"one"', b'"two"')
        ]
        compared = await box.admin.call(pb.CompareRequest(**{"from": 1, "to": 3}))
        assert [(one.before, one.after) for one in compared.change] == [(b'"one"', b'"three"')]
        back = await box.admin.call(pb.RollbackRequest(number=1))
        assert (back.revision, await description(box)) == (4, "one")
        same = await box.admin.call(pb.CompareRequest(**{"from": 1, "to": 4}))
        assert not same.change
        for number in (9, 2**64 - 1):
            for wanted in (pb.RollbackRequest, pb.GetCommitRequest):
                code, message, _ = await refusal(box.admin.call(wanted(number=number)))
                assert code is grpc.StatusCode.NOT_FOUND
                assert f"no commit {number}: 1 to 4" in message
        listed = await box.admin.call(pb.ListCommitsRequest(before=2**64 - 1, limit=1))
        assert [one.number for one in listed.commit] == [4]

    run(scenario)


def test_copies_come_from_a_datastore_a_commit_or_a_text() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LAN: named("lan", description="one")})
        await box.gnmi.set(update={DMZ: named("dmz")})
        await box.admin.call(pb.CopyConfigRequest(commit=1))
        compared = await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))
        assert {one.kind for one in compared.change} == {pb.Change.DELETED}
        (whole,) = (await box.admin.text(pb.GetConfigRequest(encoding=pb.XML))).values()
        await box.admin.call(pb.CopyConfigRequest(text=whole, encoding=pb.XML))
        assert not (await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))).change
        both = pb.CopyConfigRequest(commit=1, text=b"{}")
        assert (await refusal(box.admin.call(both)))[0] is grpc.StatusCode.INVALID_ARGUMENT
        await box.admin.call(pb.CopyConfigRequest(commit=1))
        await box.admin.call(pb.CommitRequest())
        assert await box.admin.text(pb.GetConfigRequest(path=[path(DMZ)])) == {}

    run(scenario)


def test_a_candidate_is_not_copied_onto_itself_past_what_others_committed() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LAN: named("lan", description="one")})
        await box.admin.call(pb.EditRequest(edit=[merge(f"{LAN}/config/mtu", 1400)]))
        await box.gnmi.set(update={f"{LAN}/config/description": "two"})
        for target in (pb.CANDIDATE, pb.DATASTORE_UNSPECIFIED):
            request = pb.CopyConfigRequest(source=pb.CANDIDATE, target=target)
            _, _, errors = await refusal(box.admin.call(request))
            assert [one.error_tag for one in errors] == ["invalid-value"]
        await box.admin.call(pb.CommitRequest())
        assert await description(box) == "two"

    run(scenario)


def test_a_text_that_says_nothing_new_changes_nothing() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={LAN: named("lan")})
        before = await box.admin.call(pb.CommitRequest())
        (found,) = (await box.admin.text(pb.GetConfigRequest())).values()
        whole = json.loads(found)
        whole["twinplane-virtual-switch:virtual-switches"]["virtual-switch"][0]["ports"] = {}
        whole["twinplane-appliance:appliances"] = {"appliance": []}
        await box.admin.call(pb.CopyConfigRequest(text=json.dumps(whole).encode()))
        candidate = await box.admin.text(pb.GetConfigRequest(source=pb.CANDIDATE))
        assert list(candidate.values()) == [found]
        async with box.admin.session() as session:
            await box.admin.call(pb.LockRequest(session_id=session.number, target=pb.CANDIDATE))
        after = await box.admin.call(pb.CommitRequest())
        assert (after.changed, after.revision) == (False, before.revision)

    run(scenario)


def test_a_fault_of_one_object_does_not_hide_those_of_others() -> None:
    async def scenario(box: Box) -> None:
        halves = {"config": {"format": "KERNEL", "kernel-source": "k"}}  # no digest: yet it is there
        chain = {IMAGE: halves, f"{SWITCHES}[name=lan]": {"config": {}}, FW1: appliance()}
        edits = [merge(where, value) for where, value in chain.items()]
        await box.admin.call(pb.EditRequest(edit=edits, test_option=pb.EditRequest.SET))
        answer = await box.admin.call(pb.ValidateRequest())
        missing = f"{FW1}/vnics/vnic[name=wan]/config/virtual-switch"
        assert [(one.error_path, one.error_app_tag) for one in answer.error] == [
            (f"{IMAGE}/config/kernel-digest", ""),
            (missing, "instance-required"),
        ]
        told = await refusal(box.gnmi.set(update=chain))
        assert told[1].startswith(f"{IMAGE}/config/kernel-digest") and told[1].endswith("and 1 more")

    run(scenario)
