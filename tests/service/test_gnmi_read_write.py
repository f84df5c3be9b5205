"""Capabilities, Get and Set over a Unix socket. Names in brackets are rows of the conformance matrix."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from service.double import Memory, memory, raw, serving
from twinplane.errors import ApplyError, DegradedError, Fault, RequestError, UnavailableError, Violation
from twinplane.services.rpc import Limits
from twinplane_client import AsyncClient, Target
from twinplane_client import errors as client_errors
from twinplane_wire.gnmi import gnmi_ext_pb2, gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.value import python

SWITCH = "/virtual-switches/virtual-switch"
LAN = f"{SWITCH}[name=lan]"


@asynccontextmanager
async def session(
    folder: File, limits: Limits | None = None
) -> AsyncIterator[tuple[AsyncClient, grpc.aio.Channel, Memory]]:
    target = memory()
    async with (
        serving(folder, target, limits=limits) as (admin, _),
        AsyncClient(Target(admin)) as client,
        grpc.aio.insecure_channel(admin, (("grpc.max_receive_message_length", -1),)) as channel,
    ):
        yield client, channel, target


def run(folder: File, scenario: Callable[..., Awaitable[None]], limits: Limits | None = None) -> None:
    async def body() -> None:
        async with session(folder, limits) as (client, channel, target):
            await scenario(client, channel, target)

    asyncio.run(body())


def wire(path: str, **fields: Any) -> gnmi_pb2.Path:
    parsed = parse(path)
    return gnmi_pb2.Path(
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parsed.elems],
        origin=parsed.origin,
        **fields,
    )


async def get(channel: grpc.aio.Channel, **fields: Any) -> gnmi_pb2.GetResponse:
    answer = await raw(channel, "Get", gnmi_pb2.GetRequest(**fields).SerializeToString())
    return gnmi_pb2.GetResponse.FromString(answer)


async def code(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


def test_capabilities(tmp_path: File) -> None:
    """[CAP-01..05]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        found = await client.capabilities()
        assert found.version == "0.10.0"
        assert found.encodings == ("JSON", "PROTO", "JSON_IETF")
        names = [model.name for model in found.models]
        assert "twinplane-appliance" in names
        assert names == sorted(set(names))
        assert all(model.version and model.organization for model in found.models)

    run(tmp_path, scenario)


def test_what_is_set_is_got(tmp_path: File) -> None:
    """[GET-01, GET-06, GET-14, SET-07, SET-11, SET-24]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        before = time.time_ns()
        result = await client.set(
            replace={LAN: {"config": {"description": "the «lan»"}}}, update={f"{LAN}/config/mtu": 1400}
        )
        assert result.timestamp >= before
        assert result.operations == (("REPLACE", parse(LAN)), ("UPDATE", parse(f"{LAN}/config/mtu")))
        assert target.requests[-1].author == "local-admin"
        first, second = await client.get(f"{LAN}/config", f"{LAN}/config/mtu")
        assert [update.value for update in first.updates] == [
            {
                "twinplane-virtual-switch:name": "lan",
                "twinplane-virtual-switch:description": "the «lan»",
                "twinplane-virtual-switch:mtu": 1400,
            }
        ]
        assert [(update.path, update.value) for update in second.updates] == [
            (parse(f"{LAN}/config/mtu"), 1400)
        ]
        await client.set(delete=[f"{LAN}/config/mtu"])
        (default,) = await client.get(f"{LAN}/config/mtu")
        assert default.updates[0].value == 1500

    run(tmp_path, scenario)


def test_encodings_fill_their_own_field(tmp_path: File) -> None:
    """[ENC-01..05, ENC-08, ENC-19, CAP-03]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        for encoding, wanted in ((0, "json_val"), (4, "json_ietf_val")):
            answer = await get(channel, path=[wire(LAN)], encoding=encoding)
            (update,) = answer.notification[0].update
            assert update.val.WhichOneof("value") == wanted
        assert json.loads(update.val.json_ietf_val)["twinplane-virtual-switch:config"]["mtu"] == 1400
        answer = await get(channel, path=[wire(LAN)], encoding=gnmi_pb2.PROTO)
        leaves = {
            "/".join(elem.name for elem in update.path.elem): update.val
            for update in answer.notification[0].update
        }
        assert leaves == {
            "virtual-switches/virtual-switch/name": gnmi_pb2.TypedValue(string_val="lan"),
            "virtual-switches/virtual-switch/config/name": gnmi_pb2.TypedValue(string_val="lan"),
            "virtual-switches/virtual-switch/config/mtu": gnmi_pb2.TypedValue(uint_val=1400),
        }
        for bad in (1, 3, 99):
            status, text = await code(get(channel, path=[wire(LAN)], encoding=bad))
            assert status is grpc.StatusCode.UNIMPLEMENTED
            assert "encoding" in text

    run(tmp_path, scenario)


def test_prefix_target_and_origin(tmp_path: File) -> None:
    """[PATH-02, PATH-03, PATH-15, PATH-17, PATH-19, GET-16]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        elems = wire(f"{LAN}/config/mtu").elem
        for split in range(len(elems) + 1):
            prefix = gnmi_pb2.Path(elem=elems[:split], target="x7")
            answer = await get(channel, prefix=prefix, path=[gnmi_pb2.Path(elem=elems[split:])])
            (notification,) = answer.notification
            assert notification.prefix.target == "x7"
            (update,) = notification.update
            assert [*notification.prefix.elem, *update.path.elem] == list(elems)
        answer = await get(channel, prefix=gnmi_pb2.Path(elem=elems))
        assert python(answer.notification[0].update[0].val) == 1400
        answer = await get(channel, path=[wire(f"openconfig:{LAN}")])
        assert answer.notification[0].prefix.origin == "openconfig"
        answer = await get(channel, path=[wire(LAN)])
        assert not answer.notification[0].HasField("prefix")
        bad = (
            {"prefix": gnmi_pb2.Path(origin="openconfig"), "path": [wire(f"openconfig:{LAN}")]},
            {"path": [wire(LAN, target="t")]},
            {"path": [gnmi_pb2.Path(element=["virtual-switches"])]},
            {"path": [gnmi_pb2.Path(elem=[gnmi_pb2.PathElem(name="")])]},
            {
                "prefix": gnmi_pb2.Path(elem=elems[:1]),
                "path": [gnmi_pb2.Path(elem=elems[1:], origin="openconfig")],
            },
        )
        for request in bad:
            assert (await code(get(channel, **request)))[0] is grpc.StatusCode.INVALID_ARGUMENT
        for origin in ("foo", "some_cli"):
            status, text = await code(get(channel, path=[wire(f"{origin}:{LAN}")]))
            assert status is grpc.StatusCode.UNIMPLEMENTED
            assert origin in text

    run(tmp_path, scenario)


def test_wildcards_expand_to_concrete_paths(tmp_path: File) -> None:
    """[PATH-07, PATH-09..12, GET-03]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{SWITCH}[name={name}]/config/mtu": 1400 for name in ("lan", "wan")})
        for path in (SWITCH, f"{SWITCH}[name=*]"):
            (notification,) = await client.get(path)
            assert [update.path for update in notification.updates] == [
                parse(f"{SWITCH}[name=lan]"),
                parse(f"{SWITCH}[name=wan]"),
            ]
        for path in ("/*/virtual-switch[name=*]/*/mtu", "/virtual-switches/.../mtu"):
            (notification,) = await client.get(path)
            assert [(str(update.path), update.value) for update in notification.updates] == [
                (f"{SWITCH}[name=lan]/config/mtu", 1400),
                (f"{SWITCH}[name=wan]/config/mtu", 1400),
            ]
        answer = await get(
            channel, prefix=wire(f"{SWITCH}[name=*]"), path=[wire("config/mtu")], encoding=gnmi_pb2.PROTO
        )
        assert not answer.notification[0].prefix.elem
        assert [update.path.elem[1].key["name"] for update in answer.notification[0].update] == ["lan", "wan"]

    run(tmp_path, scenario)


def test_what_is_not_there(tmp_path: File) -> None:
    """[GET-04, GET-05, GET-08, A-02, PATH-13]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        with pytest.raises(client_errors.NotFoundError, match="nope"):
            await client.get(LAN, f"{SWITCH}[name=nope]")
        for path, named in (
            ("/virtual-switches/virtual-swtch", "virtual-swtch"),
            (f"{SWITCH}[nam=lan]", "nam"),
            ("/virtual-switches[name=lan]", "virtual-switches"),
            (f"{LAN}/config/nothing", "nothing"),
        ):
            with pytest.raises(client_errors.InvalidError, match=named):
                await client.get(path)
        (nothing,) = await client.get("/images/image[name=*]")
        assert nothing.updates == ()
        (filtered,) = await client.get(f"{LAN}/config", kind="state")
        assert filtered.updates == ()
        (root,) = await client.get("/", kind="state")
        assert root.updates == ()

    run(tmp_path, scenario)


def test_types_select_by_the_schema(tmp_path: File) -> None:
    """[GET-09..13]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        from twinplane.tree.node import Container, Entries

        state = Container({"name": "lan", "mtu": 1400, "oper-status": "UP"})
        entry = Container({"name": "lan", "state": state})
        entries = Entries(("name",), {("lan",): entry})
        target.state = Container({"virtual-switches": Container({"virtual-switch": entries})})
        expected = {
            "config": {"name": "lan", "config": {"name": "lan", "mtu": 1400}},
            "state": {"name": "lan", "state": {"name": "lan", "mtu": 1400, "oper-status": "UP"}},
            "operational": {"name": "lan", "state": {"oper-status": "UP"}},
        }
        expected["all"] = expected["config"] | expected["state"]
        for kind, wanted in expected.items():
            (notification,) = await client.get(LAN, kind=kind, encoding="json")  # type: ignore[arg-type]
            assert notification.updates[0].value == wanted, kind
        answer = await get(channel, path=[wire(f"{LAN}/state/mtu")], type=gnmi_pb2.GetRequest.OPERATIONAL)
        assert not answer.notification[0].update
        answer = await get(channel, path=[wire(LAN)], type=gnmi_pb2.GetRequest.STATE, encoding=2)
        assert [update.path.elem[-2].name for update in answer.notification[0].update] == ["state"] * 3
        status, _ = await code(get(channel, path=[wire("/")], type=77))
        assert status is grpc.StatusCode.INVALID_ARGUMENT
        # A root Get can be fed back.
        (root,) = await client.get("/", kind="config")
        await client.set(replace={"/": root.updates[0].value})
        assert (await client.get("/", kind="config"))[0].updates == root.updates
        model = gnmi_pb2.ModelData(name="twinplane-image")
        answer = await get(channel, path=[wire("/")], use_models=[model])
        assert not answer.notification[0].update
        status, text = await code(get(channel, path=[wire("/")], use_models=[gnmi_pb2.ModelData(name="x")]))
        assert status is grpc.StatusCode.INVALID_ARGUMENT
        assert "'x'" in text

    run(tmp_path, scenario)


def test_polled_leaves_are_brought_up_to_date_first(tmp_path: File) -> None:
    """[GET-15]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.get("/", "/interfaces/interface")
        assert target.polled == [(parse("/"), parse("/interfaces/interface"))]

    run(tmp_path, scenario)


def test_a_set_is_sorted_and_refused_as_a_whole(tmp_path: File) -> None:
    """[SET-01, SET-03, SET-06, SET-23, SET-25..27, ERR multiple]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/mtu": 1400})
        empty = await raw(channel, "Set", b"")
        assert gnmi_pb2.SetResponse.FromString(empty).timestamp > 0
        await client.set(delete=[LAN], update={f"{LAN}/config/description": "new"})
        (now,) = await client.get(f"{LAN}/config", encoding="json")
        assert now.updates[0].value == {"name": "lan", "description": "new", "mtu": 1500}
        sent = len(target.requests)
        with pytest.raises(client_errors.InvalidError) as caught:
            await client.set(
                update={
                    f"{LAN}/config/mtu": "many",
                    f"{LAN}/config/description": "fine",
                    f"{LAN}/state/mtu": 3,
                    "/nope": 1,
                }
            )
        assert [(one.operation, one.fault) for one in caught.value.violations] == [
            (0, "VALUE"),
            (2, "READ_ONLY"),
            (3, "UNKNOWN_TARGET"),
        ]
        assert len(target.requests) == sent
        with pytest.raises(client_errors.NotFoundError):
            await client.set(update={"/nope": 1})
        with pytest.raises(client_errors.InvalidError):
            await client.set(delete=["/nope"])
        with pytest.raises(client_errors.InvalidError):
            await client.set(update={SWITCH + "[name=*]": {"config": {"mtu": 1400}}})
        with pytest.raises(client_errors.InvalidError, match="key"):
            await client.set(update={LAN: {"name": "wan"}})

    run(tmp_path, scenario)


def test_forms_of_values(tmp_path: File) -> None:
    """[ENC-21, ENC-23, SET-18, SET-36]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        async def update(**fields: Any) -> bytes:
            one = gnmi_pb2.Update(path=wire(f"{LAN}/config/mtu"), **fields)
            return await raw(channel, "Set", gnmi_pb2.SetRequest(update=[one]).SerializeToString())

        value = gnmi_pb2.TypedValue
        await update(val=value(uint_val=1400))
        assert (await client.get(f"{LAN}/config/mtu"))[0].updates[0].value == 1400
        await update(val=value(json_val=b"1450"))
        for bad in (
            {"val": value(string_val="x")},
            {"val": value(json_val=b"null")},
            {"val": value(json_ietf_val=b"{")},
            {"val": value()},
            {},
        ):
            status, text = await code(update(**bad))
            assert status is grpc.StatusCode.INVALID_ARGUMENT, bad
            assert "mtu" in text
        for unserved in ({"val": value(ascii_val="x")}, {"val": value(proto_bytes=b"x")}):
            assert (await code(update(**unserved)))[0] is grpc.StatusCode.UNIMPLEMENTED
        union = gnmi_pb2.SetRequest(union_replace=[gnmi_pb2.Update(path=wire("/"))]).SerializeToString()
        assert (await code(raw(channel, "Set", union)))[0] is grpc.StatusCode.INVALID_ARGUMENT
        assert (await client.get(f"{LAN}/config/mtu"))[0].updates[0].value == 1450

    run(tmp_path, scenario)


def test_extensions(tmp_path: File) -> None:
    """[EXT-02]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        extension = gnmi_ext_pb2.Extension
        unknown = extension(registered_ext=gnmi_ext_pb2.RegisteredExtension(id=999, msg=b"\xff"))
        await get(channel, extension=[unknown])
        history = extension(history=gnmi_ext_pb2.History(snapshot_time=1))
        commit = extension(commit=gnmi_ext_pb2.Commit(id="1"))
        depth = extension(depth=gnmi_ext_pb2.Depth(level=1))
        assert (await code(get(channel, extension=[history])))[0] is grpc.StatusCode.INVALID_ARGUMENT
        for one in (history, commit, depth):
            request = gnmi_pb2.SetRequest(extension=[one]).SerializeToString()
            assert (await code(raw(channel, "Set", request)))[0] is grpc.StatusCode.INVALID_ARGUMENT

    run(tmp_path, scenario)


@pytest.mark.parametrize("method", ["Capabilities", "Get", "Set"])
def test_bytes_that_are_no_protobuf(tmp_path: File, method: str) -> None:
    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        status, text = await code(raw(channel, method, b"\xff\xff\xff\xff"))
        assert status is grpc.StatusCode.INVALID_ARGUMENT
        assert "gnmi." in text

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ApplyError(parse(LAN), "bridge br1", "busy", undone=True), client_errors.AbortedError),
        (DegradedError(("br1",)), client_errors.RefusedError),
        (UnavailableError("starting"), client_errors.UnavailableError),
        (RequestError(Violation(parse(LAN), Fault.EXISTS, "taken")), client_errors.AlreadyExistsError),
        (RuntimeError("a bug with a secret"), client_errors.AgentError),
    ],
)
def test_what_the_transactor_raises_is_told(
    tmp_path: File, failure: Exception, kind: type[client_errors.TwinplaneError]
) -> None:
    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        target.failure = failure
        with pytest.raises(kind) as caught:
            await client.set(delete=["/"])
        assert caught.value.code != "UNKNOWN"
        assert "secret" not in str(caught.value)

    run(tmp_path, scenario)


def test_an_answer_that_is_too_large_says_what_to_do(tmp_path: File) -> None:
    """[GET-17]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        await client.set(update={f"{LAN}/config/description": "x" * 200})
        with pytest.raises(client_errors.ExhaustedError, match="Subscribe ONCE"):
            await client.get(LAN)

    run(tmp_path, scenario, Limits(answer_bytes=100))
