"""The day-0 content of a real appliance: whoever may not write it reads it by no method, in no encoding, at
no time, and finds it in no message and not in the log."""

import base64
import logging
from typing import Any

import grpc
import pytest

from conformance.firewall import FW1, IMAGE, LAN, appliance, everything
from conformance.wire import ext, subscription_list
from service.configuring import Box, edit, path, refusal, run
from service.test_read_authorisation import (
    Face,
    answers,
    as_gnmi,
    of_call,
    of_get,
    of_stream,
    texts,
)
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import set_user
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2 as pb

Code = grpc.StatusCode
FILES = f"{FW1}/bootstrap/files"
FILE = f"{FILES}/file[target=user-data]"
CONTENT = f"{FILE}/config/content"
FIRST, SECOND = "correct-horse-1", "correct-horse-2"
WORD = "correct-horse"

# By user: role, rules, and whether they see the content.
USERS: dict[str, tuple[Role, tuple[Rule, ...], bool]] = {
    "owner": (Role.OPERATOR, (), True),
    "reader": (Role.READ_ONLY, (), False),
    "widened": (Role.READ_ONLY, (Rule(parse(CONTENT), Access.WRITE),), False),
    "ruled": (Role.OPERATOR, (Rule(parse(f"{FW1}/bootstrap"), Access.READ),), False),
    "wild": (Role.OPERATOR, (Rule(parse("*:/appliances/*/bootstrap/*/*/*/content"), Access.READ),), False),
    "blind": (Role.OPERATOR, (Rule(parse(FW1), Access.NONE),), False),
}
WRITERS = ("ruled", "wild", "blind")


def with_content(content: str) -> dict[str, Any]:
    """The appliance with one file."""
    file = {"target": "user-data", "config": {"target": "user-data", "content": content}}
    return {**appliance("STOPPED"), "bootstrap": {"files": {"file": [file]}}}


async def filled(box: Box) -> None:
    """Two commits with one content each, and users."""
    for name, (role, rules, _) in USERS.items():
        set_user(box.target.folder / "users.toml", name, role, f"{name}-secret", rules)
    box.target.users.reload()
    await box.gnmi.set(update={**everything(), FW1: with_content(FIRST)})
    await box.gnmi.set(update={CONTENT: SECOND})


def everywhere(*forms: Face) -> Face:
    """Several asked one after the other; those that are refused say so."""

    async def ask(box: Box, name: str) -> object:
        found: list[object] = []
        for form in forms:
            try:
                found.append(await form(box, name))
            except grpc.aio.AioRpcError as error:
                assert error.code() in (Code.PERMISSION_DENIED, Code.NOT_FOUND), error
                found += [error.details(), str(error.trailing_metadata())]
        return found

    return ask


PATHS = (
    CONTENT,
    f"{FILE}/config",
    FILE,
    f"{FILES}/file",
    f"{FILES}/file[target=*]/config/content",
    FILES,
    FW1,
    "/appliances/appliance/bootstrap",
    "/appliances/appliance[name=*]/bootstrap/files/file[target=*]/config/*",
    "/appliances",
    "/.../content",
    "/appliances/...",
    "/*",
    "/",
)


def subscribed(kind: str, *extension: ext.Extension) -> Face:
    """Each path subscribed to."""

    async def one(box: Box, name: str, where: str) -> object:
        async with as_gnmi(box, name).stream() as stream:
            listed = subscription_list(where, mode=kind, encoding="JSON_IETF")
            await stream.send(gnmi_pb2.SubscribeRequest(subscribe=listed, extension=extension))
            found = [await stream.until_sync()]
            if kind == "POLL":
                await stream.poll()
                found.append(await stream.until_sync())
            return found

    return everywhere(*(lambda box, name, where=where: one(box, name, where) for where in PATHS))


async def followed(box: Box, name: str) -> object:
    """The content changes, goes and comes back while somebody looks, and only then something else."""
    async with as_gnmi(box, name).subscribe("/appliances/...", "/images") as stream:
        found = [*await stream.until_sync()]
        await box.gnmi.set(update={CONTENT: FIRST})
        await box.gnmi.set(delete=[FILE])
        await box.gnmi.set(update={FILE: {"config": {"target": "user-data", "content": SECOND}}})
        line = f"last={list(USERS).index(name)}"
        await box.gnmi.set(update={f"{IMAGE}/config/command-line": line})
        while line not in texts(found[-1:]):
            found.append(await stream.notification())
        return found


async def sampled(box: Box, name: str) -> object:
    """Samples of everything."""
    wanted = [
        gnmi_pb2.Subscription(path=path(where), mode=gnmi_pb2.SAMPLE, sample_interval=100_000_000)
        for where in ("/appliances", "/.../content", "/")
    ]
    async with as_gnmi(box, name).subscribe(*wanted) as stream:
        return await stream.until_sync(), [await stream.notification() for _ in range(6)]


async def of_history(box: Box, name: str) -> object:
    """A moment of the past, and a range of it."""
    now = max(one.timestamp for one in (await box.gnmi.get("/")).notification)
    found: list[object] = []
    span = ext.TimeRange(start=now - 20_000_000_000, end=now)
    for mode, history in (("ONCE", ext.History(snapshot_time=now)), ("STREAM", ext.History(range=span))):
        async with as_gnmi(box, name).stream() as stream:
            listed = subscription_list("/appliances", mode=mode)
            past = [ext.Extension(history=history)]
            await stream.send(gnmi_pb2.SubscribeRequest(subscribe=listed, extension=past))
            found.append([message async for message in stream])
    return found


async def shared_candidate(box: Box, name: str) -> object:
    """What somebody else has in the shared candidate."""
    await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, CONTENT, f"{WORD}-3")]))
    user = box.user(name)
    found = [
        await answers(user.stream(pb.GetConfigRequest(source=pb.CANDIDATE))),
        await answers(user.stream(pb.GetConfigRequest(source=pb.CANDIDATE, encoding=pb.XML))),
        await answers(user.stream(pb.GetDataRequest(source=pb.CANDIDATE))),
        await user.call(pb.CompareRequest(candidate=pb.CANDIDATE)),
        await user.call(pb.ValidateRequest(source=pb.CANDIDATE)),
    ]
    await box.admin.call(pb.DiscardRequest(target=pb.CANDIDATE))
    return found


_PATHS = [path(one) for one in PATHS]
_FROM_FIRST: dict[str, Any] = {"from": 1, "to": 2}
READS: dict[str, Face] = {
    **{
        f"Get, {encoding}": everywhere(*(of_get(one, encoding=encoding) for one in PATHS))
        for encoding in ("JSON", "JSON_IETF", "PROTO")
    },
    "Get, CONFIG": everywhere(*(of_get(one, type="CONFIG") for one in PATHS)),
    "Get to a depth": everywhere(
        *(of_get(one, extension=[ext.Extension(depth=ext.Depth(level=9))]) for one in PATHS)
    ),
    "ONCE": subscribed("ONCE"),
    "ONCE to a depth": subscribed("ONCE", ext.Extension(depth=ext.Depth(level=9))),
    "POLL": subscribed("POLL"),
    "SAMPLE": sampled,
    "STREAM of the configuration": subscribed(
        "STREAM",
        ext.Extension(config_subscription=ext.ConfigSubscription(start=ext.ConfigSubscriptionStart())),
    ),
    "STREAM": followed,
    "history": of_history,
    "GetConfig": of_stream(pb.GetConfigRequest(path=_PATHS)),
    "GetConfig, XML": of_stream(pb.GetConfigRequest(encoding=pb.XML)),
    "GetConfig of old commits": everywhere(
        *(
            of_stream(pb.GetConfigRequest(commit=number, encoding=form))
            for number in (1, 2)
            for form in (pb.JSON_IETF, pb.XML)
        )
    ),
    "GetConfig with defaults": of_stream(pb.GetConfigRequest(with_defaults=pb.REPORT_ALL)),
    "GetConfig trimmed": of_stream(pb.GetConfigRequest(with_defaults=pb.TRIM)),
    "GetData": of_stream(pb.GetDataRequest(path=_PATHS)),
    "GetData, explicit": of_stream(
        pb.GetDataRequest(with_defaults=pb.EXPLICIT, content=pb.GetDataRequest.ALL)
    ),
    "GetCommit": everywhere(*(of_call(pb.GetCommitRequest(number=number)) for number in (1, 2))),
    "Compare": of_call(pb.CompareRequest(**_FROM_FIRST)),
    "shared candidate": shared_candidate,
}
NEVER = {
    "ListCommits": of_call(pb.ListCommitsRequest()),
    "ListSessions": of_call(pb.ListSessionsRequest()),
    "Notifications": of_stream(pb.NotificationsRequest(after_sequence=0, stop_at_now=True)),
    "Validate": of_call(pb.ValidateRequest(source=pb.RUNNING)),
}


@pytest.mark.parametrize("name", USERS)
def test_no_call_shows_the_content_to_who_may_not_write_it(name: str) -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        sees = USERS[name][2]
        for call, ask in {**READS, **NEVER}.items():
            found = texts(await ask(box, name))
            assert (WORD in found) is (sees and call in READS), (call, name)
            assert base64.b64encode(WORD.encode()).decode() not in found

    run(scenario)


def test_the_digest_of_the_content_is_a_secret_too() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        where = f"{FW1}/bootstrap/state"
        box.target.report(where, {"delivered-digest": f"sha256:{'d' * 64}"})
        for name, (_, _, sees) in USERS.items():
            if name == "wild":  # its rule is about the content alone
                continue
            ask = everywhere(of_get(where), of_get("/"), subscribed("ONCE"), of_stream(pb.GetDataRequest()))
            assert ("d" * 64 in texts(await ask(box, name))) is sees, name

    run(scenario)


def test_a_guess_is_refused_whether_it_is_right_or_not(caplog: pytest.LogCaptureFixture) -> None:
    """A write that would change nothing is otherwise allowed: that it succeeds would confirm the guess."""
    caplog.set_level(logging.DEBUG)

    async def scenario(box: Box) -> None:
        await filled(box)
        for name in WRITERS:
            client, user = as_gnmi(box, name), box.user(name)
            for guess in (SECOND, "wrong"):
                for asked in (
                    {"update": {CONTENT: guess}},
                    {"update": {f"{FILE}/config": {"content": guess}}},
                    {"update": {FW1: {"bootstrap": with_content(guess)["bootstrap"]}}},
                    {"replace": {CONTENT: guess}},
                ):
                    code, message, _ = await refusal(client.set(**asked))  # type: ignore[arg-type]
                    assert code is Code.PERMISSION_DENIED and guess not in message, (name, asked)
                async with user.session() as session:
                    mine = {"session_id": session.number}
                    for one in (
                        edit(pb.Edit.MERGE, CONTENT, guess),
                        edit(pb.Edit.MERGE, f"{FILE}/config", {"content": guess}),
                        edit(pb.Edit.CREATE, CONTENT, guess),
                    ):
                        code, message, _ = await refusal(user.call(pb.EditRequest(edit=[one], **mine)))
                        assert code is Code.PERMISSION_DENIED and guess not in message, (name, one)
        for there in (FW1, "/appliances/appliance[name=none]"):
            rule = Rule(parse("/appliances"), Access.NONE)
            set_user(box.target.folder / "users.toml", "blind", Role.OPERATOR, "blind-secret", (rule,))
            box.target.users.reload()
            code, _, _ = await refusal(as_gnmi(box, "blind").set(delete=[there]))
            assert code is Code.PERMISSION_DENIED, there
            code, _, _ = await refusal(
                box.user("blind").call(pb.ReconcileRequest(path=[path(there)], dry_run=True))
            )
            assert code is Code.PERMISSION_DENIED, there

    run(scenario)
    assert WORD not in caplog.text


def test_who_sees_a_part_goes_on_writing_what_they_may() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        name = {"name": "fw1", "config": {"name": "fw1", "stop-timeout": 77}}
        for user in ("ruled", "wild"):
            await as_gnmi(box, user).set(update={FW1: name})
            await as_gnmi(box, user).set(update={"/appliances": {"appliance": [name]}})
        assert await box.gnmi.value(CONTENT) == SECOND

    run(scenario)


def test_neither_messages_nor_the_log_quote_the_content(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever wrote it: messages end in the logs of clients."""
    caplog.set_level(logging.DEBUG)

    async def scenario(box: Box) -> None:
        await filled(box)
        long, wrong = f"{WORD}-" * 100_000, [WORD]
        for value in (long, wrong, {WORD: WORD}, f"{WORD}\x00"):
            for where, given in (
                (CONTENT, value),
                (f"{FILE}/config", {"content": value}),
                (FW1, with_content(value)),  # type: ignore[arg-type]
            ):
                code, message, errors = await refusal(box.gnmi.set(update={where: given}))
                assert code is Code.INVALID_ARGUMENT and "-1" not in message and WORD * 2 not in message
                async with box.admin.session() as session:
                    asked = pb.EditRequest(
                        session_id=session.number, edit=[edit(pb.Edit.MERGE, where, given)]
                    )
                    _, message, errors = await refusal(box.admin.call(asked))
                    assert f"{WORD}-c" not in message + texts(errors)
        xml = f"<config><x><content>{WORD}</content></config>"
        _, message, errors = await refusal(
            box.admin.call(pb.CopyConfigRequest(text=xml.encode(), encoding=pb.XML))
        )
        assert WORD not in message + texts(errors)
        _, message, errors = await refusal(
            box.admin.call(pb.CopyConfigRequest(text=f'{{"content": "{WORD}'.encode()))
        )
        assert WORD not in message + texts(errors)

    run(scenario)
    assert WORD not in caplog.text


def test_what_another_object_is_called_stands_in_no_message() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        blind = as_gnmi(box, "blind")
        box.target.users.reload()
        code, message, _ = await refusal(blind.set(delete=[LAN]))
        assert code is Code.FAILED_PRECONDITION or code is Code.INVALID_ARGUMENT
        assert "another object that you may not read refers to it" in message and "fw1" not in message
        _, message, _ = await refusal(as_gnmi(box, "owner").set(delete=[LAN]))
        assert FW1 in message

    run(scenario)
