"""One operation of a gNMI Set → the edits of the tree that carry it out."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.decode import decode, decode_scalar
from twinplane.schema.resolve import Resolved, expand, resolve
from twinplane.schema.table import Names, NodeKind, SchemaNode, SchemaTable
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import Elem, Path


@dataclass(frozen=True, slots=True)
class JsonPayload:
    """The bytes of a `json_val` or (`ietf`) a `json_ietf_val`."""

    data: bytes
    ietf: bool = True


@dataclass(frozen=True, slots=True)
class ScalarPayload:
    """The value of a typed scalar: str, int, bool, bytes, float, Decimal, or a list or tuple of such."""

    value: object


Payload: TypeAlias = JsonPayload | ScalarPayload


def edits(
    table: SchemaTable, operation: Operation, path: Path, payload: Payload | None = None, *, index: int = 0
) -> tuple[Edit, ...]:
    """The edits, in order, that one operation stands for; `index` is its place in the request.

    A DELETE takes wildcards and no payload; it spares the leaves that repeat a list key where the entry
    itself stays. Setting a node of a choice first deletes those of its other cases.

    Raises:
        RequestError: whatever `resolve`, `expand` and `decode` raise; READ_ONLY for a config-false node;
            CONSTRAINT for the deletion of a key.
    """
    if operation is Operation.DELETE:
        return _deletes(table, path, index)
    target = resolve(table, path, write=True, operation=index)
    node = target.node
    if not node.config:
        raise RequestError(_read_only(path, node, index))
    if payload is None:
        raise RequestError(Violation(path, Fault.VALUE, "the update has no value", operation=index))
    value: Node
    match payload:
        case JsonPayload(data):
            value = decode(table, target, data, replace=operation is Operation.REPLACE, index=index)
        case ScalarPayload(scalar):
            value = decode_scalar(table, target, scalar, index=index)
    cleared = [Edit(Operation.DELETE, rival, index=index) for rival in _rivals(table, target, value)]
    if value == ():
        # a leaf-list without members does not exist (RFC 7950 section 7.7)
        empty = Edit(Operation.DELETE, target.path, index=index)
        return (*cleared, empty) if operation is Operation.REPLACE else tuple(cleared)
    return (*cleared, Edit(operation, target.path, value, target.entries, index))


def _deletes(table: SchemaTable, path: Path, index: int) -> tuple[Edit, ...]:
    targets = expand(table, path, operation=index)
    named = len(targets) == 1
    found: list[Edit] = []
    for target in targets:
        kept = _kept(table, target.node)
        if named and not target.node.config:
            raise RequestError(_read_only(path, target.node, index))
        if named and target.node.path in kept:
            constraint = "a list entry keeps its key for as long as it exists"
            violation = Violation(path, Fault.CONSTRAINT, constraint, "delete the entry", index)
            raise RequestError(violation)
        found.extend(
            Edit(Operation.DELETE, spared, index=index) for spared in _spare(target.node, target.path, kept)
        )
    return tuple(found)


def _spare(node: SchemaNode, path: Path, kept: frozenset[Names]) -> Iterator[Path]:
    """The paths whose deletion empties a node and leaves the keys of the entries it lies in."""
    if not node.config or node.path in kept:
        return
    if not any(names[: len(node.path)] == node.path for names in kept):
        yield path
        return
    for child in node.children.values():
        if child.supported:
            yield from _spare(child, path.child(child.name), kept)


def _kept(table: SchemaTable, node: SchemaNode) -> frozenset[Names]:
    """The key leaves, and what mirrors them, of all list entries that `node` lies in."""
    kept: set[Names] = set()
    for depth in range(1, len(node.path)):
        above = table.find(node.path[:depth])
        if above is not None and above.kind is NodeKind.LIST:
            kept.update((*above.path, key) for key in above.keys)
            kept.update(above.path + mirror for mirror in above.mirrors if mirror)
    return frozenset(kept)


def _rivals(table: SchemaTable, target: Resolved, value: Node) -> Iterator[Path]:
    """The nodes that vanish because others of their choice are set: along the path and in the payload."""
    for depth, rival in _rivals_above(table, target.node):
        yield Path((*target.path.elems[:depth], Elem(rival)), target.path.origin)
    yield from _rivals_below(target.node, target.path, value)


@functools.cache
def _rivals_above(table: SchemaTable, node: SchemaNode) -> tuple[tuple[int, str], ...]:
    """The rivals of a node and of what it lies in: the depth of their parent, and their names."""
    line = [table.find(node.path[:depth]) for depth in range(1, len(node.path) + 1)]
    return tuple(
        (depth, rival) for depth, above in enumerate(line) if above is not None for rival in above.rivals
    )


def _rivals_below(node: SchemaNode, path: Path, value: Node) -> Iterator[Path]:
    if not _has_choice(node):
        return
    if isinstance(value, Entries):
        for key, entry in value.entries.items():
            place = Elem(node.name, tuple(zip(node.keys, key, strict=True)))
            yield from _rivals_below(node, Path((*path.elems[:-1], place), path.origin), entry)
    elif isinstance(value, Container):
        for name, child in value.children.items():
            yield from (path.child(rival) for rival in node.children[name].rivals)
            yield from _rivals_below(node.children[name], path.child(name), child)


@functools.cache
def _has_choice(node: SchemaNode) -> bool:
    return any(child.rivals or _has_choice(child) for child in node.children.values())


def _read_only(path: Path, node: SchemaNode, index: int) -> Violation:
    return Violation(path, Fault.READ_ONLY, f"{node.name!r} is state and cannot be written", operation=index)
