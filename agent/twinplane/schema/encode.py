"""Tree → JSON and JSON_IETF (RFC 7951), once per container: what is encoded stays with the node.

Nodes never change, so the text of a container is kept in its `memo`. Kept are the payload itself, the top
two levels and whole objects; what lies below an object is dumped together with it. So a tree of which one
leaf changed costs one object and a join.
"""

import functools
from dataclasses import dataclass
from typing import Any

import orjson

from twinplane.schema.scalar import codec_of
from twinplane.schema.table import NodeKind, SchemaNode
from twinplane.tree.node import Container, Entries, Node

# Depth in the schema of an object: an entry of the list just below a top-level container.
_OBJECT_DEPTH = 2


def encode(node: Node, schema: SchemaNode, *, ietf: bool) -> bytes:
    """The JSON text of a node: the object below a container or entry, an array for a list or leaf-list, the
    bare value of a leaf. With `ietf` the members of the first level are qualified by their module, and
    further down those whose module differs from their parent's.
    """
    if isinstance(node, Container):
        return _container(node, schema, ietf, first=True)
    if isinstance(node, Entries):
        return _array([_container(entry, schema, ietf, first=True) for entry in node.entries.values()])
    return orjson.dumps(_leaf(node, schema, ietf))


@dataclass(frozen=True, slots=True)
class _Member:
    """How a child is written: its name within its parent, alone at the top, and what converts its value."""

    name: str
    qualified: str
    schema: SchemaNode
    convert: Any
    kind: NodeKind


@functools.cache
def _members(schema: SchemaNode, ietf: bool) -> dict[str, _Member]:
    members = {}
    for name, child in schema.children.items():
        qualified = f"{child.module}:{name}" if ietf else name
        convert = None
        if child.is_leaf:
            form = codec_of(child)
            convert = form.ietf if ietf else form.plain
        members[name] = _Member(
            qualified if child.module != schema.module else name, qualified, child, convert, child.kind
        )
    return members


def _container(node: Container, schema: SchemaNode, ietf: bool, *, first: bool) -> bytes:
    slot = ("json", ietf, ietf and first)
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    kept = memo.get(slot)
    if kept is not None and kept[0] is schema:
        return kept[1]  # type: ignore[no-any-return]
    text = orjson.dumps(_plain(node, schema, ietf, first))
    memo[slot] = (schema, text)
    return text


def _plain(node: Container, schema: SchemaNode, ietf: bool, first: bool) -> dict[str, Any]:
    """The container as orjson takes it; what is kept by itself goes in as a finished fragment."""
    members = _members(schema, ietf)
    out: dict[str, Any] = {}
    keep = len(schema.path) < _OBJECT_DEPTH
    for name, child in node.children.items():
        member = members[name]
        kind = member.kind
        value: Any
        if kind is NodeKind.LEAF:
            value = child if member.convert is None else member.convert(child)
        elif kind is NodeKind.CONTAINER:
            if keep:
                value = orjson.Fragment(_container(child, member.schema, ietf, first=False))  # type: ignore[arg-type]
            else:
                value = _plain(child, member.schema, ietf, False)  # type: ignore[arg-type]
        elif kind is NodeKind.LEAF_LIST:
            value = child if member.convert is None else [member.convert(item) for item in child]  # type: ignore[union-attr]
        elif keep:
            entries = child.entries.values()  # type: ignore[union-attr]
            value = orjson.Fragment(
                _array([_container(entry, member.schema, ietf, first=False) for entry in entries])
            )
        else:
            value = [_plain(entry, member.schema, ietf, False) for entry in child.entries.values()]  # type: ignore[union-attr]
        out[member.qualified if first else member.name] = value
    return out


def _array(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _leaf(value: Any, schema: SchemaNode, ietf: bool) -> Any:
    form = codec_of(schema)
    convert = form.ietf if ietf else form.plain
    if schema.kind is NodeKind.LEAF_LIST:
        return list(value) if convert is None else [convert(item) for item in value]
    return value if convert is None else convert(value)
