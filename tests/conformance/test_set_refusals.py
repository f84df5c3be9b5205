"""Set: what is refused, with which code, and that nothing changed then."""

from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from conformance.refusal import Refusal, refused
from conformance.target import Target
from conformance.test_set_operations import SETTINGS, B, S, bare, config, names
from conformance.wire import Client, ietf, path, pb, plain, update

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PAIR = f"{S}/pairs/pair[number=10][shape=SQUARE]"


async def everything(client: Client) -> Any:
    """The whole configuration of the default origin."""
    return await client.value("/", type=pb.GetRequest.CONFIG, encoding=pb.JSON_IETF)


async def unchanged(client: Client, code: grpc.StatusCode, **operations: Any) -> Refusal:
    """The refusal of a request, after which all is as before."""
    before = await everything(client)
    refusal = await refused(client.set(**operations), code)
    assert await everything(client) == before
    return refusal


@pytest.mark.row("SET-03")
async def test_one_bad_operation_in_any_place_undoes_all(client: Client) -> None:
    await client.set(update={f"{S}/config": {"uint8": 1, "string": "x"}})
    good = [update(f"/samples/sample[name=n{number}]/config/uint8", number) for number in range(10)]
    bad = update(f"{S}/config/uint8", 256)
    for place in range(11):
        refusal = await unchanged(client, INVALID, update=[*good[:place], bad, *good[place:]])
        assert refusal.violations == (
            (f"{S}/config/uint8", refusal.violations[0][1]),
        ) and refusal.violations[0][1].endswith(f"[operation {place}]")
        await unchanged(client, INVALID, replace=[*good[:place], bad, *good[place:]])
        gone = [path(f"{S}/config/string"), path(S)]
        await unchanged(client, INVALID, delete=gone, update=[*good[:place], bad, *good[place:]])


@pytest.mark.row("SET-03")
async def test_what_only_the_result_shows_undoes_all(client: Client) -> None:
    await client.set(update={f"{SETTINGS}/config/high": 5})
    await unchanged(client, INVALID, update={f"{S}/config/uint8": 1, f"{SETTINGS}/config/low": 6}, delete=[B])


@pytest.mark.row("SET-09")
async def test_every_violation_is_in_the_details_with_path_and_operation(client: Client) -> None:
    refusal = await refused(
        client.set(
            delete=[f"{S}/config/uint9"],
            update=[
                update(f"{S}/config/uint8", 256),
                update(f"{S}/config/uint16", 1),
                update(f"{S}/config", {"uint32": -1, "int8": "x"}),
            ],
        ),
        INVALID,
        "uint9",
    )
    fields = [field for field, _ in refusal.violations]
    assert fields == [f"{S}/config/{name}" for name in ("uint9", "uint8", "int8", "uint32")]
    places = [text.rpartition("[operation ")[2].rstrip("]") for _, text in refusal.violations]
    assert places == ["0", "1", "3", "3"]


@pytest.mark.row("SET-09")
async def test_a_violation_of_the_result_names_the_operation_that_caused_it(client: Client) -> None:
    refusal = await refused(
        client.set(
            update=[
                update(f"{S}/config/uint8", 1),
                update(f"{SETTINGS}/config", {"low": 6, "high": 5}),
                update(f"{SETTINGS}/optional", {"level": 3}),
            ]
        ),
        INVALID,
    )
    told = dict(refusal.violations)
    assert told.keys() == {f"{SETTINGS}/config/low", f"{SETTINGS}/optional/needed"}
    assert told[f"{SETTINGS}/config/low"].endswith("[operation 1]")
    assert told[f"{SETTINGS}/optional/needed"].endswith("[operation 2]")


@pytest.mark.row("SET-18")
async def test_replace_is_no_delete_in_disguise(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1, f"{PAIR}/value": "v"})
    for where in (S, PAIR):
        await unchanged(client, INVALID, replace={where: {}})
    for value in (ietf(None), plain(None)):
        await unchanged(client, INVALID, replace=[update(f"{S}/config/uint8", value)])
        await unchanged(client, INVALID, replace=[update(f"{S}/config", value)])
        await unchanged(client, INVALID, update=[update(f"{S}/config/uint8", value)])
    assert await client.value(f"{S}/config/uint8") == 1


@pytest.mark.row("SET-18")
async def test_an_empty_object_empties_a_container(client: Client) -> None:
    """Decision A-13."""
    await client.set(update={f"{S}/pairs/pair[number=1][shape=SQUARE]/value": "v", f"{S}/config/uint8": 1})
    await client.set(replace={f"{S}/pairs": {}})
    assert await config(client, S) == {"name": "a", "config": {"name": "a", "uint8": 1}}
    await client.set(replace={"/": {}})
    assert await names(client) == []


@pytest.mark.row("SET-23")
@pytest.mark.parametrize("field", ["update", "replace"])
@pytest.mark.parametrize(
    "where",
    [
        f"{S}/pairs/pair[number=10]",
        f"{S}/pairs/pair[number=10]/value",
        f"{S}/pairs/pair[number=*][shape=SQUARE]",
        "/samples/sample/config/uint8",
        "/samples/*/config/uint8",
        "/samples/.../uint8",
    ],
)
async def test_writes_need_all_keys_and_no_wildcards(client: Client, field: str, where: str) -> None:
    await client.set(update={f"{PAIR}/value": "v"})
    value = {"value": "w"} if where.endswith("]") else 1
    await unchanged(client, INVALID, **{field: {where: value}})


@pytest.mark.row("SET-23")
async def test_no_entry_gets_a_name_that_paths_have_for_all(client: Client) -> None:
    """Nobody could read it or delete it alone, and paths of what is sent are concrete (PATH-12)."""
    for field in ("update", "replace", "union_replace"):
        for where, value in (
            ("/samples", {"sample": [{"name": "*"}]}),
            ("/samples/sample", [{"config": {"name": "*"}}]),
        ):
            refusal = await unchanged(client, INVALID, **{field: [update(where, value)]})
            assert refusal.violations[0][0] == "/samples/sample[name=*]"


@pytest.mark.row("SET-24")
@pytest.mark.parametrize("field", ["update", "replace"])
async def test_keys_in_path_and_payload_agree(client: Client, field: str) -> None:
    for where, payload in (
        (PAIR, {"number": 100, "value": "v"}),
        (PAIR, {"number": 10, "shape": "CIRCLE"}),
        (S, {"name": "b", "config": {"uint8": 1}}),
        (S, {"config": {"name": "b"}}),
        (f"{S}/config", {"name": "b"}),
        (f"{S}/config/name", "b"),
        (f"{PAIR}/number", 11),
        (f"{S}/pairs", {"pair": [{"number": 1, "value": "without the other key"}]}),
        ("/samples", {"sample": [{"name": "a", "config": {"name": "b"}}]}),
    ):
        await unchanged(client, INVALID, **{field: {where: payload}})
    for payload in ({"number": 10, "value": "v"}, {"value": "w"}, {"shape": "SQUARE", "number": 10}):
        await client.set(**{field: {PAIR: payload}})  # type: ignore[arg-type]
    await client.set(**{field: {S: {"name": "a", "config": {"name": "a", "uint8": 1}}}})  # type: ignore[arg-type]
    await client.set(**{field: {f"{S}/config": {"uint8": 2}}})  # type: ignore[arg-type]
    assert await config(client, f"{S}/config") == {"name": "a", "uint8": 2}


@pytest.mark.row("SET-25")
async def test_unknown_paths_and_malformed_ones(client: Client) -> None:
    for field in ("update", "replace"):
        for where in ("/nope", "/samples/nope", f"{S}/config/uint9"):
            refusal = await unchanged(client, NOT_FOUND, **{field: {where: 1}})
            assert where.rpartition("/")[2] in refusal.message
    for malformed in (
        pb.Path(elem=[pb.PathElem(name="")]),
        pb.Path(elem=[pb.PathElem(name="samples"), pb.PathElem(name="")]),
        pb.Path(element=["samples"]),
        pb.Path(elem=[pb.PathElem(name="samples", key={"a": "b"})]),
    ):
        await unchanged(client, INVALID, update=[update(malformed, {})])
    await unchanged(client, INVALID, delete=["/nope"])  # decision A-09


@pytest.mark.row("SET-26")
@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        ("uint8", 256),
        ("uint8", -1),
        ("uint8", "x"),
        ("int32", 1),
        ("decimal2", "100.26"),
        ("decimal2", "0.001"),
        ("boolean", 1),
        ("pattern", "toolong"),
        ("pattern", "xa"),
        ("enumeration", "THREE"),
        ("identityref", "NOTHING"),
        ("bits", "first fourth"),
        ("binary", "AAAAAAAAAAAAAAAAAAAA"),
        ("union", "x"),
        ("words", ["a", "a"]),
        ("words", "a"),
        ("empty", True),
    ],
)
async def test_values_that_do_not_fit(client: Client, leaf: str, value: object) -> None:
    refusal = await unchanged(client, INVALID, update={f"{S}/config/uint16": 1, f"{S}/config/{leaf}": value})
    assert refusal.violations[0][0] == f"{S}/config/{leaf}"
    await unchanged(client, INVALID, replace={f"{S}/config": {leaf: value}})


@pytest.mark.row("SET-26")
@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "1e99999999999999999999", "1e-99999999999999999999"]
)
async def test_numbers_beyond_all_types(client: Client, number: str) -> None:
    """JSON has numbers of any size: those that no arithmetic can take are as unfit as others."""
    text = number.encode()
    for leaf in ("uint64", "int8", "decimal18", "string", "union", "boolean"):
        where = f"{S}/config/{leaf}"
        for change in (
            update(where, pb.TypedValue(json_val=text)),
            update(where, pb.TypedValue(json_ietf_val=text)),
            update(f"{S}/config", pb.TypedValue(json_val=b'{"%s":%s}' % (leaf.encode(), text))),
        ):
            await unchanged(client, INVALID, update=[change])


@pytest.mark.row("SET-26")
async def test_a_form_that_cannot_be_read_is_told_at_its_path(client: Client) -> None:
    where = f"{S}/config/uint8"
    deep = pb.Decimal64(digits=1, precision=19)
    hollow = pb.ScalarArray(element=[pb.TypedValue()])
    for code, value in (
        (grpc.StatusCode.UNIMPLEMENTED, pb.TypedValue(ascii_val="1")),
        (grpc.StatusCode.UNIMPLEMENTED, pb.TypedValue(proto_bytes=b"1")),
        (INVALID, pb.TypedValue(decimal_val=deep)),
        (INVALID, pb.TypedValue(leaflist_val=hollow)),
    ):
        refusal = await unchanged(client, code, update=[update(where, value)])
        assert refusal.violations[0][0] == where
        assert refusal.message.startswith(where)


@pytest.mark.row("SET-27")
async def test_state_cannot_be_written(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    state = f"{S}/state"
    for where, value in ((f"{state}/uint8", 1), (state, {"uint8": 1}), (S, {"state": {"uint8": 1}})):
        for field in ("update", "replace"):
            refusal = await unchanged(client, INVALID, **{field: {where: value}})
            assert "state" in refusal.message
    for where in (state, f"{state}/uint8"):
        await unchanged(client, INVALID, delete=[where])


@pytest.mark.row("SET-27")
async def test_deleting_what_holds_both_takes_the_writable_part(client: Client, target: Target) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    target.report(f"{S}/state", {"uint8": 7})
    await client.set(delete=[S])
    await refused(client.get(f"{S}/config"), NOT_FOUND)
    assert await client.value(f"{S}/state/uint8") == 7
    await client.set(update={f"{S}/config/uint8": 1})
    await client.set(replace={S: {"config": {"uint16": 2}}})
    assert await client.value(f"{S}/state/uint8") == 7
    assert await config(client, f"{S}/config") == {"name": "a", "uint16": 2}


@pytest.mark.row("SET-28")
async def test_referrer_and_referent_in_either_order(client: Client) -> None:
    one, other = update(f"{S}/more/friend", "b"), update(f"{B}/config/uint8", 1)
    for operations in ([one, other], [other, one]):
        await client.set(update=operations)
        assert await client.value(f"{S}/more/friend") == "b"
        refusal = await unchanged(client, INVALID, delete=[B])
        assert refusal.violations[0][1].endswith("[operation 0]")
        await client.set(delete=[S, B])
    await unchanged(client, INVALID, update=[one])


@pytest.mark.row("SET-28")
async def test_constraints_are_judged_on_the_result(client: Client) -> None:
    low, high = f"{SETTINGS}/config/low", f"{SETTINGS}/config/high"
    await client.set(update=[update(low, 9), update(high, 10)])
    await client.set(update=[update(low, 20), update(high, 30)])
    await client.set(update=[update(high, 3), update(low, 2)])
    await unchanged(client, INVALID, update=[update(low, 4)])
    needed, level = f"{SETTINGS}/optional/needed", f"{SETTINGS}/optional/level"
    await unchanged(client, INVALID, update={level: 1})
    await client.set(update=[update(level, 1), update(needed, "x")])
    for gone in ([needed], [needed, level]):  # the container is still wanted
        await unchanged(client, INVALID, delete=gone)
    await client.set(delete=[f"{SETTINGS}/optional"])
    first, second = f"{S}/pairs/pair[number=1][shape=SQUARE]", f"{S}/pairs/pair[number=2][shape=SQUARE]"
    await client.set(update={f"{first}/value": "v"})
    await unchanged(client, INVALID, update={f"{second}/value": "v"})
    await client.set(update=[update(f"{second}/value", "v"), update(f"{first}/value", "w")])


@pytest.mark.row("SET-28")
async def test_setting_one_case_removes_the_others(client: Client) -> None:
    async def chosen() -> dict[str, Any]:
        found = bare(await client.value(SETTINGS, type=pb.GetRequest.CONFIG, encoding=pb.JSON_IETF))
        return {name: found[name] for name in found if name.startswith(("tcp", "file", "binary", "text"))}

    tcp = {"tcp-port": 80, "tcp-options": {"nodelay": False}}
    await client.set(update={f"{SETTINGS}/tcp-port": 8080, f"{SETTINGS}/config/plain": "p"})
    assert await chosen() == {**tcp, "tcp-port": 8080}
    await client.set(update={f"{SETTINGS}/file-name": "f"})
    assert await chosen() == {"file-name": "f"}
    await client.set(update={SETTINGS: {"tcp-options": {"nodelay": True}}})
    assert await chosen() == {**tcp, "tcp-options": {"nodelay": True}}
    await client.set(update={f"{SETTINGS}/text-file": "t", f"{SETTINGS}/file-name": "f"})
    await client.set(update=[update(f"{SETTINGS}/binary-file", [None])])
    assert await chosen() == {"file-name": "f", "binary-file": [None]}
    both = {"tcp-port": 1, "file-name": "f"}
    await unchanged(client, INVALID, update={SETTINGS: both})
    last: Sequence[pb.Update] = [update(f"{SETTINGS}/tcp-port", 1), update(f"{SETTINGS}/file-name", "g")]
    await client.set(update=last)
    assert await chosen() == {"file-name": "g"}
