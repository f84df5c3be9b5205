"""What one request may ask for: counted exactly where it matters, refused with the setting that says so."""

import json

import pytest
from google.protobuf.message import Message

from twinplane.errors import Fault, RequestError
from twinplane.services.bounds import Bounds, check
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.v1 import config_pb2 as pb

BOUNDS = Bounds(operations=3, paths=3, members=10)


def update(value: object) -> gnmi_pb2.Update:
    return gnmi_pb2.Update(val=gnmi_pb2.TypedValue(json_ietf_val=json.dumps(value).encode()))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path()] * 4), "operations"),
        (gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path()] * 2, update=[update(1)] * 2), "operations"),
        (gnmi_pb2.SetRequest(union_replace=[update(1)] * 4), "operations"),
        (gnmi_pb2.SetRequest(update=[update([1] * 5), update([1] * 8)]), "members"),
        (gnmi_pb2.GetRequest(path=[gnmi_pb2.Path()] * 4), "paths"),
        (pb.EditRequest(edit=[pb.Edit()] * 4), "operations"),
        (pb.EditRequest(edit=[pb.Edit(value=b"[" * 11)]), "members"),
        (pb.ValidateRequest(text=json.dumps({str(n): n for n in range(12)}).encode()), "members"),
        (pb.CopyConfigRequest(text=b"<a/>" * 11, encoding=pb.XML), "members"),
        (pb.ValidateRequest(text=b"<a " + b"b='' " * 11 + b"/>", encoding=pb.XML), "members"),
        (pb.GetConfigRequest(path=[gnmi_pb2.Path()] * 4), "paths"),
    ],
)
def test_one_too_many_is_refused_with_the_setting(message: Message, name: str) -> None:
    with pytest.raises(RequestError) as raised:
        check(message, BOUNDS)
    (violation,) = raised.value.violations
    assert violation.fault is Fault.TOO_LARGE
    assert f"more than {getattr(BOUNDS, name)} {name}" in violation.constraint
    assert f"limits.{name}" in violation.remedy


@pytest.mark.parametrize(
    "message",
    [
        gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path()] * 3),
        gnmi_pb2.SetRequest(update=[update({"text": ',"[{\\' * 100})]),
        pb.ValidateRequest(text=b"<a>" + b"</a>" * 100, encoding=pb.XML),
        gnmi_pb2.GetRequest(path=[gnmi_pb2.Path()] * 3),
        gnmi_pb2.CapabilityRequest(),
    ],
)
def test_what_is_within_passes_whatever_its_texts_hold(message: Message) -> None:
    check(message, BOUNDS)
