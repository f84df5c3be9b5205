from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane.schema.codec import ProtoKind
from twinplane.services import encode
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, parse

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
NAME = TEXT.filter(bool)
ELEMS = st.lists(
    st.builds(
        Elem, NAME, st.lists(st.tuples(NAME, TEXT), max_size=3, unique_by=lambda key: key[0]).map(tuple)
    ),
    max_size=5,
)


@given(ELEMS, TEXT, TEXT)
def test_paths_parse_as_what_they_are(elems: list[Elem], origin: str, target: str) -> None:
    parsed = gnmi_pb2.Path.FromString(encode.path(elems, origin, target))
    assert parsed == gnmi_pb2.Path(
        origin=origin,
        target=target,
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in elems],
    )


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (ProtoKind.STRING, "", gnmi_pb2.TypedValue(string_val="")),
        (ProtoKind.STRING, "ü" * 200, gnmi_pb2.TypedValue(string_val="ü" * 200)),
        (ProtoKind.BOOL, True, gnmi_pb2.TypedValue(bool_val=True)),
        (ProtoKind.BOOL, False, gnmi_pb2.TypedValue(bool_val=False)),
        (ProtoKind.BYTES, b"\xff\x00", gnmi_pb2.TypedValue(bytes_val=b"\xff\x00")),
        (ProtoKind.DOUBLE, Decimal("1.25"), gnmi_pb2.TypedValue(double_val=1.25)),
        (ProtoKind.DOUBLE, 2.5, gnmi_pb2.TypedValue(double_val=2.5)),
    ],
)
def test_scalars_take_their_field(kind: ProtoKind, value: object, wanted: gnmi_pb2.TypedValue) -> None:
    assert gnmi_pb2.TypedValue.FromString(encode.scalar(kind, value)) == wanted


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_integers(value: int) -> None:
    made = gnmi_pb2.TypedValue.FromString(encode.scalar(ProtoKind.INT, value))
    assert made == gnmi_pb2.TypedValue(int_val=value)


@given(st.integers(0, 2**64 - 1))
def test_unsigned_integers(value: int) -> None:
    made = gnmi_pb2.TypedValue.FromString(encode.scalar(ProtoKind.UINT, value))
    assert made == gnmi_pb2.TypedValue(uint_val=value)


def test_a_whole_notification() -> None:
    prefix = encode.path(parse("/interfaces").elems, target="t")
    leaves = encode.leaf_list([encode.scalar(ProtoKind.STRING, "a"), encode.scalar(ProtoKind.UINT, 7)])
    content = encode.notification(
        1_700_000_000_000_000_000,
        prefix,
        [
            encode.update(encode.path(parse("a/b[k=1]").elems), leaves, 3),
            encode.update(encode.path(()), encode.json(b"{}" * 100, ietf=True)),
            encode.update(encode.path(()), encode.json(b"1", ietf=False)),
        ],
        [encode.path(parse("gone").elems)],
        atomic=True,
    )
    path = gnmi_pb2.Path(elem=[gnmi_pb2.PathElem(name="a"), gnmi_pb2.PathElem(name="b", key={"k": "1"})])
    listed = gnmi_pb2.ScalarArray(
        element=[gnmi_pb2.TypedValue(string_val="a"), gnmi_pb2.TypedValue(uint_val=7)]
    )
    wanted = gnmi_pb2.Notification(
        timestamp=1_700_000_000_000_000_000,
        prefix=gnmi_pb2.Path(elem=[gnmi_pb2.PathElem(name="interfaces")], target="t"),
        update=[
            gnmi_pb2.Update(path=path, val=gnmi_pb2.TypedValue(leaflist_val=listed), duplicates=3),
            gnmi_pb2.Update(path=gnmi_pb2.Path(), val=gnmi_pb2.TypedValue(json_ietf_val=b"{}" * 100)),
            gnmi_pb2.Update(path=gnmi_pb2.Path(), val=gnmi_pb2.TypedValue(json_val=b"1")),
        ],
        delete=[gnmi_pb2.Path(elem=[gnmi_pb2.PathElem(name="gone")])],
        atomic=True,
    )
    assert gnmi_pb2.Notification.FromString(content) == wanted
    response = encode.field(encode.SUBSCRIBE_UPDATE, content)
    assert gnmi_pb2.SubscribeResponse.FromString(response).update == wanted
    answer = encode.field(encode.GET_NOTIFICATION, content)
    assert gnmi_pb2.GetResponse.FromString(answer).notification == [wanted]
    assert gnmi_pb2.SubscribeResponse.FromString(encode.SYNC_RESPONSE).sync_response is True
