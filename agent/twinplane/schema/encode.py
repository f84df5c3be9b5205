"""Tree → JSON and JSON_IETF (RFC 7951), once per container: what is encoded stays with the node.

Nodes never change, so the text of a container is kept in its `memo`. Kept are the payload itself, the top
two levels and whole objects; what lies below an object is dumped together with it. So a tree of which one
leaf changed costs one object and a join.
"""

import functools
from typing import Any, TypeAlias

import orjson

from twinplane.schema.scalar import codec_of
from twinplane.schema.table import NodeKind, SchemaNode
from twinplane.tree.node import Container, Entries, Node

# Depth in the schema of an object: an entry of the list just below a top-level container.
_OBJECT_DEPTH = 2

# How a child is written. The numbers stand in the innermost loop of every read, hence no enumeration.
_LEAF, _LEAF_LIST, _INSIDE, _ENTRIES, _KEPT, _KEPT_ENTRIES = range(6)

# The names that differ in the document, by child name; and those children that are not written as they are:
# name, how, and the converter of a leaf or the plan or schema of what is below.
_Plan: TypeAlias = tuple[dict[str, str], tuple[tuple[str, int, Any], ...]]


def encode(node: Node, schema: SchemaNode, *, ietf: bool) -> bytes:
    """The JSON text of a node: the object below a container or entry, an array for a list or leaf-list, the
    bare value of a leaf. With `ietf` the members of the first level are qualified by their module, and
    further down those whose module differs from their parent's.
    """
    if isinstance(node, Container):
        return _container(node, schema, ietf, True)
    if isinstance(node, Entries):
        return _array([_container(entry, schema, ietf, True) for entry in node.entries.values()])
    form = codec_of(schema)
    convert = form.ietf if ietf else form.plain
    if convert is None:
        return orjson.dumps(node)
    return orjson.dumps([convert(item) for item in node] if isinstance(node, tuple) else convert(node))


@functools.cache
def _plan(schema: SchemaNode, ietf: bool, first: bool) -> _Plan:
    names: dict[str, str] = {}
    special: list[tuple[str, int, Any]] = []
    keep = len(schema.path) < _OBJECT_DEPTH
    for name, child in schema.children.items():
        if ietf and (first or child.module != schema.module):
            names[name] = f"{child.module}:{name}"
        if child.is_leaf:
            form = codec_of(child)
            convert = form.ietf if ietf else form.plain
            if convert is not None:
                special.append((name, _LEAF if child.kind is NodeKind.LEAF else _LEAF_LIST, convert))
        elif keep:
            special.append((name, _KEPT_ENTRIES if child.kind is NodeKind.LIST else _KEPT, child))
        else:
            how = _ENTRIES if child.kind is NodeKind.LIST else _INSIDE
            special.append((name, how, _plan(child, ietf, False)))
    return names, tuple(special)


def _container(node: Container, schema: SchemaNode, ietf: bool, first: bool) -> bytes:
    slot = ("json", ietf, ietf and first)
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    kept = memo.get(slot)
    if kept is not None and kept[0] is schema:
        return kept[1]  # type: ignore[no-any-return]
    text = orjson.dumps(_plain(node, _plan(schema, ietf, ietf and first), ietf))
    memo[slot] = (schema, text)
    return text


def _plain(node: Any, plan: _Plan, ietf: bool) -> dict[str, Any]:
    """The container as orjson takes it; what is kept by itself goes in as a finished fragment.

    Most leaves are written as they are: all children are copied at once, and only the others looked at."""
    out: dict[str, Any] = dict(node.children)
    names, special = plan
    for name, how, extra in special:
        child = out.get(name)
        if child is None:
            continue
        if how == _INSIDE:
            out[name] = _plain(child, extra, ietf)
        elif how == _LEAF:
            out[name] = extra(child)
        elif how == _ENTRIES:
            out[name] = [_plain(entry, extra, ietf) for entry in child.entries.values()]
        elif how == _LEAF_LIST:
            out[name] = [extra(item) for item in child]
        elif how == _KEPT:
            out[name] = orjson.Fragment(_container(child, extra, ietf, False))
        else:
            entries = [_container(entry, extra, ietf, False) for entry in child.entries.values()]
            out[name] = orjson.Fragment(_array(entries))
    return {names.get(name, name): child for name, child in out.items()} if names else out


def _array(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"
