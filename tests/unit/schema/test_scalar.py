"""Leaf values of every type: JSON, PROTO and key text."""

from decimal import Decimal
from typing import Any

import pytest

from twinplane.schema import scalar
from twinplane.schema.codec import ProtoKind
from twinplane.schema.scalar import codec_of, json_value, key_text
from twinplane.schema.table import SchemaNode, SchemaTable
from twinplane.tree.node import EMPTY

CIRCLE = "twinplane-fixture-types:CIRCLE"

# leaf, JSON value as parsed, canonical value, JSON_IETF text, JSON text, PROTO field and value, key text
GOOD: list[tuple[str, Any, Any, bytes, bytes, tuple[ProtoKind, Any], str]] = [
    ("int8", -128, -128, b"-128", b"-128", (ProtoKind.INT, -128), "-128"),
    ("int32", 0, 0, b"0", b"0", (ProtoKind.INT, 0), "0"),
    (
        "int64",
        "-9223372036854775808",
        -(2**63),
        b'"-9223372036854775808"',
        b"-9223372036854775808",
        (ProtoKind.INT, -(2**63)),
        "-9223372036854775808",
    ),
    (
        "uint64",
        2**64 - 1,
        2**64 - 1,
        b'"18446744073709551615"',
        b"18446744073709551615",
        (ProtoKind.UINT, 2**64 - 1),
        "18446744073709551615",
    ),
    ("uint16", Decimal("1.5e3"), 1500, b"1500", b"1500", (ProtoKind.UINT, 1500), "1500"),
    ("decimal2", "1.50", Decimal("1.5"), b'"1.5"', b"1.5", (ProtoKind.DOUBLE, 1.5), "1.5"),
    ("decimal2", 7, Decimal("7.0"), b'"7.0"', b"7.0", (ProtoKind.DOUBLE, 7.0), "7.0"),
    ("decimal18", "0.1", Decimal("0.1"), b'"0.1"', b"0.1", (ProtoKind.DOUBLE, 0.1), "0.1"),
    ("boolean", True, True, b"true", b"true", (ProtoKind.BOOL, True), "true"),
    (
        "string",
        'a"\\ü',
        'a"\\ü',
        '"a\\"\\\\ü"'.encode(),
        '"a\\"\\\\ü"'.encode(),
        (ProtoKind.STRING, 'a"\\ü'),
        'a"\\ü',
    ),
    ("pattern", "abc", "abc", b'"abc"', b'"abc"', (ProtoKind.STRING, "abc"), "abc"),
    ("enumeration", "TWO", "TWO", b'"TWO"', b'"TWO"', (ProtoKind.STRING, "TWO"), "TWO"),
    (
        "identityref",
        "CIRCLE",
        CIRCLE,
        f'"{CIRCLE}"'.encode(),
        b'"CIRCLE"',
        (ProtoKind.STRING, "CIRCLE"),
        CIRCLE,
    ),
    (
        "identityref",
        CIRCLE,
        CIRCLE,
        f'"{CIRCLE}"'.encode(),
        b'"CIRCLE"',
        (ProtoKind.STRING, "CIRCLE"),
        CIRCLE,
    ),
    (
        "bits",
        "last first",
        "first last",
        b'"first last"',
        b'"first last"',
        (ProtoKind.STRING, "first last"),
        "first last",
    ),
    ("binary", "AAEC", b"\0\1\2", b'"AAEC"', b'"AAEC"', (ProtoKind.BYTES, b"\0\1\2"), "AAEC"),
    ("empty", [None], EMPTY, b"[null]", b"[null]", (ProtoKind.BOOL, True), ""),
    ("union", 5, 5, b"5", b"5", (ProtoKind.UINT, 5), "5"),
    ("union", "auto", "auto", b'"auto"', b'"auto"', (ProtoKind.STRING, "auto"), "auto"),
    ("union", "text", "text", b'"text"', b'"text"', (ProtoKind.STRING, "text"), "text"),
    ("union", "4095", "4095", b'"4095"', b'"4095"', (ProtoKind.STRING, "4095"), "4095"),
    ("leafref", 7, 7, b"7", b"7", (ProtoKind.UINT, 7), "7"),
]

BAD: list[tuple[str, Any]] = [
    ("int8", 128),
    ("int8", -129),
    ("int8", "5"),
    ("int8", True),
    ("int8", Decimal("1.5")),
    ("int32", -4),
    ("int32", 4),
    ("uint8", -1),
    ("uint64", 2**64),
    ("uint64", "1_000"),
    ("uint64", " 1"),
    ("uint64", "0x10"),
    ("uint64", "٣"),
    ("uint64", ""),
    ("decimal2", "1.234"),
    ("decimal2", "100.26"),
    ("decimal2", "-1.51"),
    ("decimal2", "1e1"),
    ("decimal2", "NaN"),
    ("decimal2", Decimal("1e999999")),
    ("decimal2", True),
    ("boolean", "true"),
    ("boolean", 1),
    ("string", 5),
    ("string", "a\0b"),
    ("string", "\ud800"),
    ("string", "\ufffe"),
    ("pattern", ""),
    ("pattern", "abcdefg"),
    ("pattern", "Abc"),
    ("pattern", "abc\n"),
    ("pattern", "xabc"),
    ("enumeration", "THREE"),
    ("enumeration", "one"),
    ("enumeration", 0),
    ("identityref", "SHAPE"),
    ("identityref", "TRIANGLE"),
    ("identityref", "twinplane-fixture:CIRCLE"),
    ("bits", "first first"),
    ("bits", "first nothing"),
    ("binary", "A"),
    ("binary", "AA*="),
    ("binary", "AAECAwQFBgcI"),
    ("empty", True),
    ("empty", []),
    ("empty", "x"),
    ("union", 0),
    ("union", "x"),
    ("union", "too long a text"),
    ("union", True),
    ("instance", "samples"),
    ("leafref", "7"),
]


def leaf(table: SchemaTable, name: str) -> SchemaNode:
    node = table.find(("samples", "sample", "config", name))
    assert node is not None
    return node


@pytest.mark.parametrize(("name", "given", "value", "ietf", "plain", "proto", "text"), GOOD)
def test_forms(
    fixture: SchemaTable,
    name: str,
    given: Any,
    value: Any,
    ietf: bytes,
    plain: bytes,
    proto: tuple[ProtoKind, Any],
    text: str,
) -> None:
    node = leaf(fixture, name)
    codec = codec_of(node)
    parsed = codec.parse_json(given)
    assert parsed == value
    assert type(parsed) is type(value)
    assert json_value(node, parsed, ietf=True) == ietf
    assert json_value(node, parsed, ietf=False) == plain
    kind, carried = scalar.proto(node, parsed)
    assert (kind, carried) == proto
    assert type(carried) is type(proto[1])
    assert key_text(node, parsed) == text
    assert codec.parse_text(text) == value
    assert codec.parse_proto(carried) == value
    assert codec.owns(parsed)


@pytest.mark.parametrize(("name", "given"), BAD)
def test_refusals(fixture: SchemaTable, name: str, given: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec_of(leaf(fixture, name)).parse_json(given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("uint8", "5"),
        ("uint8", 5.0),
        ("uint8", True),
        ("string", 5),
        ("string", b"x"),
        ("boolean", "true"),
        ("binary", "AAEC"),
        ("decimal2", "1.5"),
        ("decimal2", float("nan")),
        ("decimal2", float("inf")),
        ("decimal2", 1e300),
        ("empty", False),
    ],
)
def test_proto_scalars_of_the_wrong_kind(fixture: SchemaTable, name: str, given: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec_of(leaf(fixture, name)).parse_proto(given)


@pytest.mark.parametrize("given", [0.1, Decimal("0.1")])
def test_a_double_stands_for_its_shortest_text(fixture: SchemaTable, given: object) -> None:
    assert codec_of(leaf(fixture, "decimal18")).parse_proto(given) == Decimal("0.1")


def test_a_computed_double_is_rounded_to_what_the_leaf_holds(fixture: SchemaTable) -> None:
    assert codec_of(leaf(fixture, "decimal2")).parse_proto(0.1 + 0.2) == Decimal("0.3")


def test_messages_of_the_module_are_used(fixture: SchemaTable, product: SchemaTable) -> None:
    with pytest.raises(ValueError, match="no x in front"):
        codec_of(leaf(fixture, "pattern")).parse_json("xyz")
    vcpus = product.find(("appliances", "appliance", "compute", "config", "vcpus"))
    assert vcpus is not None
    with pytest.raises(ValueError, match="at least one virtual processor, not 0"):
        codec_of(vcpus).parse_json(0)
    with pytest.raises(ValueError, match=r"must be in 1\.\.65535, not 70000"):
        codec_of(vcpus).parse_json(70000)


def test_generated_messages_name_the_range(fixture: SchemaTable) -> None:
    with pytest.raises(ValueError, match=r"in -10\.\.-5 or 0 or in 5\.\.2147483647"):
        codec_of(leaf(fixture, "int32")).parse_json(3)
    with pytest.raises(ValueError, match=r"in -1\.5\.\.100\.25"):
        codec_of(leaf(fixture, "decimal2")).parse_json("200.0")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), (True, "true"), (Decimal("5.5"), "5.5"), ("5", "'5'"), (False, "false")],
)
def test_values_are_told_as_they_were_written(fixture: SchemaTable, value: object, shown: str) -> None:
    with pytest.raises(ValueError, match=f"not {shown}$"):
        codec_of(leaf(fixture, "uint8")).parse_json(value)


def test_long_values_are_cut_in_messages(fixture: SchemaTable) -> None:
    with pytest.raises(ValueError, match="must be one of") as caught:
        codec_of(leaf(fixture, "enumeration")).parse_json("y" * 10000)
    assert len(str(caught.value)) < 200
