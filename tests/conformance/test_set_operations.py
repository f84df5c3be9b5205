"""Set: what deletes, replaces and updates do to the tree, and what is answered."""

import time
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from conformance.refusal import refused
from conformance.target import Target
from conformance.wire import Client, leaves, path, pb, text, update
from twinplane.settings import LeafListUpdate, Settings

S = "/samples/sample[name=a]"
B = "/samples/sample[name=b]"
SETTINGS = "/samples/settings"
NOT_FOUND = grpc.StatusCode.NOT_FOUND
UPDATE, REPLACE, DELETE = pb.UpdateResult.UPDATE, pb.UpdateResult.REPLACE, pb.UpdateResult.DELETE


def bare(value: Any) -> Any:
    """JSON_IETF with member names without modules."""
    if isinstance(value, dict):
        return {name.rpartition(":")[2]: bare(child) for name, child in value.items()}
    return [bare(child) for child in value] if isinstance(value, list) else value


async def config(client: Client, where: str = "/samples") -> Any:
    """The configuration below a path, None where there is none."""
    try:
        return bare(await client.value(where, type=pb.GetRequest.CONFIG, encoding=pb.JSON_IETF))
    except grpc.aio.AioRpcError as error:
        assert error.code() is NOT_FOUND, error
        return None


async def names(client: Client) -> list[str]:
    """The entries of the list of samples."""
    answer = await client.get("/samples/sample", type=pb.GetRequest.CONFIG)
    return sorted(one.path.elem[-1].key["name"] for note in answer.notification for one in note.update)


@pytest.mark.row("SET-01")
async def test_deletes_come_first_then_replaces_then_updates(client: Client) -> None:
    await client.set(update={f"{S}/config": {"string": "old", "uint8": 1}})
    answer = await client.set(
        update={f"{S}/config/uint8": 3},
        replace={f"{S}/config": {"uint8": 2, "uint16": 2}},
        delete=[S],
    )
    assert [result.op for result in answer.response] == [DELETE, REPLACE, UPDATE]
    assert await config(client, f"{S}/config") == {"name": "a", "uint8": 3, "uint16": 2}


@pytest.mark.row("SET-01")
async def test_the_order_of_the_fields_on_the_wire_means_nothing(client: Client) -> None:
    await client.set(update={f"{S}/config/string": "old"})
    parts = (
        pb.SetRequest(update=[update(f"{S}/config/uint8", 3)]),
        pb.SetRequest(replace=[update(f"{S}/config", {"uint8": 2})]),
        pb.SetRequest(delete=[path(S)]),
    )
    await client.raw("Set", b"".join(part.SerializeToString() for part in parts))
    assert await config(client, f"{S}/config") == {"name": "a", "uint8": 3}


@pytest.mark.row("SET-02")
async def test_of_two_updates_of_a_leaf_the_last_one_stays(client: Client) -> None:
    where = f"{S}/config/uint8"
    answer = await client.set(update=[update(where, 1), update(where, 2)])
    assert len(answer.response) == 2
    assert await client.value(where) == 2


@pytest.mark.row("SET-02")
async def test_replaces_are_done_in_order(client: Client) -> None:
    inner, outer = update(f"{S}/config", {"uint8": 1}), update("/samples", {"sample": [{"name": "b"}]})
    await client.set(replace=[inner, outer])
    assert await names(client) == ["b"]
    await client.set(replace=[outer, inner])
    assert await names(client) == ["a", "b"]


@pytest.mark.row("SET-06")
async def test_a_request_without_operations_succeeds(client: Client) -> None:
    before = time.time_ns()
    answer = await client.set()
    assert not answer.response and before <= answer.timestamp <= time.time_ns() + 10**6


@pytest.mark.row("SET-07")
async def test_one_result_per_operation_in_the_order_of_work(client: Client) -> None:
    written = "/other-fixture:samples/sample[name=b]/config"
    answer = await client.set(
        update={f"{S}/config/uint8": 1, f"{S}/config/uint16": 2},
        replace={written: {"uint8": 2}},
        delete=[S, "/samples/sample[name=*]/queue", "/samples/sample[name=gone]"],
    )
    assert [(result.op, text(result.path)) for result in answer.response] == [
        (DELETE, S),
        (DELETE, "/samples/sample[name=*]/queue"),
        (DELETE, "/samples/sample[name=gone]"),
        (REPLACE, written),
        (UPDATE, f"{S}/config/uint8"),
        (UPDATE, f"{S}/config/uint16"),
    ]


@pytest.mark.row("SET-08")
async def test_the_response_has_a_time_and_the_prefix_and_nothing_deprecated(client: Client) -> None:
    before = time.time_ns()
    answer = await client.set(prefix=path("/samples", target="x7"), update={"settings/config/plain": "p"})
    assert before <= answer.timestamp <= time.time_ns() + 10**6
    assert text(answer.prefix) == "/samples" and answer.prefix.target == "x7"
    fields = {field.name for field, _ in answer.ListFields()}
    assert fields == {"prefix", "response", "timestamp"}
    assert {field.name for field, _ in answer.response[0].ListFields()} == {"path", "op"}
    assert not (await client.set()).HasField("prefix")


@pytest.mark.row("SET-08")
async def test_the_time_of_a_commit_is_that_of_its_leaves(client: Client) -> None:
    async with client.subscribe(f"{S}/config") as stream:
        await stream.until_sync()
        answer = await client.set(update={f"{S}/config/uint8": 1})
        assert (await stream.notification()).timestamp == answer.timestamp


@pytest.mark.row("SET-10")
async def test_an_update_leaves_siblings_alone(client: Client) -> None:
    await client.set(update={f"{S}/config": {"uint8": 1, "string": "x"}, f"{SETTINGS}/config/plain": "p"})
    await client.set(update={S: {"config": {"uint8": 2}}})
    assert await config(client, f"{S}/config") == {"name": "a", "uint8": 2, "string": "x"}
    await client.set(update={"/": {"twinplane-fixture:samples": {"sample": [{"name": "b"}]}}})
    assert await names(client) == ["a", "b"]
    assert await client.value(f"{SETTINGS}/config/plain") == "p"


@pytest.mark.row("SET-11")
@pytest.mark.parametrize("field", ["update", "replace"])
async def test_ancestors_and_entries_come_into_being(client: Client, field: str) -> None:
    where = f"{S}/pairs/pair[number=7][shape=SQUARE]/value"
    await client.set(**{field: {where: "v"}})  # type: ignore[arg-type]
    assert await config(client, f"{S}/pairs") == {
        "pair": [
            {"number": 7, "shape": "twinplane-fixture-types:SQUARE", "value": "v", "weight": 50},
        ]
    }
    assert await client.value(f"{S}/config/name") == "a"


@pytest.mark.row("SET-12")
async def test_an_array_adds_entries_and_merges_into_others(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1, f"{B}/config/uint8": 1})
    entries = [{"name": "b", "config": {"string": "x"}}, {"name": "c", "config": {"uint8": 9}}]
    await client.set(update={"/samples": {"sample": entries}})
    assert await names(client) == ["a", "b", "c"]
    assert await config(client, f"{B}/config") == {"name": "b", "uint8": 1, "string": "x"}
    await client.set(update={"/samples/sample": [{"name": "d"}]})
    assert await names(client) == ["a", "b", "c", "d"]


@pytest.mark.row("SET-13")
async def test_a_replace_deletes_what_its_payload_lacks(client: Client) -> None:
    await client.set(update={f"{S}/config": {"uint8": 1, "string": "x"}, f"{S}/queue/item[id=5]/amount": "1"})
    await client.set(replace={f"{S}/config": {"uint8": 1}})
    await refused(client.get(f"{S}/config/string"), NOT_FOUND)
    assert await client.value(f"{S}/queue/item[id=5]/amount") == 1
    await client.set(replace={S: {"config": {"uint8": 1}}})
    await refused(client.get(f"{S}/queue/item[id=5]"), NOT_FOUND)


@pytest.mark.row("SET-14")
async def test_a_replace_restores_defaults(client: Client) -> None:
    await client.set(
        update={f"{SETTINGS}/config": {"enabled": False, "mask": 1, "tags": ["z"], "plain": "p"}}
    )
    assert await client.value(f"{SETTINGS}/config/enabled") is False
    await client.set(replace={f"{SETTINGS}/config": {"plain": "p"}})
    assert await client.value(f"{SETTINGS}/config/enabled") is True
    assert await client.value(f"{SETTINGS}/config/mask") == 31
    assert await client.value(f"{SETTINGS}/config/tags") == ["a", "b"]


@pytest.mark.row("SET-15")
async def test_a_replace_of_a_list_removes_other_entries(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1, f"{B}/config/uint8": 1})
    await client.set(replace={"/samples/sample": [{"name": "b"}, {"name": "c"}]})
    assert await names(client) == ["b", "c"]
    assert await config(client, f"{B}/config") == {"name": "b"}


@pytest.mark.row("SET-15")
async def test_an_interface_of_the_host_stays_as_state(client: Client, target: Target) -> None:
    """Decision A-16: its configuration goes, and what was before it comes back."""
    await client.set(update={"/interfaces/interface[name=eth7]/config/mtu": 1400})
    assert target.host.kernel.devices["eth7"].mtu == 1400
    await client.set(replace={"/interfaces": {}})
    assert target.host.kernel.devices["eth7"].mtu == 1500
    await refused(client.get("/interfaces/interface[name=eth7]/config"), NOT_FOUND)
    assert await client.value("/interfaces/interface[name=eth7]/state/name") == "eth7"


@pytest.mark.row("SET-17")
async def test_replace_and_update_combine(client: Client) -> None:
    await client.set(update={f"{B}/config/uint8": 1})
    whole = {"twinplane-fixture:samples": {"sample": [{"name": "a", "config": {"uint8": 1, "uint16": 1}}]}}
    await client.set(replace={"/": whole}, update={f"{S}/config/uint8": 2})
    assert await names(client) == ["a"]
    assert await config(client, f"{S}/config") == {"name": "a", "uint8": 2, "uint16": 1}


@pytest.mark.row("SET-17")
async def test_disjoint_replaces_are_independent(client: Client) -> None:
    await client.set(replace={f"{S}/config": {"uint8": 1}, f"{SETTINGS}/config": {"plain": "p"}})
    assert await client.value(f"{S}/config/uint8") == 1
    assert await client.value(f"{SETTINGS}/config/plain") == "p"


@pytest.mark.row("SET-19")
async def test_a_replace_of_a_leaf_list_sets_its_members(client: Client) -> None:
    for name, first, then in (("words", ["a", "b"], ["b"]), ("ordered", ["2", "1"], ["1"])):
        await client.set(update={f"{S}/config/{name}": first})
        await client.set(replace={f"{S}/config/{name}": then})
        assert await client.value(f"{S}/config/{name}", encoding=pb.JSON_IETF) == then


@pytest.mark.row("SET-19")
async def test_an_update_of_a_leaf_list_adds_to_it(client: Client) -> None:
    """Decision A-07. Where the order is the user's, what is sent is the whole order."""
    assert Settings().gnmi.leaf_list_update is LeafListUpdate.MERGE
    await client.set(update={f"{S}/config": {"words": ["a", "b"], "ordered": [1, 2]}})
    await client.set(update={f"{S}/config/words": ["b", "c"], f"{S}/config/ordered": [2, 1]})
    assert await client.value(f"{S}/config/words") == ["a", "b", "c"]
    assert await client.value(f"{S}/config/ordered", encoding=pb.PROTO) == (2, 1)


@pytest.mark.row("SET-19")
async def test_an_update_of_a_leaf_list_overwrites_where_that_is_set(folder: File) -> None:
    async with Target(folder, union_leaf_lists=False) as target:
        client = target.client()
        await client.set(update={f"{S}/config/words": ["a", "b"]})
        await client.set(update={f"{S}/config/words": ["b", "c"]})
        assert await client.value(f"{S}/config/words") == ["b", "c"]


@pytest.mark.row("SET-20")
async def test_a_delete_removes_everything_below(client: Client) -> None:
    await client.set(update={f"{S}/config": {"uint8": 1}, f"{S}/queue/item[id=5]/amount": "1"})
    await client.set(delete=[S])
    await refused(client.get(S), NOT_FOUND)
    await refused(client.get(f"{S}/queue/item[id=5]"), NOT_FOUND)


@pytest.mark.row("SET-20")
async def test_a_deleted_leaf_falls_back_to_its_default(client: Client) -> None:
    await client.set(update={f"{SETTINGS}/config": {"enabled": False, "plain": "p"}})
    await client.set(delete=[f"{SETTINGS}/config/enabled"])
    assert await client.value(f"{SETTINGS}/config/enabled") is True
    await client.set(update={f"{SETTINGS}/config/enabled": False})
    await client.set(delete=[f"{SETTINGS}/config"], update={f"{SETTINGS}/optional/needed": "x"})
    assert await client.value(f"{SETTINGS}/config/enabled") is True
    await refused(client.get(f"{SETTINGS}/config/plain"), NOT_FOUND)


@pytest.mark.row("SET-21")
async def test_deleting_what_is_not_there_succeeds(client: Client) -> None:
    answer = await client.set(
        delete=["/samples/sample[name=none]", f"{S}/config/uint8", f"{SETTINGS}/optional"]
    )
    assert [result.op for result in answer.response] == [DELETE] * 3


@pytest.mark.row("SET-22")
async def test_a_delete_expands_wildcards_and_keys_left_out(client: Client) -> None:
    pairs = {
        f"{S}/pairs/pair[number={number}][shape={shape}]/value": f"{number}{shape}"
        for number in (10, 20)
        for shape in ("SQUARE", "CIRCLE")
    }

    async def left() -> list[str]:
        below = pb.GetRequest.CONFIG
        answer = await client.get(f"{S}/pairs", type=below, encoding=pb.PROTO)
        return sorted(
            str(value) for name, value in leaves(answer.notification).items() if name.endswith("value")
        )

    await client.set(update=pairs)
    await client.set(delete=[f"{S}/pairs/pair[number=10]"])
    assert await left() == ["20CIRCLE", "20SQUARE"]
    await client.set(update=pairs)
    await client.set(delete=[f"{S}/pairs/pair[shape=SQUARE]"])
    assert await left() == ["10CIRCLE", "20CIRCLE"]
    await client.set(update=pairs)
    await client.set(delete=[f"{S}/pairs/pair[number=*][shape=CIRCLE]"])
    assert await left() == ["10SQUARE", "20SQUARE"]
    await client.set(update={f"{B}/config/uint8": 1, f"{S}/config/uint8": 1})
    await client.set(delete=["/samples/*/config/uint8"])
    for entry in (S, B):
        await refused(client.get(f"{entry}/config/uint8"), NOT_FOUND)
    await client.set(delete=["/samples/sample"])
    assert await names(client) == []


@pytest.mark.row("SET-30")
async def test_three_styles_of_request_have_one_result(client: Client) -> None:
    wanted = {
        "sample": [
            {"name": "a", "config": {"name": "a", "uint8": 2, "words": ["x"]}},
            {"name": "c", "config": {"name": "c", "string": "new"}},
        ],
        "settings": {"config": {"plain": "p", "enabled": False}},
    }
    start = {
        f"{S}/config": {"uint8": 1, "string": "old", "words": ["w"]},
        f"{B}/config": {"uint8": 1},
        f"{SETTINGS}/config": {"mask": 3},
    }
    styles: list[dict[str, Any]] = [
        {"replace": {"/": {"twinplane-fixture:samples": wanted}}},
        {
            "replace": {"/samples/sample": wanted["sample"], SETTINGS: wanted["settings"]},
        },
        {
            "delete": [B, f"{S}/config/string", f"{S}/config/words", f"{SETTINGS}/config/mask"],
            "update": {
                f"{S}/config/uint8": 2,
                f"{S}/config/words": ["x"],
                "/samples/sample[name=c]/config/string": "new",
                f"{SETTINGS}/config/plain": "p",
                f"{SETTINGS}/config/enabled": False,
            },
        },
    ]
    results = []
    for style in styles:
        await client.set(delete=["/samples"])
        await client.set(update=start)
        await client.set(**style)
        results.append(await config(client))
    assert results[0] == results[1] == results[2]
    assert [entry["name"] for entry in results[0]["sample"]] == ["a", "c"]
