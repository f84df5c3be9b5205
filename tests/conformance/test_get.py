"""Get (GET)."""

import asyncio
import gc
import json
import time
import tracemalloc
from typing import Any

import grpc
import pytest

from conformance.conftest import SECONDS
from conformance.refusal import refused
from conformance.target import Target
from conformance.wire import Client, joined, leaves, path, pb, plain, text, update
from doubles.virtual import run
from twinplane.clock import Clock
from twinplane.services import encode
from twinplane.services.rpc import Limits
from twinplane.state.operational import Operational
from twinplane_wire.path import parse

Code = grpc.StatusCode
A = "/samples/sample[name=a]"
B = "/samples/sample[name=b]"
SETTINGS = "/samples/settings"
LAN = "/virtual-switches/virtual-switch[name=lan]"


async def furnished(client: Client, target: Target) -> None:
    await client.set(
        update={
            f"{A}/config": {"string": "in a", "uint32": 7},
            f"{B}/config/string": "in b",
            f"{LAN}/config/mtu": 1400,
        }
    )
    target.report(f"{A}/state", {"name": "a", "string": "in a", "uint32": 7, "ticks": 3})
    target.report(f"{A}/state/derived", {"flag": True})


@pytest.mark.row("GET-01")
async def test_one_notification_per_path_in_order(client: Client, target: Target) -> None:
    await furnished(client, target)
    asked = (f"{B}/config/string", "fixture:/samples/settings", f"{A}/config", f"{B}/config/string", A, LAN)
    for order in (asked, asked[::-1]):
        found = (await client.get(*order)).notification
        named = [
            (one.prefix.origin, [joined(one.prefix, change.path) for change in one.update]) for one in found
        ]
        assert named == [(path(where).origin, [text(pb.Path(elem=path(where).elem))]) for where in order]
    # One value of each, also where one path lies in another.
    inner, outer = (await client.get(f"{A}/config/string", A)).notification
    assert leaves([inner]) == {f"{A}/config/string": "in a"}
    assert leaves([outer])[A]["config"]["string"] == "in a"
    in_proto = (await client.get(f"{A}/config", f"{B}/config", encoding=pb.PROTO)).notification
    assert [
        all(name.startswith(where) for name in leaves([one]))
        for one, where in zip(in_proto, (A, B), strict=True)
    ]


@pytest.mark.row("GET-02")
async def test_timestamps_are_those_of_reading(client: Client, target: Target) -> None:
    await furnished(client, target)
    last = 0
    for _ in range(3):
        before = time.time_ns()
        found = (await client.get(A, LAN, "/system")).notification
        after = time.time_ns()
        stamps = [one.timestamp for one in found]
        assert stamps == sorted(stamps)
        assert last < stamps[0]
        last = stamps[-1]
        # The clock of the target gives a time only once, so it may be some nanoseconds ahead.
        assert before <= stamps[0] <= stamps[-1] <= after + 1_000_000


@pytest.mark.row("GET-03")
async def test_wildcards_give_concrete_updates_in_one_notification(client: Client) -> None:
    for encoding in (pb.JSON, pb.PROTO):
        answer = await client.get("/interfaces/interface[name=*]/state/oper-status", encoding=encoding)
        (notification,) = answer.notification
        assert leaves([notification]) == {
            f"/interfaces/interface[name={name}]/state/oper-status": "UP"
            for name in ("eth7", "eth8", "br-lab")
        }
        assert len(notification.update) == 3
    several = await client.get("/interfaces/interface[name=*]/state/mtu", "/interfaces/interface/state/name")
    assert [len(one.update) for one in several.notification] == [3, 3]
    (nothing,) = (await client.get("/images/image[name=*]/config")).notification
    assert not nothing.update


@pytest.mark.row("GET-04")
async def test_one_bad_path_fails_the_call(client: Client, target: Target) -> None:
    await furnished(client, target)
    good = f"{A}/config"
    for bad, code, named in (
        ("/samples/sample[name=none]", Code.NOT_FOUND, "none"),
        ("/samples/nothing", Code.INVALID_ARGUMENT, "nothing"),
        (f"{SETTINGS}/config/hidden", Code.UNIMPLEMENTED, "hidden"),
        ("foo:/samples", Code.UNIMPLEMENTED, "foo"),
    ):
        for request in ((good, bad), (bad, good), (good, bad, good)):
            await refused(client.get(*request), code, named)


@pytest.mark.row("GET-05")
async def test_nothing_there_is_not_found(client: Client, target: Target) -> None:
    await furnished(client, target)
    for where in (
        "/samples/sample[name=none]",
        "/samples/sample[name=none]/config/string",
        f"{A}/config/uint8",
        f"{A}/pairs",
        f"{A}/pairs/pair[number=1][shape=SQUARE]",
        f"{SETTINGS}/config/plain",
        f"{SETTINGS}/optional",
        f"{SETTINGS}/optional/level",  # a default that is not in use
        f"{SETTINGS}/file-name",
        f"{B}/state/ticks",
        "/images",
        "fixture:/samples/sample[name=a]",
    ):
        for encoding in (pb.JSON, pb.JSON_IETF, pb.PROTO):
            await refused(client.get(where, encoding=encoding), Code.NOT_FOUND, path(where).elem[-1].name)


@pytest.mark.row("GET-06")
@pytest.mark.parametrize("origin", ["", "fixture:"])
async def test_defaults_in_use_are_returned(client: Client, origin: str) -> None:
    where = f"{origin}{SETTINGS}"
    defaults: dict[str, Any] = {"enabled": True, "mask": 0x1F, "shape": "CIRCLE", "tags": ["a", "b"]}
    for name, value in defaults.items():
        assert await client.value(f"{where}/config/{name}") == value
    assert await client.value(f"{where}/config") == defaults
    assert (await client.value("/" if not origin else origin + "/"))["samples"]["settings"][
        "config"
    ] == defaults
    assert await client.value(f"{where}/tcp-port") == 80
    assert await client.value(f"{where}/tcp-options/nodelay") is False
    in_proto = leaves((await client.get(f"{where}/config", encoding=pb.PROTO)).notification)
    assert in_proto[f"{SETTINGS}/config/tags"] == ("a", "b")
    assert in_proto[f"{SETTINGS}/config/enabled"] is True
    in_ietf = await client.value(f"{where}/config", encoding=pb.JSON_IETF)
    assert in_ietf["twinplane-fixture:shape"] == "twinplane-fixture-types:CIRCLE"
    # Set to something else, and back.
    await client.set(update={f"{where}/config": {"enabled": False, "tags": ["z"]}, f"{where}/file-name": "f"})
    assert await client.value(f"{where}/config/enabled") is False
    await refused(client.get(f"{where}/tcp-port"), Code.NOT_FOUND)  # another case is in force
    await client.set(delete=[f"{where}/config", f"{where}/file-name"])
    assert await client.value(f"{where}/config") == defaults
    assert await client.value(f"{where}/tcp-port") == 80
    # Inside a container with presence only where that is.
    await client.set(update={f"{where}/optional/needed": "x"})
    assert await client.value(f"{where}/optional/level") == 7
    assert await client.value(f"{where}/optional") == {"needed": "x", "level": 7}
    # In an entry, by the typedef's default.
    await client.set(update={f"{origin}{A}/pairs/pair[number=1][shape=SQUARE]/value": "v"})
    assert await client.value(f"{origin}{A}/pairs/pair[number=1][shape=SQUARE]/weight") == 50


@pytest.mark.row("GET-07")
async def test_a_node_that_is_taken_away_is_unimplemented(client: Client) -> None:
    for where in (f"{SETTINGS}/config/hidden", "fixture:/samples/settings/config/hidden"):
        for encoding in (pb.JSON, pb.PROTO):
            await refused(client.get(where, encoding=encoding), Code.UNIMPLEMENTED, "hidden")
    assert "hidden" not in await client.value(f"{SETTINGS}/config")


@pytest.mark.row("GET-08")
async def test_a_path_that_no_model_has_is_invalid(client: Client) -> None:
    for where, named in (
        ("/interfaces/intrface", "intrface"),
        ("/interfces", "interfces"),
        ("/interfaces/interface[name=eth7]/state/oper-statu", "oper-statu"),
        ("/interfaces/interface[nme=eth7]", "nme"),
        ("/interfaces[name=eth7]", "interfaces"),
        ("/*/nothing-at-all", "nothing-at-all"),
    ):
        refusal = await refused(client.get(where), Code.INVALID_ARGUMENT, named)
        assert any(named in field or named in description for field, description in refusal.violations)


@pytest.mark.row("GET-09", "GET-10", "GET-11", "GET-14")
async def test_types_select_by_the_schema(client: Client, target: Target) -> None:
    await furnished(client, target)
    config = {"name": "a", "config": {"name": "a", "string": "in a", "uint32": 7}}
    applied = {"name": "a", "string": "in a", "uint32": 7}
    state = {"name": "a", "state": {**applied, "ticks": 3, "derived": {"flag": True}}}
    operational = {"name": "a", "state": {"derived": {"flag": True}}}
    wanted = {"ALL": {**config, **state}, "CONFIG": config, "STATE": state, "OPERATIONAL": operational}
    assert await client.value(A) == wanted["ALL"]
    for kind, value in wanted.items():
        assert await client.value(A, type=kind) == value, kind
        found = leaves((await client.get(A, type=kind, encoding=pb.PROTO)).notification)
        names = {name.removeprefix(f"{A}/").partition("/")[0] for name in found}
        assert names <= set(value)
        assert ("config" in names) is (kind in ("ALL", "CONFIG"))
        assert ("state" in names) is (kind != "CONFIG")
        (entry,) = [
            one for one in (await client.value("/samples", type=kind))["sample"] if one["name"] == "a"
        ]
        assert entry == value, "an entry can be told from others"
        whole = await client.value("/", type=kind)
        assert ("system" in whole) is (kind != "CONFIG")
    # A filter that leaves nothing is no error (nothing there is).
    for where, kind in (
        (f"{A}/config", "STATE"),
        (f"{A}/state", "CONFIG"),
        (f"{A}/state/uint32", "OPERATIONAL"),
    ):
        (notification,) = (await client.get(where, type=kind)).notification
        assert not notification.update
    assert await client.value("/", type="CONFIG") == json.loads(json.dumps(await client.value("/", type=1)))


@pytest.mark.row("GET-11")
async def test_operational_is_what_the_models_mark(client: Client, target: Target) -> None:
    await furnished(client, target)
    (notification,) = (await client.get("/", type="OPERATIONAL", encoding=pb.PROTO)).notification
    found = leaves([notification])
    assert f"{A}/state/derived/flag" in found
    for name in found:
        node = target.schemas.default.find(tuple(elem.name for elem in path(name).elem))
        assert node is not None
        assert not node.config
        assert "operational" in node.extensions
    # What is applied configuration is state, and not operational.
    for leaf in (f"{A}/state/string", f"{LAN}/state/mtu", "/interfaces/interface[name=eth7]/state/mtu"):
        assert (await client.get(leaf, type="STATE")).notification[0].update, leaf
        assert not (await client.get(leaf, type="OPERATIONAL")).notification[0].update, leaf
    for number in (4, 77, -1):
        await refused(client.get("/", type=number), Code.INVALID_ARGUMENT, str(number))


def model(name: str) -> pb.ModelData:
    return pb.ModelData(name=name)


@pytest.mark.row("GET-12")
async def test_use_models_restricts_to_the_named_modules(client: Client, target: Target) -> None:
    await furnished(client, target)
    await client.set(
        update={
            f"{A}/more/friend": "a",
            f"{A}/config/identityref": "twinplane-fixture:HEXAGON",
            f"{B}/config/identityref": "twinplane-fixture-types:SQUARE",
        }
    )
    main, more = model("twinplane-fixture"), model("twinplane-fixture-more")
    both = await client.value(A, use_models=[main, more])
    assert both["more"] == {"friend": "a"}
    assert both["config"]["string"] == "in a"
    alone = await client.value(A, use_models=[main])
    assert "more" not in alone
    assert alone["config"]["string"] == "in a"
    assert await client.value(A, use_models=[more]) == {"name": "a", "more": {"friend": "a"}}
    whole = await client.value("/", use_models=[more])
    assert whole == {"samples": {"sample": [{"name": "a", "more": {"friend": "a"}}]}}
    in_proto = leaves((await client.get("/", use_models=[more], encoding=pb.PROTO)).notification)
    assert in_proto == {f"{A}/more/friend": "a"}
    # What another module adds to a type is left out with that module.
    assert alone["config"]["identityref"] == "HEXAGON"
    assert "identityref" not in (await client.value(B, use_models=[main]))["config"]
    types = model("twinplane-fixture-types")
    assert (await client.value(B, use_models=[main, types]))["config"]["identityref"] == "SQUARE"
    found = leaves((await client.get(f"{B}/config", use_models=[main], encoding=pb.PROTO)).notification)
    assert found == {f"{B}/config/name": "b", f"{B}/config/string": "in b"}
    config = await client.value(A, use_models=[main], type="CONFIG")
    assert "state" not in config
    for wrong in (model("nobody"), pb.ModelData(name="twinplane-fixture", version="9.9.9")):
        await refused(client.get("/", use_models=[wrong]), Code.INVALID_ARGUMENT, wrong.name)
        await refused(client.get("/", use_models=[main, wrong]), Code.INVALID_ARGUMENT, wrong.name)


@pytest.mark.row("GET-13")
@pytest.mark.parametrize("origin", ["", "fixture:"])
async def test_the_configuration_of_the_root_can_be_fed_back(
    client: Client, target: Target, origin: str
) -> None:
    await furnished(client, target)
    await client.set(update={f"{origin}{SETTINGS}/optional/needed": "x", f"{origin}{B}/config/uint64": "5"})
    root = f"{origin}/"
    (notification,) = (await client.get(root, type="CONFIG", encoding=pb.JSON_IETF)).notification
    (found,) = notification.update
    assert not notification.prefix.elem
    assert not found.path.elem
    async with client.subscribe(pb.Subscription(path=path(root), mode="ON_CHANGE")) as stream:
        await stream.until_sync()
        effects = len(target.host.effects)
        await client.set(replace=[update(root, found.val)])
        again = (await client.get(root, type="CONFIG", encoding=pb.JSON_IETF)).notification[0].update
        assert json.loads(again[0].val.json_ietf_val) == json.loads(found.val.json_ietf_val)
        assert len(target.host.effects) == effects
        # Nothing was sent for it: what comes first is of the next change.
        await client.set(update={f"{origin}{SETTINGS}/config/plain": "marks the end"})
        changed = await stream.notification()
        assert leaves([changed]) == {f"{SETTINGS}/config/plain": "marks the end"}
        assert not changed.delete
    await client.set(update={f"{origin}{B}/config/uint8": 1}, delete=[f"{origin}{A}"])
    await client.set(replace=[update(root, found.val)])
    again = (await client.get(root, type="CONFIG", encoding=pb.JSON_IETF)).notification[0].update
    assert json.loads(again[0].val.json_ietf_val) == json.loads(found.val.json_ietf_val)


@pytest.mark.row("GET-14")
async def test_an_entry_has_its_keys(client: Client, target: Target) -> None:
    await furnished(client, target)
    pair = f"{A}/pairs/pair[number=7][shape=SQUARE]"
    await client.set(update={f"{pair}/value": "v"})
    assert await client.value(pair) == {"number": 7, "shape": "SQUARE", "value": "v", "weight": 50}
    for where in (A, "/interfaces/interface[name=eth7]", LAN):
        entry = await client.value(where)
        assert entry["name"] == dict(path(where).elem[-1].key)["name"]
    for kind in ("CONFIG", "STATE", "OPERATIONAL"):
        assert (await client.value(A, type=kind))["name"] == "a"
    assert (await client.value(A, use_models=[model("twinplane-fixture")]))["name"] == "a"


@pytest.mark.row("GET-15")
async def test_an_answer_is_never_half_of_a_set(client: Client, target: Target) -> None:
    await furnished(client, target)
    done = asyncio.Event()
    seen: set[int] = set()

    async def toggle() -> None:
        for number in range(60):
            value = number % 2
            await client.set(
                update={
                    f"{A}/config/uint8": value,
                    f"{B}/config/uint8": value,
                    f"{LAN}/config/mtu": 1400 + value,
                }
            )
        done.set()

    async def watch(reader: Client, encoding: int) -> None:
        while not done.is_set():
            # Many paths: others have their turn while it is answered.
            between = [SETTINGS] * 60
            answer = await reader.get(
                f"{A}/config/uint8", LAN, *between, f"{B}/config/uint8", encoding=encoding
            )
            found = leaves(answer.notification)
            first, second = found[f"{A}/config/uint8"], found[f"{B}/config/uint8"]
            mtu = found[LAN]["config"]["mtu"] if encoding == pb.JSON else found[f"{LAN}/config/mtu"]
            assert first == second == mtu - 1400
            seen.add(first)

    await client.set(update={f"{A}/config/uint8": 0, f"{B}/config/uint8": 0, f"{LAN}/config/mtu": 1400})
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(
            toggle(), watch(target.reader(), pb.JSON), watch(target.mutual("reader"), pb.PROTO)
        )
    assert seen == {0, 1}, "both states were read"


@pytest.mark.row("GET-15")
async def test_polled_leaves_are_brought_up_to_date_before_they_are_read(
    client: Client, target: Target
) -> None:
    octets = "/interfaces/interface[name=eth7]/state/counters/in-octets"
    before = target.source.polls
    first = await client.value(octets)
    assert target.source.polls == before + 1
    assert first == 1000 * target.source.polls
    # Fresh enough: read as they are. What no poll feeds waits for none.
    assert await client.value(octets) == first
    target.operational.freshness._polled = None
    await client.get("/system/state", "/samples")
    assert target.source.polls == before + 1
    readers = [client, target.reader(), target.mutual("reader")]
    values = await asyncio.gather(*(reader.value(octets) for reader in readers))
    assert target.source.polls == before + 2, "one poll for all"
    assert values == [1000 * target.source.polls] * 3


@pytest.mark.row("GET-15")
async def test_a_source_that_hangs_holds_up_a_read_for_half_a_second_at_most(
    client: Client, target: Target
) -> None:
    octets = "/interfaces/interface[name=eth7]/state/counters/in-octets"
    known = await client.value(octets)

    async def hang() -> Any:
        await asyncio.Event().wait()

    target.source.poll_hook = hang
    target.operational.freshness._polled = None
    async with asyncio.timeout(10):
        assert await client.value(octets) == known
    # An event is there at once, whatever the poll does.
    target.host.kernel.devices["eth7"].mtu = 1600
    target.source.touch()
    async with asyncio.timeout(10):
        while await client.value("/interfaces/interface[name=eth7]/state/mtu") != 1600:
            await asyncio.sleep(0)


@pytest.mark.row("GET-15")
def test_polled_leaves_are_a_second_old_at_most_and_waited_for_half_a_second() -> None:
    """On a clock that does not wait."""
    octets = parse("/interfaces/interface[name=a]/state/counters/in-octets")

    async def body() -> None:
        loop = asyncio.get_running_loop()
        tree = Operational(Clock())

        async def waited() -> float:
            begin = loop.time()
            await tree.fresh([octets])
            return loop.time() - begin

        assert await waited() == pytest.approx(0.5), "nobody polls"
        tree.freshness.done()
        await asyncio.sleep(0.99)
        assert await waited() == 0
        await asyncio.sleep(0.02)
        assert await waited() == pytest.approx(0.5)
        loop.call_later(0.2, tree.freshness.done)
        assert await waited() == pytest.approx(0.2)

    run(body())


@pytest.mark.row("GET-16")
async def test_the_form_of_an_answer(client: Client, target: Target) -> None:
    await furnished(client, target)
    prefix = path("/samples", target="x7")
    answer = await client.get(prefix=prefix)
    (notification,) = answer.notification
    assert not answer.HasField("error")
    assert notification.prefix.target == "x7"
    assert [joined(notification.prefix, one.path) for one in notification.update] == ["/samples"]
    by_empty = await client.get(pb.Path(), prefix=prefix)
    assert leaves(by_empty.notification) == leaves([notification])
    (whole,) = (await client.get()).notification
    assert leaves([whole]).keys() == {"/"}
    for found in (await client.get("/", A, f"{A}/config/string", encoding=pb.PROTO)).notification:
        assert not found.delete
        assert not found.atomic
        assert all(not one.duplicates for one in found.update)


@pytest.mark.row("GET-17")
async def test_an_answer_that_is_too_large_is_refused_with_a_way_out(folder: Any) -> None:
    async with Target(folder, limits=Limits(answer_bytes=20_000)) as target:
        client = target.client()
        await client.set(update=[update(f"{A}/config/string", plain("x" * 30_000))])
        for encoding in (pb.JSON, pb.PROTO):
            await refused(client.get("/", encoding=encoding), Code.RESOURCE_EXHAUSTED, "ONCE")
        assert await client.value(f"{SETTINGS}/config/mask") == 0x1F
        found = leaves(message.update for message in await client.once(A))
        assert found[f"{A}/config/string"] == "x" * 30_000


@pytest.mark.row("GET-17")
async def test_an_answer_that_is_too_large_is_not_made(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []
    whole = encode.notification

    def counted(*arguments: Any, **more: Any) -> bytes:
        made.append(whole(*arguments, **more))
        return made[-1]

    async with Target(folder, limits=Limits(answer_bytes=50_000)) as target:
        client = target.client()
        await client.set(update=[update(f"{A}/config/string", plain("x" * 30_000))])
        monkeypatch.setattr(encode, "notification", counted)
        await refused(client.get(*[A] * 500), Code.RESOURCE_EXHAUSTED, "ONCE")
    assert len(made) == 2


@pytest.mark.row("GET-17")
@pytest.mark.parametrize("field", ["target", "element", "unknown"])
async def test_what_was_asked_for_is_not_kept_however_long_it_was(client: Client, field: str) -> None:
    """Paths are remembered, but not what a client may put into them beside elements."""
    room = Limits().request_bytes - 1000  # what one request may have

    async def ask(number: int) -> None:
        text = f"{number}" + "x" * room
        prefix, where = pb.Path(), path(SETTINGS)
        if field == "target":
            prefix.target = text
        elif field == "element":
            where.element.append(text)
        else:
            where.MergeFromString(b"\xfa\x3f" + pb.Path(origin=text).SerializeToString()[1:])
        assert len(leaves((await client.get(where, prefix=prefix)).notification)) == 1

    await ask(0)
    tracemalloc.start()
    try:
        for number in range(1, 9):
            await ask(number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.row("GET-17")
async def test_a_deadline_and_a_cancellation_stop_the_work(client: Client, target: Target) -> None:
    waiting = asyncio.Event()

    async def hang() -> Any:
        waiting.set()
        await asyncio.Event().wait()

    await client.get("/samples")
    target.operational.freshness._limit = SECONDS
    target.source.poll_hook = hang
    target.operational.freshness._polled = None
    idle = len(asyncio.all_tasks())
    request = pb.GetRequest(path=[path("/")]).SerializeToString()
    call = client.channel.unary_unary("/gnmi.gNMI/Get")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(request, timeout=0.05)
    assert caught.value.code() is Code.DEADLINE_EXCEEDED
    await waiting.wait()
    cancelled = call(request)
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    async with asyncio.timeout(20):
        # Only the poll of the source is left, which belongs to nobody.
        while len(asyncio.all_tasks()) > idle + 1:
            await asyncio.sleep(0.01)
    assert await client.value(f"{SETTINGS}/config/mask") == 0x1F
