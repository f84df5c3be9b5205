"""What of the data a caller sees, on both faces: every reading call × every kind of caller × paths that they
may read, may not read, and that are secret."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from conformance.test_auth import MTU, furnished
from conformance.wire import Client, apply, ext, leaves, subscription_list
from service.configuring import Box, edit, path, refusal, run
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import set_user
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2 as pb

Code = grpc.StatusCode
CONFIG = "/samples/settings/config"
PHRASE, PLAIN, MASK = (f"{CONFIG}/{name}" for name in ("phrase", "plain", "mask"))
A, B = "/samples/sample[name=a]", "/samples/sample[name=unseen]"
# What stands in the leaf that is secret, below the entry that some may not read, and where all may look.
SECRET, HIDDEN, OPEN = "correct-horse", "battery-staple", "everybody"

NARROW = (
    Rule(parse("/samples"), Access.NONE),
    Rule(parse(A), Access.READ),
    Rule(parse(CONFIG), Access.WRITE),
    Rule(parse(PHRASE), Access.READ),
    Rule(parse("fixture:/samples"), Access.NONE),
)
# By user: role, rules, and what they see of the three.
USERS: dict[str, tuple[Role, tuple[Rule, ...], frozenset[str]]] = {
    "admin": (Role.ADMIN, (), frozenset({SECRET, HIDDEN, OPEN})),
    "operator": (Role.OPERATOR, (), frozenset({SECRET, HIDDEN, OPEN})),
    "reader": (Role.READ_ONLY, (), frozenset({HIDDEN, OPEN})),
    "narrow": (Role.OPERATOR, NARROW, frozenset({OPEN})),
    "short-sighted": (Role.READ_ONLY, NARROW, frozenset({OPEN})),
}


async def filled(box: Box) -> None:
    """A commit with all three, and users."""
    for name, (role, rules, _) in USERS.items():
        set_user(box.target.folder / "users.toml", name, role, f"{name}-secret", rules)
    box.target.users.reload()
    await furnished(box.target)
    await box.gnmi.set(
        update={PHRASE: SECRET, PLAIN: OPEN, f"{B}/config/string": HIDDEN, f"{A}/config/string": OPEN}
    )


def as_gnmi(box: Box, name: str) -> Client:
    """A gNMI client over the administrator's socket."""
    return Client(box.gnmi.channel, (("username", name), ("password", f"{name}-secret")))


async def answers(call: Any) -> list[Any]:
    """All messages of a stream."""
    return [message async for message in call]


Face = Callable[[Box, str], Awaitable[object]]


def of_stream(request: Message) -> Face:
    """A method of the configuration service that answers with a stream."""

    async def ask(box: Box, name: str) -> object:
        return await answers(box.user(name).stream(request))

    return ask


def of_call(request: Message) -> Face:
    """A method of the configuration service that answers once."""

    async def ask(box: Box, name: str) -> object:
        return await box.user(name).call(request)

    return ask


def of_get(where: str = "/", **fields: Any) -> Face:
    """A Get."""

    async def ask(box: Box, name: str) -> object:
        return await as_gnmi(box, name).get(where, **fields)

    return ask


def of_depth(level: int) -> Face:
    """A Get that ends some levels down."""
    return of_get(CONFIG, extension=[ext.Extension(depth=ext.Depth(level=level))])


async def once(box: Box, name: str) -> object:
    return await as_gnmi(box, name).once("/samples", "fixture:/samples/...")


async def polled(box: Box, name: str) -> object:
    async with as_gnmi(box, name).subscribe("/samples", mode="POLL") as stream:
        first = await stream.until_sync()
        await stream.poll()
        return first, await stream.until_sync()


async def streamed(box: Box, name: str) -> object:
    """First values, then the same values coming again."""
    async with as_gnmi(box, name).subscribe("/samples", "fixture:/samples/...") as stream:
        first = await stream.until_sync()
        await box.gnmi.set(delete=[PHRASE, f"{B}/config/string", PLAIN])
        await box.gnmi.set(update={PHRASE: SECRET, f"{B}/config/string": HIDDEN, PLAIN: OPEN})
        last = 10 + list(USERS).index(name)
        await box.gnmi.set(update={f"{A}/config/uint8": last})
        found = [*first]
        while not any(leaves([one]).get(f"{A}/config/uint8") == last for one in found[-1:]):
            found.append(await stream.notification())
        return found


async def sampled(box: Box, name: str) -> object:
    entry = gnmi_pb2.Subscription(
        path=path("/samples"), mode=gnmi_pb2.SAMPLE, sample_interval=100_000_000, suppress_redundant=False
    )
    async with as_gnmi(box, name).subscribe(entry) as stream:
        return await stream.until_sync(), await stream.notification()


async def of_history(box: Box, name: str) -> object:
    moment = max(one.timestamp for one in (await box.gnmi.get("/")).notification)
    past = ext.Extension(history=ext.History(snapshot_time=moment))
    call = as_gnmi(box, name).stream()
    listed = subscription_list("/samples", mode="ONCE")
    async with call:
        await call.send(gnmi_pb2.SubscribeRequest(subscribe=listed, extension=[past]))
        return await call.until_sync()


READS: dict[str, Face] = {
    "Get": of_get(),
    "Get in PROTO": of_get(encoding="PROTO"),
    "Get of configuration": of_get(type="CONFIG"),
    "Get of a wildcard": of_get("/samples/..."),
    "Get to a depth": of_depth(1),
    "Subscribe ONCE": once,
    "Subscribe POLL": polled,
    "Subscribe STREAM": streamed,
    "Subscribe SAMPLE": sampled,
    "gNMI history": of_history,
    "GetConfig": of_stream(pb.GetConfigRequest()),
    "GetConfig as XML": of_stream(pb.GetConfigRequest(encoding=pb.XML)),
    "GetConfig of a commit": of_stream(pb.GetConfigRequest(commit=2)),
    "GetConfig of the shared candidate": of_stream(pb.GetConfigRequest(source=pb.CANDIDATE)),
    "GetConfig of one path": of_stream(pb.GetConfigRequest(path=[path(CONFIG), path(B)])),
    "GetConfig with defaults": of_stream(pb.GetConfigRequest(with_defaults=pb.REPORT_ALL)),
    "GetConfig trimmed": of_stream(pb.GetConfigRequest(with_defaults=pb.TRIM)),
    "GetConfig to a depth": of_stream(pb.GetConfigRequest(path=[path(CONFIG)], depth=1)),
    "GetData": of_stream(pb.GetDataRequest()),
    "GetData, explicit": of_stream(pb.GetDataRequest(with_defaults=pb.EXPLICIT)),
    "GetCommit": of_call(pb.GetCommitRequest(number=2)),
    "Compare": of_call(pb.CompareRequest(**{"from": 1, "to": 2})),
    "Compare with the candidate": of_call(pb.CompareRequest(**{"from": 1, "candidate": pb.CANDIDATE})),
}
ALL_SEEN = {"Get to a depth": {SECRET, OPEN}, "GetConfig to a depth": {SECRET, OPEN}}


def texts(found: object) -> str:
    """All that is in messages, as text to look in."""
    if isinstance(found, list | tuple):
        return " ".join(map(texts, found))
    return repr(found)


@pytest.mark.parametrize("call", READS)
def test_every_reading_call_shows_each_what_they_may_see(call: str) -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        everything = ALL_SEEN.get(call, {SECRET, HIDDEN, OPEN})
        for name, (_, _, sees) in USERS.items():
            found = texts(await READS[call](box, name))
            shown = {word for word in (SECRET, HIDDEN, OPEN) if word in found}
            assert shown == everything & sees, (call, name)
            if HIDDEN not in sees:
                assert "unseen" not in found, (call, name)

    run(scenario)


def test_a_path_that_names_one_unseen_node_is_refused_whether_it_is_there_or_not() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        narrow, reader = as_gnmi(box, "narrow"), as_gnmi(box, "reader")
        for client, where in (
            (narrow, B),
            (narrow, f"{B}/config/string"),
            (narrow, "/samples/sample[name=none]"),
            (narrow, PHRASE),
            (reader, PHRASE),
        ):
            for ask in (client.get(where), client.once(where)):
                code, message, _ = await refusal(ask)
                assert code is Code.PERMISSION_DENIED, where
                assert SECRET not in message and HIDDEN not in message
        assert (await refusal(narrow.get(f"{A}/config/int8")))[0] is Code.NOT_FOUND
        assert not leaves((await narrow.get("/samples/sample[name=unseen]/*")).notification)

    run(scenario)


def test_a_stream_tells_of_the_end_of_what_was_seen_and_of_nothing_else() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        async with as_gnmi(box, "narrow").subscribe("/samples", "fixture:/samples/...") as stream:
            tree: dict[str, Any] = {}
            for one in await stream.until_sync():
                apply(tree, one)
            assert tree[f"{A}/config/string"] == tree[PLAIN] == OPEN
            await box.gnmi.set(delete=[B])
            await box.gnmi.set(delete=["fixture:/samples/sample[name=a]"])
            await box.gnmi.set(delete=[A])
            found = [await stream.notification()]
            assert [one.elem[1].key["name"] for one in found[0].delete] == ["a"]
            apply(tree, found[0])
            await box.gnmi.set(delete=["/samples/settings"])
            while PLAIN in tree:
                apply(tree, await stream.notification())
            assert not any(name.startswith((A, B)) for name in tree)

    run(scenario)


def test_who_does_not_see_a_secret_does_not_delete_it_by_writing_back_what_they_see() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        client = as_gnmi(box, "narrow")
        seen = await client.value(CONFIG, type="CONFIG")
        assert "phrase" not in json.dumps(seen)
        code, message, _ = await refusal(client.set(replace={CONFIG: seen}))
        assert code is Code.PERMISSION_DENIED and SECRET not in message
        assert (await refusal(client.set(delete=["/samples/settings"])))[0] is Code.PERMISSION_DENIED
        await client.set(update={CONFIG: {**seen, "plain": "z"}})
        operator = box.user("narrow")
        async with operator.session() as session:
            mine = {"session_id": session.number}
            await operator.call(pb.EditRequest(edit=[edit(pb.Edit.REPLACE, CONFIG, seen)], **mine))
            assert (await refusal(operator.call(pb.CommitRequest(**mine))))[0] is Code.PERMISSION_DENIED
            [text] = (await operator.text(pb.GetConfigRequest(session_id=session.number))).values()
            await operator.call(pb.CopyConfigRequest(text=text, **mine))
            code, message, errors = await refusal(operator.call(pb.CommitRequest(**mine)))
            assert code is Code.PERMISSION_DENIED and "unseen" not in message + texts(errors)
            assert "/samples" in [one.error_path for one in errors]  # as far as it is seen
        assert await box.gnmi.value(PHRASE) == SECRET
        assert await box.gnmi.value(f"{B}/config/string") == HIDDEN

    run(scenario)


def test_refusals_say_nothing_of_what_is_unseen() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        narrow = box.user("narrow")
        assert "unseen" not in (await refusal(as_gnmi(box, "narrow").set(delete=["/samples"])))[1]
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, f"{B}/config/string", "theirs")]))
        await box.admin.call(
            pb.EditRequest(
                test_option=pb.EditRequest.SET,
                edit=[edit(pb.Edit.MERGE, CONFIG, {"low": 9, "high": 1})],
            )
        )
        for name in ("narrow", "short-sighted"):
            found = await box.user(name).call(pb.ValidateRequest(source=pb.CANDIDATE))
            assert not found.valid and "low is above high" in texts(found)
        async with narrow.session() as session:
            for operation in (pb.Edit.CREATE, pb.Edit.DELETE):
                for where in (B, "/samples/sample[name=none]"):
                    value = None if operation == pb.Edit.DELETE else {"config": {"string": "x"}}
                    asked = pb.EditRequest(session_id=session.number, edit=[edit(operation, where, value)])
                    code, message, _ = await refusal(narrow.call(asked))
                    assert code is Code.PERMISSION_DENIED, message
        for value in ({"phrase": 12345}, {"phrase": "y" * 65}):
            _, message, errors = await refusal(box.gnmi.set(update={CONFIG: value}))
            assert "secret" in message and "12345" not in message + texts(errors)

    run(scenario)


def test_events_do_not_name_what_is_unseen() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        for name, (_, _, sees) in USERS.items():
            found = await answers(
                box.user(name).stream(pb.NotificationsRequest(after_sequence=0, stop_at_now=True))
            )
            assert len([one for one in found if one.kind == "commit"]) == 2
            assert ("unseen" in texts(found)) is (HIDDEN in sees), name
            below = pb.NotificationsRequest(after_sequence=0, stop_at_now=True, below=[path(B)])
            of_it = [one for one in await answers(box.user(name).stream(below)) if one.kind]
            assert bool(of_it) is (HIDDEN in sees), name

    run(scenario)


def test_what_others_have_in_the_shared_candidate_stays() -> None:
    """Neither discarded, nor rebased, overwritten or locked by who may not write it."""

    async def scenario(box: Box) -> None:
        await filled(box)
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, f"{B}/config/string", "theirs")]))
        narrow = box.user("narrow")
        async with narrow.session() as session:
            mine = {"session_id": session.number}
            for request in (
                pb.DiscardRequest(target=pb.CANDIDATE, **mine),
                pb.RebaseRequest(target=pb.CANDIDATE, **mine),
                pb.CopyConfigRequest(target=pb.CANDIDATE, source=pb.RUNNING, **mine),
                pb.CopyConfigRequest(target=pb.CANDIDATE, commit=1, **mine),
                pb.CommitRequest(source=pb.CANDIDATE, **mine),
                pb.LockRequest(target=pb.CANDIDATE, **mine),
                pb.LockRequest(target=pb.RUNNING, **mine),
            ):
                code, message, _ = await refusal(narrow.call(request))
                assert code is Code.PERMISSION_DENIED and "unseen" not in message, request
        compared = await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))
        assert [json.loads(one.after) for one in compared.change] == ["theirs"]
        await box.admin.call(pb.DiscardRequest(target=pb.CANDIDATE))
        await narrow.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, MASK, 9)]))
        await box.gnmi.set(update={f"{B}/config/string": "else"})  # what others commit is in nobody's way
        await narrow.call(pb.DiscardRequest(target=pb.CANDIDATE))
        assert not (await box.admin.call(pb.CompareRequest(candidate=pb.CANDIDATE))).change

    run(scenario)


def names_of(found: object) -> Iterator[str]:
    """The words that must not be found."""
    yield from (word for word in ("persist-name",) if word in texts(found))


def test_the_name_of_a_commit_that_waits_is_for_its_owner_and_administrators() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        config = ext.ConfigSubscription(start=ext.ConfigSubscriptionStart())
        follows = [ext.Extension(config_subscription=config)]
        streams = {}
        for name in USERS:
            stream = as_gnmi(box, name).stream()
            await stream.__aenter__()
            listed = subscription_list("/virtual-switches", mode="STREAM")
            await stream.send(gnmi_pb2.SubscribeRequest(subscribe=listed, extension=follows))
            await stream.until_sync()
            streams[name] = stream
        await box.user("operator").call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, MTU, 1300)]))
        made = await box.user("operator").call(
            pb.CommitRequest(confirmed=pb.Confirmed(persist_id="persist-name"))
        )
        assert made.persist_id == "persist-name"
        for name in USERS:
            known = name in ("admin", "operator")
            assert bool((await box.user(name).call(pb.ListCommitsRequest())).persist_id) is known
            seen = [
                await box.user(name).call(pb.GetCommitRequest(number=made.revision)),
                await box.user(name).call(pb.ListSessionsRequest()),
                await as_gnmi(box, name).get("/"),
                await answers(
                    box.user(name).stream(pb.NotificationsRequest(after_sequence=0, stop_at_now=True))
                ),
            ]
            assert not list(names_of(seen)), name
            while not (done := await streams[name].read()).extension:
                pass
            assert bool(list(names_of(done))) is known, name
            if USERS[name][0] is not Role.READ_ONLY:
                other = pb.CommitRequest(confirmed=pb.Confirmed(persist_id="mine"))
                lock = ext.Extension(commit=ext.Commit(id="guess", confirm=ext.CommitConfirm()))
                for ask in (box.user(name).call(other), as_gnmi(box, name).set(extension=[lock])):
                    assert "persist-name" not in (await refusal(ask))[1]
        for stream in streams.values():
            await stream.__aexit__()
        await box.user("operator").call(pb.CancelRequest(persist_id="persist-name"))
        assert not list(names_of(await box.user("reader").call(pb.ListCommitsRequest())))

    run(scenario)


@pytest.mark.parametrize("seconds", [-1, 0, 2_592_001, 315_360_000_000])
def test_the_time_to_confirm_has_a_bound(seconds: int) -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update={MTU: 1400})
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.MERGE, MTU, 1300)]))
        wanted = pb.Confirmed(persist_id="x")
        wanted.timeout.seconds = seconds
        code, message, _ = await refusal(box.admin.call(pb.CommitRequest(confirmed=wanted)))
        assert code is Code.INVALID_ARGUMENT and "2592000 s" in message
        for action in (
            {"commit": ext.CommitRequest(rollback_duration=wanted.timeout)},
            {"set_rollback_duration": ext.CommitSetRollbackDuration(rollback_duration=wanted.timeout)},
        ):
            extension = [ext.Extension(commit=ext.Commit(id="x", **action))]  # type: ignore[arg-type]
            code, message, _ = await refusal(box.gnmi.set(extension=extension))
            assert code is Code.INVALID_ARGUMENT and "2592000 s" in message

    run(scenario)


def test_who_is_refused_leaves_no_trace_in_an_election() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        nothing = (Rule(parse("/"), Access.READ), Rule(parse("fixture:/"), Access.NONE))
        set_user(box.target.folder / "users.toml", "narrow", Role.OPERATOR, "narrow-secret", NARROW)
        set_user(box.target.folder / "users.toml", "idle", Role.OPERATOR, "idle-secret", nothing)
        box.target.users.reload()

        def claim(number: int) -> list[ext.Extension]:
            role = ext.Role(id="boss")
            wanted = ext.MasterArbitration(role=role, election_id=ext.Uint128(low=number))
            return [ext.Extension(master_arbitration=wanted)]

        for name, asked in (
            ("reader", {}),
            ("narrow", {"update": {f"{B}/config/string": "y"}}),
            ("narrow", {"update": {PHRASE: "y"}}),
        ):
            refused = as_gnmi(box, name).set(extension=claim(99), **asked)
            assert (await refusal(refused))[0] is Code.PERMISSION_DENIED
        await box.gnmi.set(update={MTU: 1350}, extension=claim(1))
        await as_gnmi(box, "narrow").set(update={PLAIN: "y"}, extension=claim(2))
        assert (await refusal(box.gnmi.set(update={MTU: 1351}, extension=claim(1))))[
            0
        ] is Code.PERMISSION_DENIED

    run(scenario)


def test_readers_who_see_the_same_share_what_is_made_for_them() -> None:
    """And a view that nobody uses any more is not kept."""

    async def scenario(box: Box) -> None:
        await filled(box)
        watched = box.target.subscriber._watched
        streams = [as_gnmi(box, name).subscribe("/samples") for name in ("reader", "reader", "narrow")]
        for stream in streams:
            await stream.__aenter__()
            await stream.until_sync()
        assert len({view for view, _ in watched if view is not None}) == 2
        for stream in streams:
            await stream.__aexit__()
        async with asyncio.timeout(20):
            while any(view is not None for view, _ in watched):
                await asyncio.sleep(0.01)

    run(scenario)
