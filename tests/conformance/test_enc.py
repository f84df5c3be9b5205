"""Encodings and typed values (ENC)."""

import base64
import json
from collections import Counter
from decimal import Decimal
from typing import Any

import grpc
import pytest

from conformance.refusal import refused
from conformance.strict import check_ietf
from conformance.target import Target
from conformance.wire import Client, ietf, joined, leaves, path, pb, plain, update
from twinplane.tree.node import EMPTY, Container, Entries
from twinplane_wire.value import python

Code = grpc.StatusCode
A = "/samples/sample[name=a]"
CONFIG = f"{A}/config"
STATE = f"{A}/state"
SETTINGS = "/samples/settings"
Value = pb.TypedValue
FIELD = {pb.JSON: "json_val", pb.JSON_IETF: "json_ietf_val"}
SCALARS = {"string_val", "int_val", "uint_val", "bool_val", "bytes_val", "double_val", "leaflist_val"}


async def furnished(client: Client, target: Target) -> None:
    """Something of every type, in both trees, and state."""
    everything = {
        "int8": -8,
        "int16": 16,
        "int32": -10,
        "int64": "-64",
        "uint8": 8,
        "uint16": 16,
        "uint32": 32,
        "uint64": "64",
        "decimal2": "1.5",
        "decimal18": "0.1",
        "boolean": True,
        "string": 'a "quoted" text',
        "pattern": "abc",
        "enumeration": "TWO",
        "identityref": "twinplane-fixture-types:SQUARE",
        "bits": "first last",
        "binary": base64.b64encode(b"\x00\xff").decode(),
        "empty": [None],
        "union": 5,
        "leafref": 32,
        "instance": "/twinplane-fixture:samples",
        "words": ["b", "a"],
        "ordered": ["3", "1", "2"],
    }
    items = [{"id": "auto", "amount": "1.0"}, {"id": 7, "amount": "2.0"}, {"id": "zz", "amount": "0.001"}]
    for origin in ("", "fixture:"):
        await client.set(
            update={
                f"{origin}{CONFIG}": everything,
                f"{origin}{A}/queue": {"item": items},
                f"{origin}{A}/more": {"friend": "a"},
                f"{origin}{SETTINGS}/marker": {},
                "/virtual-switches/virtual-switch[name=lan]/config/mtu": 1400,
            }
        )
    target.report(
        STATE,
        {"name": "a", "int64": -64, "uint64": 2**64 - 1, "uint32": 2**32 - 1, "ticks": 1, "empty": EMPTY},
    )


async def scalar(client: Client, where: str, encoding: Any = pb.PROTO) -> pb.TypedValue:
    """The value of one leaf, which Get and Subscribe agree on."""
    (found,) = (await client.get(where, encoding=encoding)).notification[0].update
    messages = await client.once(where, encoding=encoding)
    (streamed,) = messages[0].update.update
    assert streamed.val == found.val
    return found.val


@pytest.mark.row("ENC-01")
async def test_json_is_what_no_encoding_means(client: Client) -> None:
    await client.set(update=[update(f"{CONFIG}/string", plain("x")), update(f"{CONFIG}/uint8", plain(8))])
    await client.set(replace=[update(f"{SETTINGS}/config", plain({"plain": "y"}))])
    (whole,) = (await client.get(CONFIG)).notification[0].update
    assert json.loads(whole.val.json_val) == {"name": "a", "string": "x", "uint8": 8}
    for message in (await client.once(CONFIG))[:-1]:
        assert {one.val.WhichOneof("value") for one in message.update.update} == {"json_val"}
    assert (await scalar(client, f"{SETTINGS}/config/plain", 0)).json_val == b'"y"'


@pytest.mark.row("ENC-02")
async def test_an_encoding_that_is_not_offered_is_refused_everywhere(client: Client) -> None:
    for number, name in ((pb.BYTES, "BYTES"), (pb.ASCII, "ASCII"), (99, "99")):
        await refused(client.get("/samples", encoding=number), Code.UNIMPLEMENTED, name)
        for mode in ("ONCE", "POLL", "STREAM"):
            async with client.subscribe("/samples", mode=mode, encoding=number) as stream:
                assert await stream.status() is Code.UNIMPLEMENTED, mode


@pytest.mark.row("ENC-03")
@pytest.mark.parametrize("encoding", [pb.JSON, pb.JSON_IETF, pb.PROTO])
async def test_the_field_is_that_of_the_encoding_everywhere(
    client: Client, target: Target, encoding: int
) -> None:
    await furnished(client, target)
    wanted = {FIELD[encoding]} if encoding in FIELD else SCALARS
    paths = ("/", "fixture:/", CONFIG, f"{CONFIG}/uint8", "/interfaces/interface/state", "/.../name")
    got = (await client.get(*paths, encoding=encoding)).notification
    used = Counter(one.val.WhichOneof("value") for item in got for one in item.update)
    assert used.keys() <= wanted
    if encoding == pb.PROTO:
        assert used.keys() == wanted, "the tree has a leaf for each"
        for item in got:
            for one in item.update:
                for member in one.val.leaflist_val.element:
                    assert member.WhichOneof("value") in SCALARS - {"leaflist_val"}
    everything = pb.Subscription(path=path("/samples"), mode="ON_CHANGE")
    async with client.subscribe(everything, encoding=encoding) as stream:
        heard = await stream.until_sync()
        await client.set(update={f"{CONFIG}/uint8": 9}, delete=[f"{CONFIG}/words"])
        heard.append(await stream.notification())
        target.report(STATE, {"ticks": 2})
        heard.append(await stream.notification())
    assert {one.val.WhichOneof("value") for item in heard for one in item.update} <= wanted
    assert not any(one.HasField("value") for item in [*got, *heard] for one in item.update)


@pytest.mark.row("ENC-04")
async def test_a_leaf_is_bare_and_a_subtree_is_what_is_below(client: Client, target: Target) -> None:
    await furnished(client, target)
    for encoding, field in FIELD.items():
        leaf = await scalar(client, f"{CONFIG}/string", encoding)
        assert getattr(leaf, field) == b'"a \\"quoted\\" text"'
        assert getattr(await scalar(client, f"{CONFIG}/boolean", encoding), field) == b"true"
        assert getattr(await scalar(client, f"{CONFIG}/uint8", encoding), field) == b"8"
        below = await client.value("/samples", encoding=encoding)
        assert {name.rpartition(":")[2] for name in below} == {"sample", "settings"}
        entry = await client.value(A, encoding=encoding)
        assert "sample" not in entry
        assert {"name", "config", "state"} <= {name.rpartition(":")[2] for name in entry}


@pytest.mark.row("ENC-05", "ENC-10")
@pytest.mark.parametrize("origin", ["", "fixture:"])
async def test_json_ietf_is_what_a_strict_reader_wants(client: Client, target: Target, origin: str) -> None:
    await furnished(client, target)
    whole = await client.value(f"{origin}/", encoding=pb.JSON_IETF)
    assert all(":" in name for name in whole)
    check_ietf(whole, target.schemas.table(origin.rstrip(":")).root)
    for where in ("/samples", A, CONFIG, f"{A}/more", f"{A}/queue/item[id=7]", f"{SETTINGS}/config"):
        node = target.schemas.default.find(tuple(elem.name for elem in path(where).elem))
        assert node is not None
        (found,) = (await client.get(f"{origin}{where}", encoding=pb.JSON_IETF)).notification[0].update
        check_ietf(json.loads(found.val.json_ietf_val), node)
    more = await client.value(f"{origin}{A}", encoding=pb.JSON_IETF)
    assert more["twinplane-fixture-more:more"] == {"friend": "a"}, "qualified where the module changes"
    assert more["twinplane-fixture:config"]["string"], "and where it does not, not"


@pytest.mark.row("ENC-05")
async def test_names_in_json_ietf_may_be_qualified_on_input(client: Client) -> None:
    for number, payload in enumerate(
        (
            {"config": {"uint8": 0}, "more": {"friend": "a"}},
            {"twinplane-fixture:config": {"uint8": 1}, "twinplane-fixture-more:more": {"friend": "a"}},
            {"openconfig-fixture:config": {"twinplane-fixture:uint8": 2}},
        )
    ):
        await client.set(update={A: payload})
        assert await client.value(f"{CONFIG}/uint8") == number
    for wrong in ({"nobody:config": {}}, {"twinplane-fixture:more": {"friend": "a"}}):
        await refused(client.set(update={A: wrong}), Code.INVALID_ARGUMENT)


@pytest.mark.row("ENC-06", "ENC-07")
async def test_wide_numbers_are_strings_in_json_ietf_only(client: Client, target: Target) -> None:
    await furnished(client, target)
    texts = {
        "int64": b'"-64"',
        "uint64": b'"18446744073709551615"',
        "uint32": b"4294967295",
    }
    for name, text in texts.items():
        assert (await scalar(client, f"{STATE}/{name}", pb.JSON_IETF)).json_ietf_val == text
    found = await client.value(CONFIG, encoding=pb.JSON_IETF)
    wide = {"int64": "-64", "uint64": "64", "decimal2": "1.5", "decimal18": "0.1", "ordered": ["3", "1", "2"]}
    narrow = {"int8": -8, "int16": 16, "int32": -10, "uint8": 8, "uint16": 16, "uint32": 32}
    for name, value in {**wide, **narrow}.items():
        assert found[f"twinplane-fixture:{name}"] == value
        assert type(found[f"twinplane-fixture:{name}"]) is type(value)
    assert (await scalar(client, f"{STATE}/uint64", pb.JSON)).json_val == b"18446744073709551615"


@pytest.mark.row("ENC-07")
@pytest.mark.parametrize("form", [plain, ietf])
async def test_wide_numbers_are_read_in_both_forms(client: Client, form: Any) -> None:
    big = 18446744073709551615
    for written in (big, str(big)):
        await client.set(update=[update(f"{CONFIG}/uint64", form(0)), update(f"{CONFIG}/int64", form(0))])
        await client.set(update=[update(CONFIG, form({"uint64": written, "int64": str(-(2**63))}))])
        assert await client.value(f"{CONFIG}/uint64", encoding=pb.PROTO) == big
        assert await client.value(f"{CONFIG}/uint64", encoding=pb.JSON_IETF) == str(big)
        assert await client.value(f"{CONFIG}/uint64", encoding=pb.JSON) == big
        assert await client.value(f"{CONFIG}/int64", encoding=pb.PROTO) == -(2**63)
    for beyond in (big + 1, str(big + 1), -1, "-1", 1.5):
        await refused(client.set(update=[update(f"{CONFIG}/uint64", form(beyond))]), Code.INVALID_ARGUMENT)


WIDTHS = {f"int{bits}": ("int_val", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 64)}
WIDTHS |= {"int32": ("int_val", -10, 2**31 - 1)}
WIDTHS |= {f"uint{bits}": ("uint_val", 0, 2**bits - 1) for bits in (8, 16, 32, 64)}


@pytest.mark.row("ENC-08")
@pytest.mark.parametrize("leaf", WIDTHS)
async def test_integers_have_the_field_of_their_sign(client: Client, leaf: str) -> None:
    field, low, high = WIDTHS[leaf]
    for value in (low, 0, high):
        await client.set(update=[update(f"{CONFIG}/{leaf}", Value(**{field: value}))])
        assert await scalar(client, f"{CONFIG}/{leaf}") == Value(**{field: value})


@pytest.mark.row("ENC-09")
async def test_boolean_string_and_enumeration(client: Client, target: Target) -> None:
    await furnished(client, target)
    assert await scalar(client, f"{CONFIG}/boolean") == Value(bool_val=True)
    assert await scalar(client, f"{CONFIG}/string") == Value(string_val='a "quoted" text')
    assert await scalar(client, f"{CONFIG}/enumeration") == Value(string_val="TWO")
    await client.set(update={f"{CONFIG}/boolean": False, f"{CONFIG}/string": ""})
    assert await scalar(client, f"{CONFIG}/boolean") == Value(bool_val=False)
    assert await scalar(client, f"{CONFIG}/string") == Value(string_val="")


@pytest.mark.row("ENC-10")
async def test_identities_are_qualified_in_json_ietf_and_bare_under_proto(client: Client) -> None:
    leaf = f"{CONFIG}/identityref"
    for value in (
        Value(string_val="SQUARE"),
        Value(string_val="twinplane-fixture-types:SQUARE"),
        ietf("SQUARE"),
        ietf("twinplane-fixture-types:SQUARE"),
        plain("SQUARE"),
        plain("twinplane-fixture-types:SQUARE"),
    ):
        await client.set(delete=[leaf])
        await client.set(update=[update(leaf, value)])
        assert (await scalar(client, leaf)).string_val == "SQUARE"
        assert (await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val == b'"twinplane-fixture-types:SQUARE"'
    await client.set(update={leaf: "twinplane-fixture:HEXAGON"})
    assert (await scalar(client, leaf)).string_val == "HEXAGON"
    for wrong in ("TRIANGLE", "twinplane-fixture:SQUARE", "SHAPE", "", "twinplane-types:SQUARE"):
        await refused(client.set(update={leaf: wrong}), Code.INVALID_ARGUMENT)


@pytest.mark.row("ENC-11", "ENC-12")
async def test_decimals_are_doubles_under_proto_and_text_in_json_ietf(client: Client) -> None:
    leaf = f"{CONFIG}/decimal18"
    for value in (
        Value(double_val=0.1),
        Value(float_val=0.1),
        Value(decimal_val=pb.Decimal64(digits=1, precision=1)),
        Value(decimal_val=pb.Decimal64(digits=100, precision=3)),
        ietf("0.1"),
        ietf("0.100"),
        ietf("+00.1"),
        plain(0.1),
        Value(json_val=b"0.1000"),
    ):
        await client.set(update={leaf: "7.0"})
        await client.set(update=[update(leaf, value)])
        assert (await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val == b'"0.1"', value
        assert await scalar(client, leaf) == Value(double_val=0.1)
    for exact in ("9.223372036854775807", "-9.223372036854775808", "0.000000000000000001", "0.0", "-1.0"):
        await client.set(update={leaf: exact})
        assert (await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val == json.dumps(exact).encode()
        assert Decimal((await scalar(client, leaf, pb.JSON)).json_val.decode()) == Decimal(exact)
    await client.set(update={f"{CONFIG}/decimal2": "100.2"})
    assert (await scalar(client, f"{CONFIG}/decimal2", pb.JSON_IETF)).json_ietf_val == b'"100.2"'
    for wrong in ("0.0000000000000000001", "10", "1e-1", "", "x"):
        await refused(client.set(update={leaf: wrong}), Code.INVALID_ARGUMENT)
    for number in (float("nan"), float("inf")):
        await refused(client.set(update=[update(leaf, Value(double_val=number))]), Code.INVALID_ARGUMENT)


@pytest.mark.row("ENC-13")
async def test_a_leaf_list_is_one_value_in_its_order(client: Client, target: Target) -> None:
    await furnished(client, target)
    ordered = f"{CONFIG}/ordered"
    members = await scalar(client, ordered)
    assert [one.uint_val for one in members.leaflist_val.element] == [3, 1, 2]
    assert (await scalar(client, ordered, pb.JSON_IETF)).json_ietf_val == b'["3","1","2"]'
    assert (await scalar(client, ordered, pb.JSON)).json_val == b"[3,1,2]"
    wanted = pb.Subscription(path=path(CONFIG), mode="ON_CHANGE")
    async with client.subscribe(wanted, encoding=pb.PROTO) as stream:
        await stream.until_sync()
        for order in ([3, 2, 1], [3, 2, 1, 9], [9, 1]):
            typed = Value(leaflist_val=pb.ScalarArray(element=[Value(uint_val=one) for one in order]))
            await client.set(replace=[update(ordered, typed)])
            changed = await stream.notification()
            assert leaves([changed]) == {ordered: tuple(order)}
            assert not changed.delete
            assert await client.value(ordered, encoding=pb.PROTO) == tuple(order)


@pytest.mark.row("ENC-14")
@pytest.mark.parametrize("emptied", ["delete", "replace", "replace above", "scalars"])
async def test_an_emptied_leaf_list_is_a_delete(client: Client, emptied: str) -> None:
    words = f"{CONFIG}/words"
    await client.set(update={words: ["a"], f"{CONFIG}/string": "stays"})
    async with client.subscribe(pb.Subscription(path=path(CONFIG), mode="ON_CHANGE")) as stream:
        await stream.until_sync()
        match emptied:
            case "delete":
                await client.set(delete=[words])
            case "replace":
                await client.set(replace={words: []})
            case "scalars":
                await client.set(replace=[update(words, Value(leaflist_val=pb.ScalarArray()))])
            case _:
                await client.set(replace={CONFIG: {"string": "stays", "words": []}})
        changed = await stream.notification()
        assert [joined(changed.prefix, gone) for gone in changed.delete] == [words]
        assert not changed.update
    await refused(client.get(words), Code.NOT_FOUND)


@pytest.mark.row("ENC-15")
async def test_binary_and_bits(client: Client) -> None:
    binary, bits = f"{CONFIG}/binary", f"{CONFIG}/bits"
    raw = bytes((0, 1, 254, 255))
    text = base64.b64encode(raw).decode()
    for value in (Value(bytes_val=raw), ietf(text), plain(text)):
        await client.set(update=[update(binary, Value(bytes_val=b""))])
        await client.set(update=[update(binary, value)])
        assert await scalar(client, binary) == Value(bytes_val=raw)
        assert (await scalar(client, binary, pb.JSON_IETF)).json_ietf_val == json.dumps(text).encode()
        assert (await scalar(client, binary, pb.JSON)).json_val == json.dumps(text).encode()
    for written in ("last first", "first last", "  last   first "):
        for value in (Value(string_val=written), ietf(written), plain(written)):
            await client.set(update=[update(bits, Value(string_val="middle"))])
            await client.set(update=[update(bits, value)])
            assert await scalar(client, bits) == Value(string_val="first last"), "in the order of the schema"
            assert (await scalar(client, bits, pb.JSON_IETF)).json_ietf_val == b'"first last"'
    await client.set(update={bits: ""})
    assert await scalar(client, bits) == Value(string_val="")
    for wrong in ("fifth", "first first"):
        await refused(client.set(update={bits: wrong}), Code.INVALID_ARGUMENT)
    for wrong in ("?", "AB=", base64.b64encode(bytes(9)).decode()):
        await refused(client.set(update={binary: wrong}), Code.INVALID_ARGUMENT)
    await refused(client.set(update=[update(binary, Value(string_val=text))]), Code.INVALID_ARGUMENT)


@pytest.mark.row("ENC-16")
async def test_empty_leaves_and_containers_that_are_there(client: Client) -> None:
    leaf, marker = f"{CONFIG}/empty", f"{SETTINGS}/marker"
    for value in (ietf([None]), plain([None]), Value(bool_val=True)):
        await client.set(update=[update(leaf, value)])
        assert (await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val == b"[null]"
        assert (await scalar(client, leaf, pb.JSON)).json_val == b"[null]"
        assert await scalar(client, leaf) == Value(bool_val=True)
        await client.set(delete=[leaf])
        await refused(client.get(leaf), Code.NOT_FOUND)
    for wrong in (ietf(None), ietf([]), ietf(""), ietf(True), Value(bool_val=False), Value(string_val="")):
        await refused(client.set(update=[update(leaf, wrong)]), Code.INVALID_ARGUMENT)
    await refused(client.get(marker), Code.NOT_FOUND)
    for value in (ietf({}), plain({})):
        await client.set(update=[update(marker, value)])
        for encoding in FIELD:
            assert await client.value(marker, encoding=encoding) == {}
        assert (await client.value(SETTINGS))["marker"] == {}
        (notification,) = (await client.get(marker, encoding=pb.PROTO)).notification
        assert not notification.update, "it has no form under PROTO"
        whole = leaves((await client.get(SETTINGS, encoding=pb.PROTO)).notification)
        assert not any("marker" in name for name in whole)
        await client.set(delete=[marker])
        await refused(client.get(marker), Code.NOT_FOUND)


UNION = {
    "5": (5, Value(uint_val=5)),
    "4095": ("4095", Value(string_val="4095")),  # out of the number's range: a text
    "auto": ("auto", Value(string_val="auto")),
    "text": ("text", Value(string_val="text")),
}


@pytest.mark.row("ENC-17")
@pytest.mark.parametrize("case", UNION)
async def test_a_union_value_has_the_form_of_its_member(client: Client, case: str) -> None:
    value, typed = UNION[case]
    leaf = f"{CONFIG}/union"
    for written in (ietf(value), plain(value), typed):
        await client.set(update={leaf: "zz"})
        await client.set(update=[update(leaf, written)])
        assert await scalar(client, leaf) == typed
        assert json.loads((await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val) == value
        assert json.loads((await scalar(client, leaf, pb.JSON)).json_val) == value
    await refused(client.set(update={leaf: "too long a text"}), Code.INVALID_ARGUMENT)
    await refused(client.set(update=[update(leaf, Value(bool_val=True))]), Code.INVALID_ARGUMENT)


@pytest.mark.row("ENC-17")
@pytest.mark.parametrize("form", [ietf, plain])
async def test_of_the_members_that_take_a_value_the_first_one_counts(client: Client, form: Any) -> None:
    leaf = f"{CONFIG}/signs"
    for number, typed in ((5, Value(uint_val=5)), (300, Value(int_val=300)), (-5, Value(int_val=-5))):
        await client.set(update=[update(leaf, form(number))])
        assert await scalar(client, leaf) == typed
        assert json.loads((await scalar(client, leaf, pb.JSON_IETF)).json_ietf_val) == number


@pytest.mark.row("ENC-18")
async def test_a_leafref_has_the_form_of_its_target(client: Client, target: Target) -> None:
    await furnished(client, target)
    assert await scalar(client, f"{CONFIG}/leafref") == Value(uint_val=32)
    assert (await scalar(client, f"{CONFIG}/leafref", pb.JSON_IETF)).json_ietf_val == b"32"
    await client.set(update={f"{A}/pairs/pair[number=7][shape=SQUARE]/value": "v"})
    (pair,) = (await client.value(f"{A}/pairs"))["pair"]
    assert pair["number"] == 7, "text in the path, a number in the body"
    found = await client.get(f"{A}/pairs/pair/number", encoding=pb.PROTO)
    (change,) = found.notification[0].update
    assert change.path.elem[3].key["number"] == "7"
    assert change.val == Value(uint_val=7)
    (item,) = [one for one in (await client.value(f"{A}/queue"))["item"] if one["id"] == 7]
    assert item["amount"] == 2.0


@pytest.mark.row("ENC-19")
async def test_proto_sends_leaves_only(client: Client, target: Target) -> None:
    await furnished(client, target)
    for where in ("/", "/samples", A, "/interfaces", "/samples/sample", "fixture:/"):
        (notification,) = (await client.get(where, encoding=pb.PROTO)).notification
        assert notification.update
        for one in notification.update:
            names = tuple(elem.name for elem in [*notification.prefix.elem, *one.path.elem])
            node = target.schemas.default.find(names)
            assert node is not None
            assert node.is_leaf
            assert one.val.WhichOneof("value") in SCALARS
        streamed = await client.once(where, encoding=pb.PROTO)
        found = leaves(message.update for message in streamed)
        assert found.keys() == leaves([notification]).keys()
    for value in (Value(proto_bytes=b"x"), Value(any_val={"value": b"x"})):
        await refused(client.set(update=[update(CONFIG, value)]), Code.UNIMPLEMENTED)


@pytest.mark.row("ENC-20")
async def test_lists_without_keys_and_the_order_of_entries(client: Client, target: Target) -> None:
    await furnished(client, target)
    steps = Entries(
        (), {("0",): Container({"text": "first", "number": 1}), ("1",): Container({"text": "second"})}
    )
    target.report(STATE, {"step": steps})  # type: ignore[dict-item]
    wanted = [{"text": "first", "number": 1}, {"text": "second"}]
    assert (await client.value(STATE))["step"] == wanted
    assert await client.value(f"{STATE}/step") == wanted
    in_ietf = await client.value(STATE, encoding=pb.JSON_IETF)
    assert in_ietf["twinplane-fixture:step"] == [{"text": "first", "number": "1"}, {"text": "second"}]
    for where in (STATE, f"{STATE}/step", "/"):
        (notification,) = (await client.get(where, encoding=pb.PROTO)).notification
        assert not any("step" in name for name in leaves([notification])), "they have no paths"
        for encoding in (pb.PROTO, pb.JSON):
            streamed = [message.update for message in await client.once(where, encoding=encoding)]
            assert not any("/state/step" in name for name in leaves(streamed))
    order = [item["id"] for item in (await client.value(f"{A}/queue"))["item"]]
    assert order == ["auto", 7, "zz"]
    turned = [{"id": one} for one in ("zz", "auto", 7)]
    await client.set(replace={f"{A}/queue": {"item": turned}})
    assert (await client.value(f"{A}/queue"))["item"] == turned
    assert [one["id"] for one in (await client.value(A))["queue"]["item"]] == ["zz", "auto", 7]


RIGHT = {
    "uint8": [Value(uint_val=8), Value(int_val=8), ietf(8), plain(8)],
    "int8": [Value(int_val=8), Value(uint_val=8), ietf(8), plain(8)],
    "uint64": [Value(uint_val=8), ietf("8"), plain(8), plain("8")],
    "string": [Value(string_val="x"), ietf("x"), plain("x")],
    "boolean": [Value(bool_val=True), ietf(True), plain(True)],
    "enumeration": [Value(string_val="ONE"), ietf("ONE"), plain("ONE")],
    "words": [
        Value(leaflist_val=pb.ScalarArray(element=[Value(string_val="x")])),
        ietf(["x"]),
        plain(["x"]),
    ],
}
WRONG = {
    "uint8": [
        Value(string_val="8"),
        Value(bool_val=True),
        Value(double_val=8.0),
        ietf("8"),
        ietf([8]),
        ietf({}),
    ],
    "uint64": [Value(string_val="8"), ietf("x"), ietf(True)],
    "string": [Value(uint_val=8), Value(bytes_val=b"x"), ietf(8), ietf(["x"]), Value(bool_val=False)],
    "boolean": [Value(string_val="true"), Value(uint_val=1), ietf("true"), ietf(1)],
    "enumeration": [Value(uint_val=0), Value(string_val="THREE"), ietf(1)],
    "words": [Value(string_val="x"), ietf("x"), Value(leaflist_val={"element": [Value(uint_val=1)]})],
    "binary": [Value(string_val="x"), ietf(5)],
}


@pytest.mark.row("ENC-21")
@pytest.mark.parametrize("leaf", sorted(RIGHT.keys() | WRONG.keys()))
async def test_writes_take_every_encoding_and_no_wrong_scalar(client: Client, leaf: str) -> None:
    where = f"{CONFIG}/{leaf}"
    for value in RIGHT.get(leaf, ()):
        await client.set(replace=[update(where, value)])
        assert python(await scalar(client, where)) == python(await scalar(client, where))
        before = await client.value(where)
        await client.set(delete=[where])
        await client.set(update=[update(where, value)])
        assert await client.value(where) == before
    for value in WRONG.get(leaf, ()):
        for field in ("update", "replace"):
            call = client.set(**{field: [update(where, value)]})  # type: ignore[arg-type]
            await refused(call, Code.INVALID_ARGUMENT, leaf)
    for value in (Value(string_val="x"), Value(leaflist_val={"element": [Value(uint_val=1)]})):
        await refused(client.set(update=[update(CONFIG, value)]), Code.INVALID_ARGUMENT)


RESTRICTED = {
    "int8": [-129, 128],
    "int32": [-11, -4, 1, 4],
    "uint16": [-1, 65536],
    "uint64": ["18446744073709551616"],
    "decimal2": ["-1.51", "100.26", "1.555"],
    "pattern": ["", "abcdefg", "ABC", "xa"],
    "enumeration": ["THREE", "one", ""],
    "identityref": ["TRIANGLE"],
    "bits": ["fourth"],
    "binary": [base64.b64encode(bytes(9)).decode()],
    "union": [4096.5, "t", "much too long"],
    "words": [[""], ["x" * 11], ["a", "a"]],
    "boolean": ["yes"],
    "empty": [True],
    "leafref": [-1],
    "nothing": [1],
    "ordered": [[1, 1], ["x"]],
    "string": ["a\u0000b"],
}


@pytest.mark.row("ENC-22")
@pytest.mark.parametrize("leaf", RESTRICTED)
async def test_restrictions_are_enforced(client: Client, target: Target, leaf: str) -> None:
    await furnished(client, target)
    before = await client.value("/", type="CONFIG")
    for value in RESTRICTED[leaf]:
        for field in ("update", "replace"):
            for form in (plain, ietf):
                for request in (
                    [update(CONFIG, form({"string": "changed", leaf: value}))],
                    [
                        update(f"{CONFIG}/string", form("changed")),
                        update("/samples", form({"sample": [{"name": "a", "config": {leaf: value}}]})),
                    ],
                ):
                    call = client.set(**{field: request})  # type: ignore[arg-type]
                    await refused(call, Code.INVALID_ARGUMENT, leaf)
    assert await client.value("/", type="CONFIG") == before


@pytest.mark.row("ENC-22")
async def test_unknown_members_are_refused_and_not_dropped(client: Client) -> None:
    for payload, named in (
        ({"config": {"string": "x", "strin": "y"}}, "strin"),
        ({"confg": {}}, "confg"),
        ({"config": {"string": "x"}, "@config": {}}, "@config"),
        ({"settings": {}}, "settings"),
    ):
        await refused(client.set(update={A: payload}), Code.INVALID_ARGUMENT, named)
    await refused(client.get(A), Code.NOT_FOUND)


@pytest.mark.row("ENC-23")
async def test_the_deprecated_value_and_text_that_is_no_json(client: Client, target: Target) -> None:
    where = path(f"{CONFIG}/string")
    old = pb.Value(value=b'"x"', type=pb.JSON)
    for change in (
        pb.Update(path=where, value=old),
        pb.Update(path=where),
        pb.Update(path=where, val=Value()),
    ):
        for field in ("update", "replace", "union_replace"):
            call = client.set(**{field: [change]})  # type: ignore[arg-type]
            await refused(call, Code.INVALID_ARGUMENT, "string")
    for text in (
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"string":NaN}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"",
        b"{",
        b'"a" 1',
    ):
        for value in (Value(json_val=text), Value(json_ietf_val=text)):
            await refused(client.set(update=[pb.Update(path=where, val=value)]), Code.INVALID_ARGUMENT)
            await refused(client.set(update=[update(CONFIG, value)]), Code.INVALID_ARGUMENT)
    await refused(client.get(A), Code.NOT_FOUND)
    await furnished(client, target)
    text = (await client.get("/", encoding=pb.JSON)).notification[0].update[0].val.json_val

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    json.loads(text.decode("utf-8"), parse_constant=no_constant)
    assert not any(b"NaN" in raw or b"Infinity" in raw for raw in (text,))
