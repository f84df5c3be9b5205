"""A reader of JSON_IETF that forgives nothing (RFC 7951), by the schema."""

import base64
import re
from typing import Any

from twinplane.schema.table import NodeKind, SchemaNode, TypeSpec

CANONICAL_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
CANONICAL_DECIMAL = re.compile(r"(?!-0\.0$)-?(0|[1-9][0-9]*)\.([0-9]*[1-9]|0)")


def check_ietf(document: Any, node: SchemaNode, where: str = "") -> None:
    """Assert that a document is the content of a container or list entry, names qualified where the text
    begins and where the module changes, and only there."""
    assert isinstance(document, dict), where
    for name, value in document.items():
        module, colon, bare = name.rpartition(":")
        child = node.children.get(bare)
        assert child is not None, f"{where}/{name}"
        must = not where or child.module != node.module
        assert bool(colon) is must, f"{where}/{name}"
        assert module == (child.module if must else ""), f"{where}/{name}"
        below = f"{where}/{name}"
        match child.kind:
            case NodeKind.CONTAINER:
                check_ietf(value, child, below)
            case NodeKind.LIST:
                assert isinstance(value, list), below
                for entry in value:
                    check_ietf(entry, child, below)
                    assert set(child.keys) <= {key.rpartition(":")[2] for key in entry}, below
            case NodeKind.LEAF_LIST:
                assert isinstance(value, list), below
                for member in value:
                    _value(member, child.type, child, below)
            case NodeKind.LEAF:
                _value(value, child.type, child, below)


def _value(value: Any, spec: TypeSpec | None, leaf: SchemaNode, where: str) -> None:
    assert spec is not None
    match spec.base:
        case "leafref":
            _value(value, spec.members[0], leaf, where)
        case "union":
            assert any(_is(value, member, leaf, where) for member in spec.members), f"{where}: {value!r}"
        case "int64" | "uint64":
            assert isinstance(value, str), where
            assert CANONICAL_NUMBER.fullmatch(value), f"{where}: {value!r}"
        case "decimal64":
            assert isinstance(value, str), where
            assert CANONICAL_DECIMAL.fullmatch(value), f"{where}: {value!r}"
        case "boolean":
            assert isinstance(value, bool), where
        case "empty":
            assert value == [None], where
        case "identityref":
            assert value in spec.identities, f"{where}: {value!r}"
        case "enumeration":
            assert value in spec.enums, f"{where}: {value!r}"
        case "bits":
            assert value.split(" ") == [bit for bit in spec.bits if bit in value.split(" ")], where
        case "binary":
            base64.b64decode(value, validate=True)
        case "string" | "instance-identifier":
            assert isinstance(value, str), where
        case _:
            assert type(value) is int, f"{where}: {value!r}"


def _is(value: Any, spec: TypeSpec, leaf: SchemaNode, where: str) -> bool:
    try:
        _value(value, spec, leaf, where)
    except AssertionError:
        return False
    return True
