"""The modules of the box, asked in every way there is: each answer says the same (RFC 8525, RFC 6022)."""

import json
from typing import Any
from xml.etree import ElementTree

from conformance.wire import pb as gnmi
from service.configuring import Box, path, run
from twinplane.state.translate.library import ALL
from twinplane_wire.v1 import config_pb2 as pb

LIBRARY = "ietf:/yang-library"
SPACE = "{urn:ietf:params:xml:ns:yang:ietf-yang-library}"


def listed(library: dict[str, Any]) -> dict[str, tuple[str, str, bool]]:
    """Revision, namespace and whether it is implemented, by module of a library."""
    (modules,) = library["module-set"]
    return {
        **{one["name"]: (one.get("revision", ""), one["namespace"], True) for one in modules["module"]},
        **{one["name"]: (one["revision"], one["namespace"], False) for one in modules["import-only-module"]},
    }


def test_all_faces_tell_of_the_same_modules() -> None:
    async def scenario(box: Box) -> None:
        schemas = await box.admin.call(pb.ListSchemasRequest())
        told = {one.name: (one.revision, one.namespace, one.implemented) for one in schemas.schema}
        models = (await box.gnmi.capabilities()).supported_models
        assert {one.name for one in models} == told.keys()

        over_gnmi = await box.gnmi.value(LIBRARY, encoding=gnmi.JSON_IETF)
        bare = {name.partition(":")[2]: value for name, value in over_gnmi.items()}
        assert listed(bare) == told
        assert bare["content-id"] == schemas.content_id

        (text,) = (await box.admin.text(pb.GetDataRequest(path=[path(LIBRARY)]))).values()
        assert json.loads(text) == over_gnmi
        (text,) = (await box.admin.text(pb.GetDataRequest(path=[path(LIBRARY)], encoding=pb.XML))).values()
        tree = ElementTree.fromstring(text)
        names = {one.text for one in tree.iterfind(f"{SPACE}module-set/*/{SPACE}name")}
        assert names == told.keys()

    run(scenario)


def test_every_module_that_is_told_of_can_be_had() -> None:
    async def scenario(box: Box) -> None:
        (text,) = (await box.admin.text(pb.GetDataRequest(path=[path(LIBRARY)]))).values()
        library = {name.partition(":")[2]: value for name, value in json.loads(text).items()}
        for name, (revision, namespace, _) in listed(library).items():
            answer = await box.admin.call(pb.GetSchemaRequest(name=name, revision=revision))
            assert f"module {name} " in answer.text and namespace in answer.text
            assert answer.revision == revision

    run(scenario)


def test_each_datastore_has_the_schema_and_none_of_it_is_configuration() -> None:
    async def scenario(box: Box) -> None:
        found = await box.admin.text(pb.GetDataRequest(path=[path(f"{LIBRARY}/datastore")]))
        assert {json.loads(one)["ietf-yang-library:schema"] for one in found.values()} == {ALL}
        assert {one.partition("datastores:")[2].rstrip("]") for one in found} == {
            "running",
            "candidate",
            "operational",
        }
        config = pb.GetDataRequest(path=[path(LIBRARY)], content=pb.GetDataRequest.CONFIG)
        assert await box.admin.text(config) == {}

    run(scenario)
