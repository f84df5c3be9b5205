"""One fault, one text: what gNMI's Set and the configuration service say of the same mistake is the same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from conformance.firewall import FW1, IMAGE, LAN, appliance, everything
from conformance.refusal import of
from conformance.test_set_operations import SETTINGS, S
from service.configuring import Box, edit, path, refusal, run
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.v1 import config_pb2 as pb

INVALID, PRECONDITION = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
NOT_FOUND, UNIMPLEMENTED = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Case:
    """A request, with its code and, by violation, what RFC 6241 calls it: error-type, error-tag, app-tag."""

    update: dict[str, Any]
    code: grpc.StatusCode
    tags: tuple[tuple[str, str, str], ...]
    delete: tuple[str, ...] = ()


def bigger(size: int) -> dict[str, Any]:
    return {**appliance(), "memory": {"config": {"size": str(size)}}}


def twin(mac: str) -> dict[str, Any]:
    """An appliance with two vNICs of one address."""
    vnics = [
        {"name": name, "config": {"name": name, "index": index, "virtual-switch": "lan", "mac-address": mac}}
        for index, name in enumerate(("a", "b"))
    ]
    return {**appliance(), "vnics": {"vnic": vnics}}


SYNTAX = ("rpc", "malformed-message", "")
NOT_SERVED = ("protocol", "operation-not-supported", "")
VALUE = ("protocol", "invalid-value", "")
MISSING = ("application", "data-missing", "instance-required")
FAILED = ("application", "operation-failed", "")
CASES = {
    "unknown node": Case({f"{S}/config/colour": 1}, NOT_FOUND, (("protocol", "unknown-element", ""),)),
    "unknown member": Case({f"{S}/config": {"colour": 1}}, INVALID, (VALUE,)),
    "unknown key": Case(
        {"/samples/sample[id=a]/config/uint8": 1}, INVALID, (("rpc", "malformed-message", ""),)
    ),
    "unknown origin": Case(
        {"moon:/samples": {}}, UNIMPLEMENTED, (("protocol", "operation-not-supported", ""),)
    ),
    "state": Case({f"{S}/state/uint8": 1}, INVALID, (("protocol", "bad-element", ""),)),
    "type": Case({f"{S}/config/uint8": "x"}, INVALID, (VALUE,)),
    "range": Case({f"{S}/config/uint8": 256}, INVALID, (VALUE,)),
    "another key": Case({S: {"name": "b", "config": {"name": "b"}}}, INVALID, (VALUE, VALUE)),
    "no list": Case({"/samples/sample": {"name": "a"}}, INVALID, (VALUE,)),
    "must": Case(  # with the tag that the module gives
        {f"{SETTINGS}/config": {"low": 6, "high": 5}},
        INVALID,
        (("application", "operation-failed", "order"),),
    ),
    "mandatory": Case({FW1: {"config": {"type": "VIRTUAL_MACHINE"}}}, INVALID, (FAILED, FAILED)),
    "reference": Case({FW1: appliance()}, INVALID, (MISSING, MISSING, MISSING)),
    "still referred to": Case({}, INVALID, (MISSING,), delete=(IMAGE,)),
    "capacity": Case({FW1: bigger(64 * GIB)}, PRECONDITION, (("application", "resource-denied", ""),)),
    "twice": Case(
        {FW1: twin("02:00:00:00:00:01")},
        INVALID,
        (("application", "operation-failed", "data-not-unique"),),
    ),
    "runs": Case({f"{FW1}/memory/config/size": str(GIB)}, PRECONDITION, (FAILED,)),
    "in use": Case({f"{LAN}/ports/port[interface=eth8]": {"config": {}}}, PRECONDITION, (FAILED,)),
    "many": Case(
        {f"{S}/config/uint8": -1, f"{S}/config/int8": 1000, f"{S}/config": {"uint16": "a", "uint32": "b"}},
        INVALID,
        (VALUE, VALUE, VALUE, VALUE),
    ),
}
ONLY_A_COMMIT_FINDS = ("runs",)
NEED_THE_CHAIN = ("still referred to", "capacity", "twice", "runs", "in use")


async def over_gnmi(box: Box, case: Case) -> tuple[grpc.StatusCode, str, Sequence[tuple[str, str]]]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await box.gnmi.set(update=case.update, delete=case.delete)
    found = of(error.value)
    return found.code, found.message, found.violations


async def over_config(box: Box, case: Case) -> grpc.aio.AioRpcError:
    edits = [
        *(edit(pb.Edit.DELETE, where) for where in case.delete),
        *(edit(pb.Edit.MERGE, where, value) for where, value in case.update.items()),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await box.admin.call(pb.EditRequest(edit=edits))
        await box.admin.call(pb.CommitRequest())
    return error.value


@pytest.mark.parametrize("name", CASES)
def test_both_faces_say_the_same(name: str) -> None:
    case = CASES[name]

    async def scenario(box: Box) -> None:
        if name in NEED_THE_CHAIN:
            await box.gnmi.set(update=everything())
        code, message, violations = await over_gnmi(box, case)
        error = await over_config(box, case)
        found = of(error)
        if name in ONLY_A_COMMIT_FINDS:  # whose request has no edits to blame
            violations = [(field, text.partition(" [operation")[0]) for field, text in violations]
        assert (code, message, list(violations)) == (found.code, found.message, list(found.violations))
        assert code is case.code

        async def again() -> None:
            raise error

        _, _, errors = await refusal(again())
        assert [(one.error_type, one.error_tag, one.error_app_tag) for one in errors] == list(case.tags)
        for one, (field, description) in zip(errors, violations, strict=True):
            assert one.error_path == field
            remedy = f" ({one.remedy})" if one.remedy else ""
            place = f" [operation {one.operation - 1}]" if one.operation else ""
            assert f"{one.error_message}{remedy}{place}" == description
            assert path(field) == one.path

    run(scenario)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (f"/samples/sample[name={'k' * 4000}]/config/colour", b"1"),
        (f"/samples/sample[name={'ü' * 4000}]/config/uint8", '"ü"'.encode()),
        (f"{S}/config", json.dumps({"c" * 20_000: 1}).encode()),
        (f"{S}/config", b'{"\\ud800": 1}'),
        ("/samples/sample", b'[{"name": "\\udfff", "config": {"uint8": "x"}}]'),
    ],
)
def test_whatever_a_request_holds_its_refusal_arrives(where: str, value: bytes) -> None:
    async def scenario(box: Box) -> None:
        wanted = pb.Edit(operation=pb.Edit.MERGE, path=path(where), value=value)
        code, _, errors = await refusal(box.admin.call(pb.EditRequest(edit=[wanted])))
        assert code in (INVALID, NOT_FOUND) and errors
        update = gnmi_pb2.Update(path=path(where), val=gnmi_pb2.TypedValue(json_ietf_val=value))
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await box.gnmi.set(update=[update])
        assert error.value.code() is code

    run(scenario)
