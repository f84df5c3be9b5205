"""Our codec and libyang read and write the same: random instances drawn from the schema table."""

import json
import pathlib
from decimal import Decimal
from typing import Any

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinplane.errors import RequestError
from twinplane.schema import xml
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.context import load_context
from twinplane.schema.decode import decode
from twinplane.schema.encode import encode
from twinplane.schema.resolve import Resolved, new_entry
from twinplane.schema.scalar import codec_of, key_text
from twinplane.schema.table import NodeKind, SchemaNode, TypeSpec
from twinplane.tree.node import EMPTY, Container, Entries, Node, Scalar
from twinplane_wire.path import Path

ROOT = pathlib.Path(__file__).parents[3]
SCHEMAS: Schemas = load_schema(ROOT / "yang", None, ROOT / "tests" / "fixtures" / "yang")

SYNTAX = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
PRINT = libyang.PrintFlags.Shrink | libyang.PrintFlags.WithSiblings

# what YANG allows in a string; of the control characters tab, line feed and carriage return
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn", "Cc"], include_characters="\t\n\r")

SPECIAL = {
    "mac-address": st.just("52:54:00:ab:cd:ef"),
    "digest": st.just("sha256:" + "0" * 64),
}


def values(spec: TypeSpec) -> st.SearchStrategy[Scalar]:
    """Canonical values of a type."""
    match spec.base:
        case "leafref":
            return values(spec.members[0])
        case "union":
            return st.one_of([values(member) for member in spec.members])
        case "enumeration":
            return st.sampled_from(spec.enums)
        case "identityref":
            return st.sampled_from(spec.identities)
        case "boolean":
            return st.booleans()
        case "empty":
            return st.just(EMPTY)
        case "bits":
            return st.sets(st.sampled_from(spec.bits)).map(
                lambda some: " ".join(b for b in spec.bits if b in some)
            )
        case "binary":
            return st.binary(max_size=8)
        case "instance-identifier":
            return st.just("/twinplane-fixture:samples")
        case "decimal64":
            low, high = spec.ranges[0]
            return st.integers(low, high).map(lambda number: Decimal(number).scaleb(-spec.fraction_digits))
        case "string" if spec.patterns:
            return st.one_of([st.from_regex(spec.patterns[0].expression, fullmatch=True), *SPECIAL.values()])
        case "string":
            low, high = spec.lengths[0] if spec.lengths else (0, 20)
            return st.text(CHARACTERS, min_size=low, max_size=min(high, 20))
        case _:
            return st.one_of([st.integers(low, high) for low, high in spec.ranges])


def leaves(node: SchemaNode) -> st.SearchStrategy[Scalar]:
    """Canonical values of a leaf: those that come back as they are from their own JSON form."""
    assert node.type is not None

    def canonical(value: Scalar) -> Scalar | None:
        form = codec_of(node)
        try:
            return form.parse_json(form.ietf(value) if form.ietf else value)
        except ValueError:
            return None

    return values(node.type).map(canonical).filter(lambda value: value is not None)  # type: ignore[return-value]


def instances(node: SchemaNode) -> st.SearchStrategy[Node]:
    """Random content of a container or list: config only, one case of each choice."""
    children = [child for child in node.children.values() if child.config and child.supported]
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for child in children:
        if child.name in node.keys:
            continue
        if child.kind is NodeKind.LEAF:
            parts[child.name] = leaves(child)
        elif child.kind is NodeKind.LEAF_LIST:
            members = st.lists(
                leaves(child), min_size=1, max_size=3, unique_by=lambda item: (type(item), item)
            )
            parts[child.name] = members.map(tuple)
        else:
            parts[child.name] = instances(child)

    def one_case(some: dict[str, Node]) -> dict[str, Node]:
        kept: dict[str, Node] = {}
        for name, value in some.items():
            if not set(node.children[name].rivals) & set(kept):
                kept[name] = value
        return kept

    content = st.fixed_dictionaries({}, optional=parts).map(one_case)
    if node.kind is NodeKind.CONTAINER:
        return content.map(Container)
    keys = st.fixed_dictionaries({name: leaves(node.children[name]) for name in node.keys})

    def listed(some: list[tuple[dict[str, Scalar], dict[str, Node]]]) -> Entries:
        entries = {}
        for values_, rest in some:
            key = tuple(key_text(node.children[name], values_[name]) for name in node.keys)
            entries[key] = Container(merged(new_entry(node, dict(values_)).children, rest))
        return Entries(node.keys, entries)

    return st.lists(st.tuples(keys, content), min_size=1, max_size=2).map(listed)


def merged(first: Any, second: Any) -> dict[str, Node]:
    out = dict(second)
    for name, value in first.items():
        present = out.get(name)
        both = isinstance(value, Container) and isinstance(present, Container)
        out[name] = Container(merged(value.children, present.children)) if both else value  # type: ignore[union-attr]
    return out


def normal(node: Any) -> Any:
    """A node without containers and lists that hold nothing: JSON may leave those out (no presence here)."""
    if isinstance(node, Container):
        inner = {name: normal(child) for name, child in node.children.items()}
        for name, child in inner.items():
            if isinstance(child, tuple) and name != "ordered":
                inner[name] = sorted(child, key=repr)  # libyang sorts where the order is the system's
        return {name: child for name, child in inner.items() if child not in ({}, [])}
    if isinstance(node, Entries):
        return {key: normal(entry) for key, entry in node.entries.items()}
    return node


@pytest.fixture(scope="module", params=["openconfig", "fixture"])
def origin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


CONTEXTS = {name: load_context(source) for name, source in SCHEMAS.sources.items()}
TREES = {name: instances(table.root) for name, table in SCHEMAS.tables.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_libyang_reads_what_we_write_and_we_read_what_it_writes(origin: str, data: st.DataObject) -> None:
    table = SCHEMAS.tables[origin]
    tree = data.draw(TREES[origin])
    text = encode(tree, table.root, ietf=True)
    target = Resolved(Path((), "" if origin == "openconfig" else origin), table.root)
    assert normal(decode(table, target, text)) == normal(tree)
    assert normal(decode(table, target, encode(tree, table.root, ietf=False))) == normal(tree)
    parsed = CONTEXTS[origin].parse_data(text.decode(), libyang.DataFormat.JSON, SYNTAX, None)
    if parsed is None:
        assert normal(tree) == {}
        return
    printed = parsed.print(libyang.DataFormat.JSON, PRINT)
    assert printed is not None
    assert normal(decode(table, target, printed.encode())) == normal(tree)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_xml_says_the_same_as_json_and_libyang_reads_it(origin: str, data: st.DataObject) -> None:
    table = SCHEMAS.tables[origin]
    tree = data.draw(TREES[origin])
    text = xml.encode(tree, table.root, table)
    target = Resolved(Path((), "" if origin == "openconfig" else origin), table.root)
    assert normal(decode(table, target, xml.to_json(table, target, text))) == normal(tree)
    inner = text.partition(b">")[2].removesuffix(b"</config>")
    parsed = CONTEXTS[origin].parse_data(inner.decode(), libyang.DataFormat.XML, SYNTAX, None)
    if parsed is None:
        assert normal(tree) == {}
        return
    printed = parsed.print(libyang.DataFormat.JSON, PRINT)
    assert printed is not None
    assert normal(decode(table, target, printed.encode())) == normal(tree)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"not xml", "cannot be read"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><config/>", "document type"),
        (b"<?xml version='1.0' encoding='nothing'?><config/>", "unknown encoding"),
        (b"<images/>", "stands in <config>"),
        (b"<a>" * 200 + b"</a>" * 200, "nested too deeply"),
        (b"<config xmlns='urn:ietf:params:xml:ns:netconf:base:1.0' a='b'/>", "attribute 'a'"),
        (b"<config xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'>words</config>", "holds text"),
    ],
)
def test_xml_that_is_no_data_is_refused_in_words(text: bytes, said: str) -> None:
    table = SCHEMAS.default
    with pytest.raises(RequestError, match=said):
        xml.to_json(table, Resolved(Path(), table.root), text)


NASTY: list[Any] = [
    0, 1, -1, 5, 4094, 4095, 255, 256, 2**31, 2**63, -(2**63), 2**64, 1.5, 0.125, True, False, None,
    "", "0", "-1", "5", "auto", "none", "text", "ONE", "one", "CIRCLE", "twinplane-fixture-types:CIRCLE",
    "twinplane-fixture:HEXAGON", "twinplane-fixture:CIRCLE", "SHAPE", "first", "last first", "first first",
    "AA==", "AAEC",
    "A", "1.5", "1.234", "100.25", "100.26", "-1.5", "abc", "xabc", "abcdefg", "\t", "a\u00fcb", "\ud7ff",
    [None], [], [1], {},
]  # fmt: skip


@pytest.mark.parametrize("name", [leaf.name for leaf in SCHEMAS.tables["fixture"].leaves() if leaf.path[:3] == ("samples", "sample", "config") and leaf.kind is NodeKind.LEAF and leaf.name != "name"])  # noqa: E501  # fmt: skip
def test_both_refuse_and_accept_the_same(name: str) -> None:
    table, context = SCHEMAS.tables["fixture"], CONTEXTS["fixture"]
    target = Resolved(Path((), "fixture"), table.root)
    for value in NASTY:
        text = json.dumps(
            {"twinplane-fixture:samples": {"sample": [{"name": "a", "config": {"name": "a", name: value}}]}}
        )
        try:
            ours: Node | None = decode(table, target, text.encode())
        except RequestError:
            ours = None
        try:
            context.parse_data(text, libyang.DataFormat.JSON, SYNTAX, None)
            theirs = True
        except libyang.Error:
            theirs = False
            context.clean_all_errors()
        if ours is None:
            assert not theirs, f"only libyang accepts {value!r}"
        elif not theirs:
            # ours is the wider one: then what we make of it must be what libyang accepts
            form = encode(ours, table.root, ietf=True).decode()
            context.parse_data(form, libyang.DataFormat.JSON, SYNTAX, None)
            assert json.loads(form) != json.loads(text), f"only we accept {value!r}"
