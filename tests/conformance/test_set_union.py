"""union_replace, and what no replace can reach."""

import base64
import hashlib
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from conformance import firewall
from conformance.firewall import DOMAIN
from conformance.refusal import refused
from conformance.target import Target
from conformance.test_ext_commit import cancel, commit
from conformance.test_set_operations import SETTINGS, B, S, config, names
from conformance.test_set_refusals import everything, unchanged
from conformance.wire import Client, path, pb, text, update
from twinplane.errors import DriverError
from twinplane.plan.resource import Key, Resource

INVALID = grpc.StatusCode.INVALID_ARGUMENT
UNION = pb.UpdateResult.UNION_REPLACE


def union(*parts: tuple[str, Any]) -> list[pb.Update]:
    """The parts of a union_replace."""
    return [update(where, value) for where, value in parts]


@pytest.mark.row("SET-36")
async def test_a_union_replaces_the_whole_configuration(client: Client) -> None:
    await client.set(
        update={f"{S}/config": {"uint8": 1}, f"{B}/config": {"uint8": 1}, f"{SETTINGS}/config/plain": "p"}
    )
    parts = union((f"{S}/config", {"uint16": 2}), ("/samples", {"sample": [{"name": "c"}]}))
    answer = await client.set(union_replace=parts)
    assert [(one.op, text(one.path)) for one in answer.response] == [
        (UNION, f"{S}/config"),
        (UNION, "/samples"),
    ]
    assert await names(client) == ["a", "c"]
    assert await config(client, f"{S}/config") == {"name": "a", "uint16": 2}
    await refused(client.get(f"{SETTINGS}/config/plain"), grpc.StatusCode.NOT_FOUND)


@pytest.mark.row("SET-36")
async def test_a_union_stands_alone(client: Client) -> None:
    await client.set(update={f"{S}/config/uint8": 1})
    parts = union((f"{S}/config", {"uint8": 2}))
    for other in ({"update": {f"{B}/config/uint8": 1}}, {"replace": {B: {"config": {}}}}, {"delete": [B]}):
        await unchanged(client, INVALID, union_replace=parts, **other)


@pytest.mark.row("SET-36")
async def test_equal_values_coexist_and_explicit_ones_beat_defaults(client: Client) -> None:
    parts = union(
        (f"{SETTINGS}/config", {"plain": "p"}),
        (f"{SETTINGS}/config", {"plain": "p", "enabled": False, "tags": ["z"]}),
        (SETTINGS, {"config": {"mask": 31}}),
    )
    for ordered in (parts, parts[::-1]):
        await client.set(union_replace=ordered)
        found = await config(client, f"{SETTINGS}/config")
        assert found["plain"] == "p" and found["enabled"] is False and found["tags"] == ["z"]
        assert found["mask"] == 31


@pytest.mark.row("SET-36")
async def test_a_union_of_one_origin_is_a_replace_of_its_root(client: Client) -> None:
    """Decision A-25."""
    other = "fixture:/samples/sample[name=a]"
    whole = {"twinplane-fixture:samples": {"sample": [{"name": "b", "config": {"uint8": 3}}]}}
    results = []
    for request in ({"replace": {"/": whole}}, {"union_replace": union(("/", whole))}):
        await client.set(update={f"{S}/config/uint8": 1, f"{other}/config/uint8": 7})
        await client.set(**request)
        assert await client.value(path(f"{other}/config/uint8")) == 7
        results.append(await everything(client))
    assert results[0] == results[1]
    await client.set(union_replace=union((f"{S}/config/uint8", 1), (f"{other}/config", {"uint16": 8})))
    assert await names(client) == ["a"]
    await refused(client.get(path(f"{other}/config/uint8")), grpc.StatusCode.NOT_FOUND)
    assert await client.value(path(f"{other}/config/uint16")) == 8


@pytest.mark.row("SET-37")
@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ((f"{S}/config/uint8", 1), (f"{S}/config/uint8", 2), f"{S}/config/uint8"),
        (
            (f"{S}/config", {"uint8": 1}),
            ("/samples/sample", [{"name": "a", "config": {"uint8": 2}}]),
            f"{S}/config/uint8",
        ),
        ((f"{S}/config/words", ["a"]), (f"{S}/config/words", ["b"]), f"{S}/config/words"),
        ((f"{SETTINGS}/tcp-port", 1), (f"{SETTINGS}/file-name", "f"), f"{SETTINGS}/tcp-port"),
    ],
)
async def test_parts_that_disagree_are_refused(
    client: Client, one: tuple[str, Any], other: tuple[str, Any], where: str
) -> None:
    await client.set(update={f"{B}/config/uint8": 1})
    refusal = await unchanged(client, INVALID, union_replace=union(one, other))
    assert refusal.violations[0][0] == where
    assert refusal.violations[0][1].endswith("[operation 1]")
    await unchanged(client, INVALID, union_replace=union((f"{S}/config/uint16", 1), other, one))
    await client.set(union_replace=union(one, one))


@pytest.mark.row("SET-37")
async def test_a_union_that_is_wrong_or_cannot_be_built(client: Client) -> None:
    await client.set(update={f"{B}/config/uint8": 1})
    for wrong in (
        (f"{S}/config/uint8", 256),
        (SETTINGS, {"config": {"low": 2, "high": 1}}),
        (S, {"state": {}}),
    ):
        await unchanged(client, INVALID, union_replace=union((f"{S}/config/uint16", 1), wrong))
    await unchanged(client, grpc.StatusCode.NOT_FOUND, union_replace=union(("/nope", 1)))
    cli = pb.Update(path=pb.Path(origin="twinplane_cli"), val=pb.TypedValue(ascii_val="hostname x"))
    await unchanged(
        client, grpc.StatusCode.UNIMPLEMENTED, union_replace=[*union((f"{S}/config/uint8", 1)), cli]
    )


@pytest.mark.row("SET-37")
async def test_a_union_that_cannot_be_applied_is_internal(target: Target) -> None:
    client = target.client()
    await client.set(update={f"{B}/config/uint8": 1})
    host = target.host.snapshot()

    async def trap(when: str, key: Key, _wanted: Resource | None) -> None:
        if when == "before" and key.name == DOMAIN:
            raise DriverError("no")

    target.drivers.set_trap(trap)
    parts = union(*firewall.everything().items())
    await unchanged(client, grpc.StatusCode.INTERNAL, union_replace=parts)
    await unchanged(client, grpc.StatusCode.ABORTED, update=firewall.everything())
    assert target.host.kernel == host


NOTE = base64.b64encode(b"intent 42 \x00\xff").decode()
METADATA = {"@": {"openconfig-metadata:protobuf-metadata": NOTE}}


async def kept(client: Client) -> Any:
    """The annotation alone."""
    return {name: value for name, value in (await everything(client)).items() if name == "@"}


@pytest.mark.row("SET-38")
async def test_an_annotation_of_the_root_is_kept_with_the_configuration(folder: File) -> None:
    sample = {"twinplane-fixture:samples": {"sample": [{"name": "a", "config": {"uint8": 1}}]}}
    async with Target(folder) as target:
        client = target.client()
        assert "@" not in await everything(client)
        await client.set(replace={"/": {**METADATA, **sample}})
        for encoding in (pb.JSON, pb.JSON_IETF):
            found = await client.value("/", type=pb.GetRequest.CONFIG, encoding=encoding)
            assert {"@": found["@"]} == METADATA and len(found) > 1
        assert "@" not in (await client.value("/", type=pb.GetRequest.STATE))
        await client.set(update={f"{S}/config/uint8": 2})
        whole = await everything(client)
        assert {"@": whole["@"]} == METADATA
        revision = target.transactor.running.revision
        await client.set(replace={"/": whole})
        assert await everything(client) == whole
        assert target.transactor.running.revision <= revision + 1  # defaults are configured now
    async with Target(folder) as again:
        client = again.client()
        assert await everything(client) == whole
        await client.set(replace={"/": sample})
        assert "@" not in await everything(client)
        await client.set(update={"/": METADATA})
        await client.set(union_replace=union(("/", {**METADATA, **sample})))
        assert {"@": (await everything(client))["@"]} == METADATA
        await client.set(union_replace=union(("/", sample)))
        assert "@" not in await everything(client)


@pytest.mark.row("SET-38")
async def test_an_annotation_goes_back_with_its_commit(folder: File) -> None:
    other = {"@": {"openconfig-metadata:protobuf-metadata": base64.b64encode(b"other").decode()}}
    async with Target(folder) as target:
        client = target.client()
        await client.set(update={"/": METADATA})
        await client.set(update={"/": other}, extension=commit())
        assert await kept(client) == other
        await client.set(extension=cancel())
        assert await kept(client) == METADATA
        await client.set(update={"/": other}, extension=commit("c2"))
    async with Target(folder) as again:
        assert await kept(again.client()) == METADATA


@pytest.mark.row("SET-38")
async def test_an_annotation_has_a_form_and_a_limit(client: Client) -> None:
    def note(value: object) -> dict[str, Any]:
        return {"@": {"openconfig-metadata:protobuf-metadata": value}}

    mebibyte = 1 << 20
    await client.set(update={"/": note(base64.b64encode(bytes(mebibyte)).decode())})
    large = base64.b64encode(bytes(mebibyte + 1)).decode()
    await unchanged(client, grpc.StatusCode.RESOURCE_EXHAUSTED, update={"/": note(large)})
    for wrong in (note("no base64"), note(7), {"@": "x"}, {"@": {"other:thing": "AA=="}}):
        await unchanged(client, INVALID, update={"/": wrong})
    await unchanged(client, INVALID, update={S: METADATA})  # of the root only


@pytest.mark.row("SET-38")
async def test_users_and_certificates_are_out_of_reach(target: Target) -> None:
    def digests() -> dict[str, str]:
        files = (target.folder / "users.toml", *sorted((target.folder / "tls").iterdir()))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    client, before = target.client(), digests()
    assert len(before) > 4
    await client.set(update={f"{S}/config/uint8": 1})
    await client.set(replace={"/": {}})
    await client.set(union_replace=union(("/", {})))
    await client.set(delete=["/"])
    assert digests() == before
    await target.mutual("operator").set(update={f"{S}/config/uint8": 1})
    await target.password("operator").set(update={f"{S}/config/uint8": 2})
    assert await target.reader().value(f"{S}/config/uint8") == 2
