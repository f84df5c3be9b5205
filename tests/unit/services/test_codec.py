from decimal import Decimal

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.write import JsonPayload, ScalarPayload
from twinplane.services import codec
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, Path

AT = Path((Elem("a"),))
WirePath, WireElem, Value = gnmi_pb2.Path, gnmi_pb2.PathElem, gnmi_pb2.TypedValue


def wire(*names: str, **fields: str) -> gnmi_pb2.Path:
    return WirePath(elem=[WireElem(name=name) for name in names], **fields)


@pytest.mark.parametrize(
    ("prefix", "path", "wanted"),
    [
        (wire(), wire(), Path()),
        (wire("a"), wire("b"), Path((Elem("a"), Elem("b")))),
        (wire("a", target="t"), wire(), Path((Elem("a"),))),
        (wire(origin="foo"), wire("b"), Path((Elem("b"),), "foo")),
        (wire(), wire("b", origin="foo"), Path((Elem("b"),), "foo")),
        (wire(origin="openconfig"), wire("b"), Path((Elem("b"),))),
        (wire(), wire("b", origin="openconfig"), Path((Elem("b"),))),
    ],
)
def test_prefix_and_path_are_one(prefix: gnmi_pb2.Path, path: gnmi_pb2.Path, wanted: Path) -> None:
    assert codec.absolute(prefix, path) == wanted


def test_keys_come_in_one_order_and_unchanged() -> None:
    key = {"z": "a/b[c]=\\ü ", "a": ""}
    path = codec.absolute(WirePath(), WirePath(elem=[WireElem(name="e", key=key)]))
    assert path.elems == (Elem("e", (("a", ""), ("z", "a/b[c]=\\ü "))),)


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        (wire(origin="a"), wire(origin="a")),
        (wire("a"), wire("b", origin="foo")),
        (wire(), wire("b", target="t")),
        (wire(), WirePath(element=["a"])),
        (WirePath(element=["a"]), wire("b")),
        (wire(), wire("a", "")),
        (wire(""), wire()),
        (wire(), WirePath(elem=[WireElem(name="e", key={"": "x"})])),
        (wire(), wire("b" * 5000)),
        (wire(), WirePath(elem=[WireElem(name="e", key={"k" * 5000: "x"})])),
    ],
)
def test_what_is_no_path(prefix: gnmi_pb2.Path, path: gnmi_pb2.Path) -> None:
    with pytest.raises(RequestError) as caught:
        codec.absolute(prefix, path)
    assert caught.value.violations[0].fault is Fault.SYNTAX


def test_encodings() -> None:
    assert {one for one in range(10) if _offered(one)} == {one.value for one in codec.Encoding} == {0, 2, 4}


def _offered(number: int) -> bool:
    try:
        codec.encoding(number)
    except RequestError as error:
        assert error.violations[0].fault is Fault.NOT_SERVED
        return False
    return True


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Value(), None),
        (Value(json_val=b"1"), JsonPayload(b"1", False)),
        (Value(json_ietf_val=b"{}"), JsonPayload(b"{}", True)),
        (Value(string_val=""), ScalarPayload("")),
        (Value(uint_val=3), ScalarPayload(3)),
        (Value(bool_val=False), ScalarPayload(False)),
        (
            Value(decimal_val=gnmi_pb2.Decimal64(digits=15, precision=1)),
            ScalarPayload(Decimal("1.5")),
        ),
        (
            Value(leaflist_val=gnmi_pb2.ScalarArray(element=[Value(int_val=1), Value(int_val=2)])),
            ScalarPayload((1, 2)),
        ),
    ],
)
def test_payloads(value: gnmi_pb2.TypedValue, wanted: object) -> None:
    assert codec.payload(value, AT) == wanted


@pytest.mark.parametrize("value", [Value(ascii_val="x"), Value(proto_bytes=b""), Value(any_val={})])
def test_forms_that_no_encoding_has(value: gnmi_pb2.TypedValue) -> None:
    with pytest.raises(RequestError) as caught:
        codec.payload(value, AT)
    assert caught.value.violations[0].fault is Fault.NOT_SERVED


def test_a_leaf_list_of_nothing_or_of_json_is_a_bad_value() -> None:
    for element in (Value(), Value(json_val=b"{")):
        with pytest.raises(RequestError) as caught:
            codec.payload(Value(leaflist_val=gnmi_pb2.ScalarArray(element=[element])), AT)
        assert [(one.path, one.fault) for one in caught.value.violations] == [(AT, Fault.VALUE)]
