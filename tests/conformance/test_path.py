"""Paths, wildcards, prefix, origin, target (PATH)."""

import asyncio

import grpc
import pytest

from conformance.firewall import FW1, everything
from conformance.refusal import refused
from conformance.target import Target, schemas
from conformance.wire import Client, ietf, joined, leaves, path, pb, plain, text, update

Code = grpc.StatusCode
A = "/samples/sample[name=a]"
B = "/samples/sample[name=b]"
PAIRS = f"{A}/pairs/pair"
ENABLED = "/samples/settings/config/enabled"


async def furnished(client: Client) -> None:
    await client.set(
        update={
            f"{A}/config": {"string": "in a", "uint32": 7},
            f"{B}/config": {"string": "in b"},
            f"{PAIRS}[number=10][shape=SQUARE]/value": "v1",
            f"{PAIRS}[number=10][shape=CIRCLE]/value": "v2",
            f"{PAIRS}[number=20][shape=SQUARE]/value": "v3",
            "fixture:/samples/sample[name=a]/config/string": "in the other tree",
        }
    )


async def read(client: Client, where: str | pb.Path, **fields: object) -> dict[str, object]:
    """The leaves that a path selects, by Get in PROTO and, the same, by Subscribe ONCE."""
    got = leaves((await client.get(where, encoding=pb.PROTO, **fields)).notification)
    streamed = [
        message.update for message in await client.once(_subscription(where), encoding=pb.PROTO, **fields)
    ]
    assert leaves(streamed) == got
    for notification in streamed:
        _concrete(notification)
    return got


def _subscription(where: str | pb.Path) -> pb.Subscription:
    return pb.Subscription(path=path(where) if isinstance(where, str) else where)


def _concrete(notification: pb.Notification) -> None:
    """No wildcards; all keys of every list."""
    for below in [*(one.path for one in notification.update), *notification.delete]:
        names: tuple[str, ...] = ()
        for elem in [*notification.prefix.elem, *below.elem]:
            names = (*names, elem.name)
            node = schemas().default.find(names)
            assert node is not None, joined(notification.prefix, below)
            assert set(elem.key) == set(node.keys), joined(notification.prefix, below)
            assert "*" not in elem.key.values()


@pytest.mark.row("PATH-01")
async def test_the_string_form_of_elements_is_refused(client: Client) -> None:
    old = pb.Path(element=["samples", "settings"])
    await refused(client.get(old), Code.INVALID_ARGUMENT, "element")
    await refused(client.get("/samples", prefix=old), Code.INVALID_ARGUMENT, "element")
    await refused(client.once(pb.Subscription(path=old)), Code.INVALID_ARGUMENT, "element")
    await refused(client.set(delete=[old]), Code.INVALID_ARGUMENT, "element")
    await refused(client.set(update=[pb.Update(path=old, val=ietf({}))]), Code.INVALID_ARGUMENT, "element")
    await refused(client.set(delete=["/samples"], prefix=old), Code.INVALID_ARGUMENT, "element")
    both = pb.Path(element=["samples"], elem=[pb.PathElem(name="samples")])
    (update,) = (await client.get(both)).notification[0].update
    assert [elem.name for elem in update.path.elem] == ["samples"]
    # None is ever sent.
    for notification in (await client.get("/", encoding=pb.PROTO)).notification:
        assert not notification.prefix.element
        assert not any(one.path.element for one in notification.update)


@pytest.mark.row("PATH-02")
async def test_root_has_no_elements_and_every_element_a_name(client: Client) -> None:
    for root in (pb.Path(), path("/")):
        (notification,) = (await client.get(root)).notification
        assert {"samples", "interfaces", "system"} <= set(leaves([notification])["/"])
    for elems in ([""], ["samples", ""], ["", "samples"]):
        empty = pb.Path(elem=[pb.PathElem(name=name) for name in elems])
        for call in (
            client.get(empty),
            client.once(pb.Subscription(path=empty)),
            client.set(delete=[empty]),
            client.set(replace=[pb.Update(path=empty, val=ietf({}))]),
        ):
            await refused(call, Code.INVALID_ARGUMENT, "name")


@pytest.mark.row("PATH-03")
async def test_a_path_may_be_split_between_prefix_and_path_anywhere(client: Client) -> None:
    whole = path(f"{A}/config/string").elem
    for at in range(len(whole) + 1):
        prefix, rest = pb.Path(elem=whole[:at]), pb.Path(elem=whole[at:])
        value = f"split at {at}"
        await client.set(prefix=prefix, update=[pb.Update(path=rest, val=ietf(value))])
        assert await client.value(f"{A}/config/string") == value
        found = (await client.get(rest, prefix=prefix)).notification
        assert leaves(found) == {f"{A}/config/string": value}
        messages = await client.once(pb.Subscription(path=rest), prefix=prefix)
        assert leaves([messages[0].update]) == {f"{A}/config/string": value}
        await client.set(prefix=prefix, replace=[pb.Update(path=rest, val=ietf("replaced"))])
        assert await client.value(f"{A}/config/string") == "replaced"
        await client.set(prefix=prefix, delete=[rest])
        await refused(client.get(f"{A}/config/string"), Code.NOT_FOUND)


@pytest.mark.row("PATH-04")
async def test_a_read_selects_what_is_below_and_a_write_its_node(client: Client) -> None:
    await furnished(client)
    found = await read(client, A)
    assert found[f"{A}/config/string"] == "in a"
    assert found[f"{PAIRS}[number=20][shape=twinplane-fixture-types:SQUARE]/value"] == "v3"
    assert all(name.startswith(A) for name in found)
    await client.set(replace={f"{A}/config": {"uint8": 1}})
    after = await read(client, "/samples/sample")
    assert after == {
        name: value
        for name, value in (await read(client, "/samples/sample")).items()
        if name not in (f"{A}/config/string", f"{A}/config/uint32")
    }
    assert after[f"{A}/config/uint8"] == 1
    assert "v3" in after.values(), "beside what was written"
    assert after[f"{B}/config/string"] == "in b"


SPELLINGS = [
    # order of the keys, leading zeros, an identity with its module or an alias
    (
        f"{PAIRS}[number=10][shape=SQUARE]",
        [
            f"{PAIRS}[shape=SQUARE][number=10]",
            f"{PAIRS}[number=0010][shape=SQUARE]",
            f"{PAIRS}[number=+10][shape=SQUARE]",
            f"{PAIRS}[number=10][shape=twinplane-fixture-types:SQUARE]",
        ],
    ),
    (
        f"{A}/addresses/address[ip=2001:db8::1]",
        [
            f"{A}/addresses/address[ip=2001:DB8:0:0::1]",
            f"{A}/addresses/address[ip=2001:0db8:0000:0000:0000:0000:0000:0001]",
        ],
    ),
    (f"{A}/queue/item[id=5]", [f"{A}/queue/item[id=05]"]),
]


@pytest.mark.row("PATH-05")
@pytest.mark.parametrize(("first", "others"), SPELLINGS, ids=["two keys", "address", "union"])
async def test_keys_are_matched_by_value(client: Client, first: str, others: list[str]) -> None:
    leaf = {"pair": "value", "address": "label", "item": "amount"}[path(first).elem[-1].name]
    values = ["1.5", "2.5", "3.5", "4.5", "5.5"]
    await client.set(update={f"{first}/{leaf}": values[0]})
    canonical = None
    for other, value in zip([first, *others], values, strict=False):
        await client.set(update={f"{other}/{leaf}": value})
        listed = pb.Path(elem=path(first).elem[:-1])
        found = leaves((await client.get(listed, encoding=pb.PROTO)).notification)
        mine = [name for name in found if name.endswith(f"/{leaf}")]
        assert len(mine) == 1, found
        canonical = canonical or mine[0]
        assert mine == [canonical]
        for spelled in (first, *others):
            assert str(await client.value(f"{spelled}/{leaf}")).rstrip("0") == value.rstrip("0")
            messages = await client.once(f"{spelled}/{leaf}")
            assert list(leaves([messages[0].update])) == [canonical], "what is sent is canonical"
    # Two spellings in one payload are one entry, named twice.
    await client.set(delete=[others[0]])
    await refused(client.get(first), Code.NOT_FOUND)


NAMES = [
    "a/b[c]=\\ü",
    "]",
    "[",
    "\\",
    "\\]",
    "=",
    "a b",
    " ",
    "*x",
    "..",
    "日本語",
    "'\"",
    "a:b",
    "\U0001f600",
    "%2F",
]


@pytest.mark.row("PATH-06")
@pytest.mark.parametrize("name", NAMES)
async def test_any_character_in_a_key_survives(client: Client, name: str, target: Target) -> None:
    entry = [pb.PathElem(name="samples"), pb.PathElem(name="sample", key={"name": name})]
    leaf = pb.Path(elem=[*entry, pb.PathElem(name="config"), pb.PathElem(name="string")])
    async with client.subscribe(pb.Subscription(path=path("/samples"), mode="ON_CHANGE")) as stream:
        await stream.until_sync()
        await client.set(update=[update(leaf, "x")])
        (notification,) = (await client.get(leaf)).notification
        assert notification.update[0].path == leaf
        (found,) = (await client.get("/samples/sample")).notification[0].update
        assert found.path.elem[1].key["name"] == name
        changed = await stream.notification()
        whole = [*changed.prefix.elem, *changed.update[0].path.elem]
        assert [one.key["name"] for one in whole if one.name == "sample"] == [name]
        (listed,) = (await client.value("/samples"))["sample"]
        assert listed["name"] == name
        assert listed["config"]["name"] == name
        # The file of the datastore keeps it as well.
        again = Target(target.folder, host=target.host)
        stored = await again_stored(again)
        assert stored == name
        await client.set(delete=[pb.Path(elem=entry)])
        gone = await stream.notification()
        assert gone.delete
    await refused(client.get(leaf), Code.NOT_FOUND)


async def again_stored(target: Target) -> str:
    """The name of the one sample that a datastore holds, read beside its writer."""
    import sqlite3

    from twinplane_wire.path import parse

    with sqlite3.connect(f"file:{target.folder}/twinplane.db?mode=ro", uri=True) as db:
        rows = [row[0] for row in db.execute("SELECT path FROM object WHERE path LIKE '/samples/%'")]
    db.close()
    (stored,) = rows
    return dict(parse(stored).elems[-1].keys)["name"]


@pytest.mark.row("PATH-07")
async def test_keys_left_out_and_a_star_mean_every_entry(client: Client) -> None:
    await furnished(client)
    wanted = {f"{A}/config/string": "in a", f"{B}/config/string": "in b"}
    assert await read(client, "/samples/sample/config/string") == wanted
    assert await read(client, "/samples/sample[name=*]/config/string") == wanted
    pairs = await read(client, f"{PAIRS}/value")
    assert sorted(pairs.values()) == ["v1", "v2", "v3"]
    assert await read(client, f"{PAIRS}[number=*][shape=*]/value") == pairs
    assert await read(client, "/samples/sample[name=*]/pairs/pair/value") == pairs


@pytest.mark.row("PATH-08")
async def test_some_keys_select_all_values_of_the_others(client: Client) -> None:
    await furnished(client)
    for by in (f"{PAIRS}[number=10]", f"{PAIRS}[number=10][shape=*]"):
        assert sorted((await read(client, f"{by}/value")).values()) == ["v1", "v2"]
    for by in (f"{PAIRS}[shape=SQUARE]", f"{PAIRS}[number=*][shape=SQUARE]"):
        assert sorted((await read(client, f"{by}/value")).values()) == ["v1", "v3"]
    await client.set(delete=[f"{PAIRS}[shape=SQUARE]"])
    assert sorted((await read(client, f"{PAIRS}/value")).values()) == ["v2"]


@pytest.mark.row("PATH-09")
async def test_a_star_is_one_level_of_any_name(client: Client) -> None:
    await furnished(client)
    strings = {f"{A}/config/string": "in a", f"{B}/config/string": "in b"}
    for pattern in (
        "/samples/sample/*/string",
        "/*/sample/config/string",
        "/*/sample[name=*]/*/string",
        "/samples/*[name=*]/config/string",
    ):
        assert await read(client, pattern) == strings, pattern
    assert await read(client, "/samples/*[name=b]/*/string") == {f"{B}/config/string": "in b"}
    leaf_level = await read(client, "/samples/sample[name=a]/config/*")
    assert leaf_level == {
        f"{A}/config/name": "a", f"{A}/config/string": "in a", f"{A}/config/uint32": 7
    }  # fmt: skip
    # One level, not two and not none.
    assert await read(client, "/samples/*/config/string") == strings
    await refused(client.get("/*/string"), Code.INVALID_ARGUMENT)
    everything = await read(client, "/*")
    assert everything == await read(client, "/")


@pytest.mark.row("PATH-10")
async def test_dots_are_any_number_of_levels(client: Client) -> None:
    await furnished(client)
    strings = {f"{A}/config/string": "in a", f"{B}/config/string": "in b"}
    for pattern in (
        "/samples/.../string",
        "/.../string",
        "/samples/sample/config/.../string",
        "/.../.../string",
    ):
        assert await read(client, pattern) == strings, pattern
    found = await read(client, "/.../enabled")
    assert ENABLED in found
    assert any(name.startswith("/interfaces/") for name in found)
    assert all(name.endswith("/enabled") for name in found)
    assert await read(client, "/samples/...") == await read(client, "/samples")
    assert await read(client, "/.../pair[number=10]/value") == await read(client, f"{PAIRS}[number=10]/value")
    await refused(client.get("/samples/.../nothing"), Code.INVALID_ARGUMENT)


@pytest.mark.row("PATH-09", "PATH-10")
async def test_a_list_that_cannot_have_a_key_does_not_match(client: Client) -> None:
    """Only /interfaces takes names with a colon; what other lists would say of them is no refusal."""
    await client.set(update=everything())
    status = "/interfaces/interface[name=fw1:lan]/state/oper-status"
    for pattern in ("/*/*[name=fw1:lan]/state/oper-status", "/.../*[name=fw1:lan]/state/oper-status"):
        assert (await read(client, pattern)).keys() == {status}
    await client.set(delete=["/*/*[name=fw1:lan]"])
    assert await client.value(f"{FW1}/config/image") == "firewall"


@pytest.mark.row("PATH-11")
async def test_wildcards_in_the_prefix_are_expanded(client: Client) -> None:
    await furnished(client)
    strings = {f"{A}/config/string": "in a", f"{B}/config/string": "in b"}
    for prefix, rest in (
        ("/samples/sample[name=*]", "/config/string"),
        ("/samples/sample", "/config/string"),
        ("/*/sample", "/config/string"),
        ("/...", "/string"),
    ):
        assert await read(client, rest, prefix=path(prefix)) == strings, prefix
    await client.set(prefix=path("/samples/sample[name=*]"), delete=["/config/string"])
    assert await read(client, "/samples/sample/config/string") == {}


@pytest.mark.row("PATH-12")
async def test_what_is_sent_has_concrete_paths(client: Client, target: Target) -> None:
    await furnished(client)
    target.report(f"{A}/state", {"name": "a", "ticks": 1})
    for pattern in ("/", "/samples/sample", "/samples/sample[name=*]/pairs/pair", "/*/sample/*", "/.../pair"):
        for encoding in (pb.JSON, pb.PROTO, pb.JSON_IETF):
            answer = await client.get(pattern, encoding=encoding)
            for notification in answer.notification:
                # A list as the value of a path of its own has no keys; below, everything does.
                _concrete(notification)
            for message in await client.once(pattern, encoding=encoding):
                _concrete(message.update)
    for prefix in ("/samples/sample", "/samples/sample[name=*]", "/*/sample", "/..."):
        for notification in (await client.get("/config/string", prefix=path(prefix))).notification:
            _concrete(notification)
        for message in await client.once("/config/string", prefix=path(prefix)):
            _concrete(message.update)
    pattern = pb.Subscription(path=path("/samples/sample[name=*]"), mode="ON_CHANGE")
    async with client.subscribe(pattern) as stream:
        await stream.until_sync()
        await client.set(delete=["/samples/sample[name=*]"])
        gone: list[str] = []
        while not any(name.startswith(B) for name in gone):
            changed = await stream.notification()
            _concrete(changed)
            gone += [joined(changed.prefix, one) for one in changed.delete]


# A malformed path and what the message names.
MALFORMED = {
    "key on a container": ("/samples[name=a]", "samples"),
    "key on a leaf": (f"{A}/config/string[name=a]", "string"),
    "unknown key": ("/samples/sample[nam=a]", "nam"),
    "one key too many": ("/samples/sample[name=a][x=1]", "x"),
    "unknown name": ("/samples/samle", "samle"),
    "unknown name at the top": ("/smples", "smples"),
    "below a leaf": (f"{A}/config/string/more", "more"),
    "a choice": ("/samples/settings/transport", "transport"),
    "a case": ("/samples/settings/tcp/tcp-port", "tcp"),
    "key text of no number": (f"{PAIRS}[number=ten][shape=SQUARE]", "ten"),
    "key text out of range": (f"{PAIRS}[number=4294967296][shape=SQUARE]", "4294967296"),
    "key text of no identity": (f"{PAIRS}[number=1][shape=TRIANGLE]", "TRIANGLE"),
    "key text too long": (f"/samples/sample[name={'x' * 41}]", "name"),
    "a member of a leaf-list": (f"{A}/config/words[.=one]", "words"),
    "a key of any number of levels": ("/.../...[name=a]/string", "'...'"),
    "key text that no list takes": ("/samples/*/pairs/pair[number=ten]", "ten"),
    "a wrong module": ("/nobody:samples", "nobody:samples"),
    "a module of another node": ("/samples/twinplane-fixture-types:sample", "sample"),
}


@pytest.mark.row("PATH-13", "PATH-14")
@pytest.mark.parametrize("defect", MALFORMED)
async def test_malformed_paths_are_refused_by_name(client: Client, defect: str) -> None:
    where, named = MALFORMED[defect]
    await refused(client.get(where), Code.INVALID_ARGUMENT, named)
    await refused(client.get("/samples", where), Code.INVALID_ARGUMENT, named)
    await refused(client.once(where), Code.INVALID_ARGUMENT, named)
    await refused(client.set(delete=[where]), Code.INVALID_ARGUMENT, named)
    for mode in ("STREAM", "POLL"):
        async with client.subscribe(where, mode=mode) as stream:
            assert await stream.status() is Code.INVALID_ARGUMENT


@pytest.mark.row("PATH-13")
async def test_a_key_without_a_name_is_refused(client: Client) -> None:
    nameless = pb.Path(elem=[pb.PathElem(name="samples"), pb.PathElem(name="sample", key={"": "a"})])
    await refused(client.get(nameless), Code.INVALID_ARGUMENT, "sample")


@pytest.mark.row("PATH-14")
async def test_qualified_names_are_accepted_and_not_sent(client: Client) -> None:
    await client.set(
        update={
            "/twinplane-fixture:samples/twinplane-fixture:sample[name=a]/config/string": "x",
            "/samples/sample[twinplane-fixture:name=a]/twinplane-fixture-more:more/friend": "a",
        }
    )
    bare = f"{A}/config/string"
    for written in (
        bare,
        "/twinplane-fixture:samples/sample[name=a]/config/string",
        "/openconfig-fixture:samples/openconfig-fixture:sample[openconfig-fixture:name=a]/config/string",
        "/samples/sample[twinplane-fixture:name=a]/config/string",
    ):
        assert await read(client, written) == {bare: "x"}
    assert await read(client, f"{A}/more/friend") == {f"{A}/more/friend": "a"}
    assert await read(client, "/openconfig-interfaces:interfaces/interface[name=eth7]/state/mtu") == {
        "/interfaces/interface[name=eth7]/state/mtu": 1500
    }
    await refused(client.get(f"{A}/twinplane-fixture:more/friend"), Code.INVALID_ARGUMENT, "more")


@pytest.mark.row("PATH-15")
async def test_no_origin_means_openconfig(client: Client) -> None:
    await furnished(client)
    for origin, wanted in (("", ""), ("openconfig", "openconfig")):
        (notification,) = (await client.get(path(f"{A}/config/string", origin=origin))).notification
        assert leaves([notification]) == {f"{A}/config/string": "in a"}
        assert notification.prefix.origin == wanted
        assert not notification.update[0].path.origin, "in the prefix, where there is one"
        in_prefix = await client.get(f"{A}/config/string", prefix=pb.Path(origin=origin))
        assert leaves(in_prefix.notification) == {f"{A}/config/string": "in a"}
        assert in_prefix.notification[0].prefix.origin == wanted
        messages = await client.once(pb.Subscription(path=path(f"{A}/config/string", origin=origin)))
        assert messages[0].update.prefix.origin == wanted
        assert leaves([messages[0].update]) == {f"{A}/config/string": "in a"}
        await client.set(update=[update(path(f"{A}/config/string", origin=origin), "in a")])


@pytest.mark.row("PATH-16")
async def test_origins_are_trees_of_their_own(client: Client) -> None:
    await furnished(client)
    other = "fixture:/samples/sample[name=a]/config/string"
    assert await client.value(other) == "in the other tree"
    assert await client.value(f"{A}/config/string") == "in a"
    (notification,) = (await client.get(other)).notification
    assert notification.prefix.origin == "fixture"
    assert await read(client, "fixture:/samples/sample/config/string") == {
        f"{A}/config/string": "in the other tree"
    }
    assert {"interfaces", "system"}.isdisjoint(await client.value("fixture:/"))
    await refused(client.get("fixture:/interfaces"), Code.INVALID_ARGUMENT, "interfaces")
    await client.set(replace={"fixture:/": {}})
    assert await client.value(f"{A}/config/string") == "in a"
    await refused(client.get(other), Code.NOT_FOUND)
    for unknown in ("foo", "OpenConfig", "native", "twinplane"):
        where = path("/interfaces", origin=unknown)
        await refused(client.get(where), Code.UNIMPLEMENTED, unknown)
        await refused(client.get("/interfaces", prefix=pb.Path(origin=unknown)), Code.UNIMPLEMENTED, unknown)
        await refused(client.once(pb.Subscription(path=where)), Code.UNIMPLEMENTED, unknown)
        await refused(client.set(delete=[where]), Code.UNIMPLEMENTED, unknown)
        await refused(client.set(update=[pb.Update(path=where, val=ietf({}))]), Code.UNIMPLEMENTED, unknown)


@pytest.mark.row("PATH-17")
async def test_origin_in_prefix_and_path_and_several_origins(client: Client) -> None:
    await furnished(client)
    both = pb.Path(origin="fixture")
    for origin in ("fixture", "openconfig"):
        where = path(f"{A}/config/string", origin=origin)
        await refused(client.get(where, prefix=both), Code.INVALID_ARGUMENT, "origin")
        await refused(client.once(pb.Subscription(path=where), prefix=both), Code.INVALID_ARGUMENT, "origin")
        await refused(client.set(delete=[where], prefix=both), Code.INVALID_ARGUMENT, "origin")
        held = path(A)
        leaf = pb.Path(origin=origin, elem=path("/config/string").elem)
        await refused(client.get(leaf, prefix=held), Code.INVALID_ARGUMENT, "origin")
    mixed = (f"{A}/config/string", "fixture:/samples/sample[name=a]/config/string")
    first, second = (await client.get(*mixed)).notification
    assert (first.prefix.origin, leaves([first])) == ("", {f"{A}/config/string": "in a"})
    assert (second.prefix.origin, leaves([second])) == (
        "fixture",
        {f"{A}/config/string": "in the other tree"},
    )
    streamed = [message.update for message in await client.once(*mixed) if message.HasField("update")]
    by_origin = {one.prefix.origin: leaves([one]) for one in streamed}
    assert by_origin.pop("fixture") == {f"{A}/config/string": "in the other tree"}
    assert list(by_origin.values()) == [{f"{A}/config/string": "in a"}]


@pytest.mark.row("PATH-18")
async def test_a_command_line_is_not_offered(client: Client) -> None:
    ascii_text = pb.TypedValue(ascii_val="interface eth7\n shutdown")
    for origin in ("twinplane_cli", "cli", "openconfig_cli"):
        for where in (pb.Path(origin=origin), path("/whatever/it[is=1]", origin=origin)):
            for field in ("update", "replace", "union_replace"):
                call = client.set(**{field: [pb.Update(path=where, val=ascii_text)]})  # type: ignore[arg-type]
                await refused(call, Code.UNIMPLEMENTED, origin)
            await refused(client.get(where), Code.UNIMPLEMENTED, origin)
    await refused(client.get("/samples", encoding=pb.ASCII), Code.UNIMPLEMENTED, "ASCII")


@pytest.mark.row("PATH-19")
@pytest.mark.parametrize("label", ["", "x7", "any thing/[at]=all", "*"])
async def test_a_target_is_echoed_as_it_came(client: Client, label: str) -> None:
    prefix = pb.Path(target=label)
    answer = await client.set(update={f"{A}/config/string": "x"}, prefix=prefix)
    assert answer.prefix.target == label
    got = await client.get(f"{A}/config", "/samples/settings", "/interfaces/interface", prefix=prefix)
    assert {one.prefix.target for one in got.notification} == {label}
    for mode in ("STREAM", "POLL"):
        async with client.subscribe("/samples", prefix=prefix, mode=mode) as stream:
            assert {one.prefix.target for one in await stream.until_sync()} == {label}
            if mode == "STREAM":
                await client.set(update={f"{A}/config/string": "y"})
                assert (await stream.notification()).prefix.target == label
                await client.set(delete=[A])
                assert (await stream.notification()).prefix.target == label
            else:
                await stream.poll()
                assert {one.prefix.target for one in await stream.until_sync()} == {label}
    if not label:
        assert not (await client.set(delete=[A])).HasField("prefix")


@pytest.mark.row("PATH-20")
async def test_a_target_is_private_to_its_call_and_stands_in_prefixes_only(
    client: Client, target: Target
) -> None:
    wanted = pb.Subscription(path=path("/samples"), mode="ON_CHANGE")
    other = target.mutual("reader")
    async with (
        client.subscribe(wanted, prefix=pb.Path(target="A")) as first,
        other.subscribe(wanted, prefix=pb.Path(target="B")) as second,
        other.subscribe(wanted) as third,
    ):
        for stream, label in ((first, "A"), (second, "B"), (third, "")):
            assert {one.prefix.target for one in await stream.until_sync()} == {label}
        for value in ("x", "y"):
            await client.set(update={f"{A}/config/string": value}, prefix=pb.Path(target="C"))
            heard = await asyncio.gather(*(stream.notification() for stream in (first, second, third)))
            assert [one.prefix.target for one in heard] == ["A", "B", ""]
            assert {leaves([one])[f"{A}/config/string"] for one in heard} == {value}
            assert not any(one.path.target for update in heard for one in update.update)
    inside = path(f"{A}/config", target="x")
    await refused(client.get(inside), Code.INVALID_ARGUMENT, "target")
    await refused(client.once(pb.Subscription(path=inside)), Code.INVALID_ARGUMENT, "target")
    await refused(client.set(delete=[inside]), Code.INVALID_ARGUMENT, "target")
    await refused(client.set(update=[pb.Update(path=inside, val=plain({}))]), Code.INVALID_ARGUMENT, "target")


@pytest.mark.row("PATH-12")
async def test_results_of_a_set_repeat_the_paths_as_they_came(client: Client) -> None:
    await furnished(client)
    sent = path("/samples/sample[name=*]/pairs/pair[shape=SQUARE]")
    answer = await client.set(delete=[sent])
    assert [one.path for one in answer.response] == [sent]
    assert text(answer.response[0].path) == text(sent)
