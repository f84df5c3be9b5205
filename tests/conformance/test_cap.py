"""Capabilities (CAP)."""

import asyncio

import grpc
import pytest

from conformance.refusal import refused
from conformance.target import FIXTURES, REPOSITORY, Target
from conformance.wire import Client, leaves, pb, text
from twinplane.plan.resource import Key, Noun, Resource
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.value import python

Code = grpc.StatusCode
OWN = {file.stem for folder in (REPOSITORY / "yang", FIXTURES) for file in folder.glob("*.yang")}
MODELS = OWN | {"iana-if-type", "ietf-interfaces", "ietf-yang-types", "ietf-inet-types"}
MODELS |= {"ietf-yang-library", "ietf-datastores"}


@pytest.mark.row("CAP-01")
async def test_version_models_and_encodings_are_there(client: Client) -> None:
    found = await client.capabilities()
    assert found.gNMI_version
    assert len(found.supported_models) >= len(MODELS)
    assert list(found.supported_encodings)


@pytest.mark.row("CAP-02")
async def test_the_version_is_that_of_the_descriptor(client: Client) -> None:
    wanted = gnmi_pb2.DESCRIPTOR.GetOptions().Extensions[gnmi_pb2.gnmi_service]
    assert wanted == "0.10.0"
    assert (await client.capabilities()).gNMI_version == wanted


@pytest.mark.row("CAP-03", "ENC-02")
async def test_encodings_work_where_listed_and_are_refused_where_not(client: Client) -> None:
    listed = set((await client.capabilities()).supported_encodings)
    assert pb.JSON in listed
    fields = {pb.JSON: "json_val", pb.JSON_IETF: "json_ietf_val", pb.PROTO: "bool_val"}
    for number in (*pb.Encoding.values(), 5, 99):
        where = "/samples/settings/config/enabled"
        if number in listed:
            (notification,) = (await client.get(where, encoding=number)).notification
            (found,) = notification.update
            assert found.val.WhichOneof("value") == fields[number]
            messages = await client.once(where, encoding=number)
            (streamed,) = messages[0].update.update
            assert streamed.val == found.val
        else:
            name = pb.Encoding.Name(number) if number in pb.Encoding.values() else str(number)
            await refused(client.get(where, encoding=number), Code.UNIMPLEMENTED, name)
            await refused(client.once(where, encoding=number), Code.UNIMPLEMENTED, name)


@pytest.mark.row("CAP-04")
async def test_every_loaded_module_is_listed_once_and_accepted(client: Client, target: Target) -> None:
    models = (await client.capabilities()).supported_models
    names = [model.name for model in models]
    assert len(names) == len(set(names))
    assert set(names) == MODELS
    loaded = {module.name for table in target.schemas.tables.values() for module in table.modules}
    assert set(names) == loaded
    versions = {model.name: model.version for model in models}
    assert versions["twinplane-fixture"] == "1.2.3"
    assert versions["twinplane-fixture-more"] == "2026-08-01", "without a semantic version, the revision"
    for model in models:
        assert model.organization
        assert model.version
        assert await client.get("/samples", use_models=[model])
        assert await client.once("/samples", use_models=[model])
        for wrong in (
            pb.ModelData(name=model.name, version="0.0.0"),
            pb.ModelData(name=model.name, organization="nobody"),
        ):
            await refused(client.get("/samples", use_models=[wrong]), Code.INVALID_ARGUMENT, model.name)


@pytest.mark.row("CAP-05")
async def test_capabilities_are_answered_during_a_long_set(client: Client, target: Target) -> None:
    first = await target.mutual().capabilities()
    working, release = asyncio.Event(), asyncio.Event()

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if when == "before" and key.noun is Noun.BRIDGE:
            working.set()
            await release.wait()

    target.drivers.set_trap(trap)
    setting = asyncio.ensure_future(
        client.set(update={"/virtual-switches/virtual-switch[name=lan]/config/mtu": 1400})
    )
    async with asyncio.timeout(20):
        await working.wait()
        for other in (client, target.mutual(), target.password("reader")):
            for _ in range(20):
                assert await other.capabilities() == first
        assert not setting.done()
        release.set()
        assert text((await setting).response[0].path)
    assert await client.capabilities() == first


@pytest.mark.row("CAP-03")
async def test_each_listed_encoding_is_understood_in_get_of_the_whole_tree(client: Client) -> None:
    for number in (await client.capabilities()).supported_encodings:
        (notification,) = (await client.get("/", encoding=number)).notification
        assert notification.update
        for found in notification.update:
            python(found.val)
        assert leaves([notification])
