"""Every method of the configuration service × every way in and role × every kind of path, in one table; and
the rules of a user, which a commit meets however its content came together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from conformance.test_auth import ACCESSES, ALLOWED, DENIED, MTU, RULES, everything, furnished
from conformance.wire import Client, ext
from service.configuring import Box, Caller, edit, path, refusal, run
from twinplane.identity.role import Role
from twinplane.identity.user import remove_user, set_user
from twinplane.services.rpc import Limits
from twinplane_wire.v1 import config_pb2 as pb

Code = grpc.StatusCode
Asked = Callable[[int, str], Message]
"""A request from the number of a session and a path."""

# By kind of path: one of that kind, what a read of it ends with, and an edit that removes it.
PATHS = {
    "root": ("/", Code.OK, Code.OK),
    "container": ("/virtual-switches", Code.OK, Code.OK),
    "entry": ("/virtual-switches/virtual-switch[name=lan]", Code.OK, Code.OK),
    "config leaf": (MTU, Code.OK, Code.OK),
    "state leaf": ("/system/state/hostname", Code.OK, Code.INVALID_ARGUMENT),
    "state container": ("/system", Code.OK, Code.OK),
    "other origin": ("fixture:/samples/settings", Code.OK, Code.OK),
    "unknown path": ("/nope", Code.INVALID_ARGUMENT, Code.INVALID_ARGUMENT),
    "unknown origin": ("foo:/samples", Code.UNIMPLEMENTED, Code.UNIMPLEMENTED),
}


def removal(session: int, where: str) -> Message:
    """An edit."""
    return pb.EditRequest(session_id=session, edit=[edit(pb.Edit.REMOVE, where)])


# Methods that are about a path.
READS: dict[str, Asked] = {
    "GetConfig": lambda session, where: pb.GetConfigRequest(session_id=session, path=[path(where)]),
    "GetData": lambda session, where: pb.GetDataRequest(session_id=session, path=[path(where)]),
}
WRITES: dict[str, Asked] = {"Edit": removal}
# Methods that are not: a request, and what it ends with for who may make it.
OTHER_READS: dict[str, tuple[Asked, Code]] = {
    "OpenSession": (lambda *_: pb.OpenSessionRequest(), Code.OK),
    "ListSessions": (lambda session, _: pb.ListSessionsRequest(session_id=session), Code.OK),
    "Validate": (lambda session, _: pb.ValidateRequest(session_id=session), Code.OK),
    "ListCommits": (lambda session, _: pb.ListCommitsRequest(session_id=session), Code.OK),
    "GetCommit": (lambda session, _: pb.GetCommitRequest(session_id=session, number=1), Code.OK),
    "Compare": (lambda session, _: pb.CompareRequest(**{"session_id": session, "from": 1, "to": 1}), Code.OK),
    "ListSchemas": (lambda session, _: pb.ListSchemasRequest(session_id=session), Code.OK),
    "GetSchema": (lambda *_: pb.GetSchemaRequest(name="twinplane-fixture"), Code.OK),
    "Notifications": (lambda *_: pb.NotificationsRequest(after_sequence=0), Code.OK),
    "KillSession": (lambda session, _: pb.KillSessionRequest(target=session), Code.OK),
}
OTHER_WRITES: dict[str, tuple[Asked, Code]] = {
    "Lock": (lambda session, _: pb.LockRequest(session_id=session, target=pb.RUNNING), Code.OK),
    "Unlock": (lambda session, _: pb.UnlockRequest(session_id=session, target=pb.RUNNING), Code.OK),
    "CopyConfig": (lambda session, _: pb.CopyConfigRequest(session_id=session, source=pb.RUNNING), Code.OK),
    "Discard": (lambda session, _: pb.DiscardRequest(session_id=session), Code.OK),
    "Rebase": (lambda session, _: pb.RebaseRequest(session_id=session), Code.OK),
    "Plan": (lambda session, _: pb.PlanRequest(session_id=session), Code.OK),
    "Commit": (lambda session, _: pb.CommitRequest(session_id=session), Code.OK),
    "Rollback": (lambda session, _: pb.RollbackRequest(session_id=session, number=1), Code.OK),
    "Reconcile": (lambda session, _: pb.ReconcileRequest(session_id=session, dry_run=True), Code.OK),
    "Confirm": (lambda *_: pb.ConfirmRequest(persist_id="none"), Code.FAILED_PRECONDITION),
    "Cancel": (lambda *_: pb.CancelRequest(persist_id="none"), Code.FAILED_PRECONDITION),
}


def test_the_table_has_every_method() -> None:
    listed = [*READS, *WRITES, *OTHER_READS, *OTHER_WRITES]
    assert sorted(listed) == sorted(pb.DESCRIPTOR.services_by_name["Config"].methods_by_name)


async def ends_with(caller: Caller, method: str, request: Message) -> Code:
    """The code of one call; a stream counts as let in with its first message, or its end."""
    name = pb.DESCRIPTOR.services_by_name["Config"].methods_by_name[method].output_type.name
    try:
        if name in ("DatastoreText", "SessionEvent", "Notification"):
            call = caller.stream(request)
            await call.read()
            call.cancel()
        else:
            await caller.call(request)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK


@pytest.mark.parametrize("access", ACCESSES)
def test_every_method_by_every_role_on_every_kind_of_path(access: str) -> None:
    opened, role = ACCESSES[access]

    async def scenario(box: Box) -> None:
        caller = Caller.of(opened(box.target))
        await box.gnmi.set(update={MTU: 1400, "fixture:/samples/settings/config/plain": "x"})
        before = box.target.transactor.running

        def expected(code: Code) -> Code:
            return Code.PERMISSION_DENIED if role is Role.READ_ONLY else code

        async with caller.session() as session:
            for kind, (where, read, write) in PATHS.items():
                for method, asked in READS.items():
                    assert await ends_with(caller, method, asked(session.number, where)) is read, (
                        kind,
                        method,
                    )
                for method, asked in WRITES.items():
                    found = await ends_with(caller, method, asked(session.number, where))
                    assert found is expected(write), (kind, method)
            await ends_with(caller, "Discard", pb.DiscardRequest(session_id=session.number))
            for method, (asked, code) in OTHER_WRITES.items():
                found = await ends_with(caller, method, asked(session.number, ""))
                assert found is expected(code), method
            assert box.target.transactor.running.forest == before.forest
            for method, (asked, code) in OTHER_READS.items():
                assert await ends_with(caller, method, asked(session.number, "")) is code, method

    run(scenario)


@pytest.mark.parametrize(
    "metadata", [(), (("username", "admin"),), (("username", "admin"), ("password", "x"))]
)
def test_nobody_is_let_in_without_credentials(metadata: tuple[tuple[str, str], ...]) -> None:
    """Whoever goes on with a wrong password has to pause, and is not let in either."""
    refusals = (
        {Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED} if len(metadata) > 1 else {Code.UNAUTHENTICATED}
    )

    async def scenario(box: Box) -> None:
        caller = Caller.of(Client(box.target.password().channel, metadata))
        asked = {**READS, **WRITES, **{name: one for name, (one, _) in (OTHER_READS | OTHER_WRITES).items()}}
        codes = [await ends_with(caller, method, one(0, "/")) for method, one in asked.items()]
        assert codes[0] is Code.UNAUTHENTICATED
        assert set(codes) <= refusals

    run(scenario)


def of_gnmi(request: dict[str, Any]) -> list[pb.Edit]:
    """The edits that a Set with these operations means."""
    kinds = {"delete": pb.Edit.REMOVE, "replace": pb.Edit.REPLACE, "update": pb.Edit.MERGE}
    found: list[pb.Edit] = []
    for name in ("delete", "replace", "update"):
        operations = request.get(name, {})
        values = operations if isinstance(operations, dict) else dict.fromkeys(operations)
        found += [edit(kinds[name], where, value) for where, value in values.items()]
    return found


def ruled(scenario: Callable[[Box, Caller], Awaitable[None]]) -> None:
    """A scenario with `operator`, who has rules."""

    async def body(box: Box) -> None:
        users = box.target.folder / "users.toml"
        set_user(users, "operator", Role.OPERATOR, "operator-secret", RULES)
        box.target.users.reload()
        await furnished(box.target)
        await scenario(box, Caller.of(box.target.mutual("operator")))

    run(body)


@pytest.mark.parametrize("case", ALLOWED)
def test_a_commit_of_what_a_user_may_write(case: str) -> None:
    async def scenario(box: Box, operator: Caller) -> None:
        async with operator.session() as session:
            mine = {"session_id": session.number}
            await operator.call(pb.EditRequest(edit=of_gnmi(ALLOWED[case]), **mine))
            await operator.call(pb.CommitRequest(**mine))

    ruled(scenario)


@pytest.mark.parametrize("case", DENIED)
def test_a_commit_that_touches_what_the_user_may_not_is_refused_as_a_whole(case: str) -> None:
    request, named = DENIED[case]

    async def scenario(box: Box, operator: Caller) -> None:
        before = await everything(box.target)
        async with operator.session() as session:
            mine = {"session_id": session.number}
            await operator.call(pb.EditRequest(edit=of_gnmi(request), **mine))
            code, _, errors = await refusal(operator.call(pb.CommitRequest(**mine)))
            assert code is Code.PERMISSION_DENIED
            assert named in [one.error_path for one in errors]
            assert {one.error_tag for one in errors} == {"access-denied"}
            assert (await refusal(operator.call(pb.PlanRequest(**mine))))[0] is Code.PERMISSION_DENIED
        assert await everything(box.target) == before

    ruled(scenario)


def test_the_other_ways_to_the_same_change_are_refused_too() -> None:
    """By the shared candidate, a copy of a text, a rollback, and the end of another's commit."""
    mask = "/samples/settings/config/mask"

    async def scenario(box: Box, operator: Caller) -> None:
        first = box.target.transactor.running.revision
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, mask, 8)]))
        code, _, errors = await refusal(operator.call(pb.CommitRequest()))
        assert (code, [one.error_path for one in errors]) == (Code.PERMISSION_DENIED, [mask])
        await box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(persist_id="friday")))
        for request in (pb.ConfirmRequest(persist_id="friday"), pb.CancelRequest(persist_id="friday")):
            assert (await refusal(operator.call(request)))[0] is Code.PERMISSION_DENIED
        gnmi = box.target.mutual("operator")
        for end in ({"confirm": ext.CommitConfirm()}, {"cancel": ext.CommitCancel()}):
            extension = ext.Extension(commit=ext.Commit(id="friday", **end))  # type: ignore[arg-type]
            assert (await refusal(gnmi.set(extension=[extension])))[0] is Code.PERMISSION_DENIED
        assert box.target.transactor.waiting == "friday"
        await box.admin.call(pb.ConfirmRequest(persist_id="friday"))
        async with operator.session() as session:
            mine = {"session_id": session.number}
            back = pb.RollbackRequest(number=first, **mine)
            assert (await refusal(operator.call(back)))[0] is Code.PERMISSION_DENIED
            for copy in (
                pb.CopyConfigRequest(text=b"{}", **mine),
                pb.CopyConfigRequest(commit=first, **mine),
            ):
                await operator.call(copy)
                assert (await refusal(operator.call(pb.CommitRequest(**mine))))[0] is Code.PERMISSION_DENIED
        assert await box.gnmi.value(mask) == 8

    ruled(scenario)


def test_nothing_forbidden_gets_into_what_others_commit() -> None:
    """The shared candidate is committed by who may: an edit of it is judged by who makes it."""
    mask, plain = "/samples/settings/config/mask", "/samples/settings/config/plain"

    async def scenario(box: Box, operator: Caller) -> None:
        for request in (
            pb.EditRequest(edit=[edit(pb.Edit.MERGE, mask, 8)]),
            pb.CopyConfigRequest(target=pb.CANDIDATE, text=b"{}"),
        ):
            code, _, errors = await refusal(operator.call(request))
            assert code is Code.PERMISSION_DENIED and mask in [one.error_path for one in errors]
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, mask, 8)]))
        await operator.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, plain, "y")]))
        await box.admin.call(pb.CommitRequest())
        assert (await box.gnmi.value(mask), await box.gnmi.value(plain)) == (8, "y")

    ruled(scenario)


@pytest.mark.parametrize("how", ["removed", "rules"])
def test_a_session_ends_with_the_authorisation_of_its_user(how: str) -> None:
    """The stream that is the session ends, and with it the session, its locks and its candidate."""

    async def scenario(box: Box) -> None:
        users = box.target.folder / "users.toml"
        operator = Caller.of(box.target.mutual("operator"))
        async with operator.session() as session:
            await operator.call(pb.LockRequest(session_id=session.number, target=pb.RUNNING))
            if how == "removed":
                remove_user(users, "operator")
            else:
                set_user(users, "operator", Role.OPERATOR, "operator-secret", RULES)
            box.target.users.reload()
            assert await session.call.code() is Code.UNAUTHENTICATED
            while (await box.admin.call(pb.ListSessionsRequest())).session:
                pass
            await box.gnmi.set(update={MTU: 1300})  # what was locked is free

    run(scenario)


@pytest.mark.parametrize("how", ["removed", "role"])
def test_a_session_without_a_stream_ends_with_its_user(how: str) -> None:
    """However long it would linger, and with it its lock and the commit that only it confirms; nobody who is
    given that name later meets it."""

    async def scenario(box: Box) -> None:
        users = box.target.folder / "users.toml"
        operator = Caller.of(box.target.mutual("operator"))
        await box.gnmi.set(update={MTU: 1400})
        async with operator.session(linger=Duration(seconds=3600)) as session:
            mine = {"session_id": session.number}
            await operator.call(pb.LockRequest(target=pb.RUNNING, **mine))
            await operator.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, MTU, 1300)], **mine))
            await operator.call(pb.CommitRequest(confirmed=pb.Confirmed(), **mine))
        async with box.user("operator").session(linger=Duration(seconds=3600)):
            pass
        while any(one.connected for one in (await box.admin.call(pb.ListSessionsRequest())).session):
            pass
        if how == "removed":
            remove_user(users, "operator")
        else:
            set_user(users, "operator", Role.READ_ONLY, "operator-secret")
        box.target.users.reload()
        assert not (await box.admin.call(pb.ListSessionsRequest())).session
        while box.target.transactor.waiting:
            await asyncio.sleep(0)
        assert await box.gnmi.value(MTU) == 1400
        await box.gnmi.set(update={MTU: 1350})

    run(scenario)


def test_sessions_count_as_streams_of_their_user() -> None:
    """With those of gNMI, over all listeners."""

    async def scenario(box: Box) -> None:
        most = Limits().streams_per_user
        calls = [box.user("reader").stream(pb.OpenSessionRequest()) for _ in range(most)]
        for call in calls:
            assert (await call.read()).HasField("opened")
        overs = (
            box.user("reader").stream(pb.NotificationsRequest()).read(),
            box.user("reader").stream(pb.GetConfigRequest()).read(),
            box.target.mutual("reader").once("/virtual-switches"),
        )
        for over in overs:
            assert (await refusal(over))[0] is Code.RESOURCE_EXHAUSTED
        assert await box.target.mutual("operator").once("/virtual-switches")
        calls[0].cancel()
        while (await ends_with(box.user("reader"), "GetConfig", pb.GetConfigRequest())) is not Code.OK:
            pass
        for call in calls:
            call.cancel()

    run(scenario)
