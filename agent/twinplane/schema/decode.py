"""JSON, JSON_IETF and scalars of a write → typed nodes, judged by the schema as they are read.

Every violation in a payload is found before any is raised. What spans nodes (mandatory, must, unique) is not
judged here: it concerns the result, not the payload.
"""

import json
import re
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from twinplane.errors import MOST_VIOLATIONS, Fault, RequestError, Violation
from twinplane.schema.annotation import without
from twinplane.schema.codec import shown
from twinplane.schema.resolve import Resolved, new_entry
from twinplane.schema.scalar import codec_of, key_text
from twinplane.schema.table import Names, NodeKind, SchemaNode, SchemaTable
from twinplane.tree.node import Container, Entries, Key, Leaf, Node, Scalar
from twinplane_wire.path import Elem, Path

# Larger than any configuration of a box; a guard for callers that have no limit of their own.
MAX_PAYLOAD = 64 * 2**20

_Where = tuple[Elem, ...]

_EVERY = "*"

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def decode(
    table: SchemaTable,
    target: Resolved,
    data: bytes,
    *,
    replace: bool = False,
    index: int | None = None,
    writable: bool = True,
    limit: int = MAX_PAYLOAD,
) -> Node:
    """The node that a JSON or JSON_IETF payload describes for a resolved path; both forms are understood at
    once, since they cannot be mistaken for each other.

    Keys missing in the payload are filled in from the path (or, in an array, from each other). With `replace`
    an empty object for a list entry is refused (gNMI 3.4.4). `writable` False reads state as well.

    Raises:
        RequestError: VALUE, READ_ONLY, CONSTRAINT (two cases of a choice) or TOO_LARGE; all that were found.
    """
    reader = _Reader(table, target.path.origin, index, writable)
    if len(data) > limit:
        raise RequestError(
            Violation(
                target.path, Fault.TOO_LARGE, f"the payload has {len(data)} bytes, the limit is {limit}"
            )
        )
    try:
        value = _JSON.decode(data.decode())
        if _SURROGATE.search(data):
            orjson.loads(
                data
            )  # unlike json it refuses halves of characters, which no answer could name (RFC 7493)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        violation = Violation(target.path, Fault.VALUE, f"the payload is no JSON: {reason}", operation=index)
        raise RequestError(violation) from None
    try:
        decoded = _read(reader, target, value, replace=replace)
    except _EnoughError:
        decoded = None
    return reader.finish(decoded if not reader.violations else None, target)


def _read(reader: "_Reader", target: Resolved, value: Any, *, replace: bool) -> Node | None:
    node = target.node
    decoded: Node | None = None
    if replace and value == {} and node.kind is NodeKind.LIST and target.path.elems[-1].keys:
        reader.refuse(target.path.elems, "an empty object replaces nothing", "delete the entry instead")
    elif node.kind is NodeKind.LIST and not target.path.elems[-1].keys:
        decoded = reader.entries(node, value, target.path.elems)
    elif node.is_leaf:
        decoded = reader.leaf(node, value, target.path.elems[:-1])
    else:
        if not target.path.elems and isinstance(value, dict):
            value = without(value)  # an annotation is no data
        decoded = reader.container(node, value, target.path.elems)
    return decoded


def decode_scalar(table: SchemaTable, target: Resolved, value: object, *, index: int | None = None) -> Node:
    """The leaf that a PROTO scalar sets; a leaf-list takes a list or tuple of scalars.

    Raises:
        RequestError: VALUE.
    """
    reader = _Reader(table, target.path.origin, index, True)
    node, where = target.node, target.path.elems[:-1]
    decoded: Node | None = None
    if not node.is_leaf:
        reader.refuse(
            target.path.elems, f"a scalar cannot be the value of a {node.kind.value}", "send JSON_IETF"
        )
    elif node.kind is NodeKind.LEAF_LIST:
        if isinstance(value, list | tuple):
            with suppress(_EnoughError):
                decoded = reader.members(node, value, where, "parse_proto")
        else:
            reader.refuse(target.path.elems, f"must be a list of values, not {shown(value)}")
    else:
        decoded = reader.scalar(node, value, where, "parse_proto")
    return reader.finish(decoded, target)


class _EnoughError(Exception):
    """More is wrong than is told."""


class _Reader:
    """Reads one payload and gathers what is wrong with it."""

    def __init__(self, table: SchemaTable, origin: str, index: int | None, writable: bool) -> None:
        self.table = table
        self.origin = origin
        self.index = index
        self.writable = writable
        self.violations: list[Violation] = []

    def refuse(self, where: _Where, constraint: str, remedy: str = "", fault: Fault = Fault.VALUE) -> None:
        self.violations.append(Violation(Path(where, self.origin), fault, constraint, remedy, self.index))
        if len(self.violations) > MOST_VIOLATIONS:
            raise _EnoughError

    def finish(self, decoded: Node | None, target: Resolved) -> Node:
        """The node, completed and compared with the keys in the path."""
        if decoded is not None:
            names = tuple(elem.name for elem in target.path.elems)
            keyed = [place for place, elem in enumerate(target.path.elems, 1) if elem.keys]
            for place, entry in zip(keyed, target.entries, strict=True):
                expected = _below(entry, names[place:])
                if expected is not None:
                    decoded = self.agree(decoded, expected, target.path.elems)
        if self.violations or decoded is None:
            raise RequestError(*sorted(self.violations, key=lambda violation: violation.path))
        return decoded

    def agree(self, given: Node, expected: Node, where: _Where) -> Node:
        """`given` with what it lacks of `expected`; a leaf that says something else is refused."""
        if isinstance(expected, Container) and isinstance(given, Container):
            missing: dict[str, Node] = {}
            for name, wanted in expected.children.items():
                present = given.children.get(name)
                if present is None:
                    missing[name] = wanted
                elif (agreed := self.agree(present, wanted, (*where, Elem(name)))) is not present:
                    missing[name] = agreed
            # keys first: whoever reads the text finds them where the schema has them
            first = {name: given.children.get(name, wanted) for name, wanted in expected.children.items()}
            return Container({**first, **given.children, **missing}) if missing else given
        if given != expected:
            self.refuse(where, f"is {shown(given)}, but the key of the entry is {shown(expected)}")
        return given

    def container(self, node: SchemaNode, value: Any, where: _Where) -> Container | None:
        if not isinstance(value, dict):
            self._not("an object", node, value, where)
            return None
        children: dict[str, Node] = {}
        for name, item in value.items():
            child = self._member(node, name, where)
            if child is None:
                continue
            if child.name in children:
                self.refuse((*where, Elem(child.name)), "occurs twice")
            decoded: Node | None
            if child.is_leaf:
                decoded = self.leaf(child, item, where)
            elif child.kind is NodeKind.LIST:
                decoded = self.entries(child, item, (*where, Elem(child.name)))
            else:
                decoded = self.container(child, item, (*where, Elem(child.name)))
            # an empty list or leaf-list is the same as none (RFC 7950 section 7.7.2)
            if (
                decoded is not None
                and decoded != ()
                and not (isinstance(decoded, Entries) and not decoded.entries)
            ):
                children[child.name] = decoded
        for name in children:
            for rival in node.children[name].rivals:
                if rival in children and rival > name:
                    constraint = f"{name!r} and {rival!r} exclude each other"
                    self.refuse((*where, Elem(name)), constraint, "send one of them", Fault.CONSTRAINT)
        return Container(children)

    def entries(self, node: SchemaNode, value: Any, where: _Where) -> Entries | None:
        if not isinstance(value, list):
            self._not("an array of entries", node, value, where)
            return None
        found: dict[Key, Container] = {}
        for position, item in enumerate(value):
            before = len(self.violations)
            try:
                entry = self.container(node, item, where)
            finally:
                if len(self.violations) > before and isinstance(item, dict):
                    self._name_entry(node, item, where, before)
            if entry is None:
                continue
            if not node.keys:
                found[(str(position),)] = entry
                continue
            values = self._key_values(node, entry, where, position)
            if values is None:
                continue
            key = tuple(key_text(node.children[name], values[name]) for name in node.keys)
            place = (*where[:-1], Elem(node.name, tuple(zip(node.keys, key, strict=True))))
            if key in found:
                self.refuse(place, "the entry occurs twice")
            if _EVERY in key:
                self.refuse(place, f"{_EVERY!r} is no key: in a path it stands for every entry")
            agreed = self.agree(entry, new_entry(node, dict(values)), place)
            if isinstance(agreed, Container):
                found[key] = agreed
        return Entries(node.keys, found, node.user_ordered)

    def _name_entry(self, node: SchemaNode, item: dict[str, Any], where: _Where, before: int) -> None:
        """Put the entry's keys, as far as they can be told, into the paths of what is wrong in it."""
        known: list[tuple[str, str]] = []
        for name, mirror in zip(node.keys, node.mirrors, strict=True):
            value = _sent(item, (name,))
            if value is None and mirror:
                value = _sent(item, mirror)
            if not isinstance(value, str | int) or isinstance(value, bool):
                return
            known.append((name, str(value)))
        depth = len(where)
        place = (*where[:-1], Elem(node.name, tuple(known)))
        self.violations[before:] = [
            replace(each, path=Path((*place, *each.path.elems[depth:]), self.origin))
            for each in self.violations[before:]
        ]

    def _key_values(
        self, node: SchemaNode, entry: Container, where: _Where, position: int
    ) -> dict[str, Scalar] | None:
        values: dict[str, Scalar] = {}
        for name, mirror in zip(node.keys, node.mirrors, strict=True):
            value = entry.children.get(name)
            if value is None and mirror:
                value = _below(entry, mirror)
            if value is None or isinstance(value, Container | Entries | tuple):
                if not self.violations:
                    self.refuse(where, f"entry {position + 1} of the array has no key {name!r}")
                return None
            values[name] = value
        return values

    def leaf(self, node: SchemaNode, value: Any, where: _Where) -> Leaf | None:
        if node.kind is NodeKind.LEAF:
            return self.scalar(node, value, where, "parse_json")
        if not isinstance(value, list):
            self._not("an array of values", node, value, (*where, Elem(node.name)))
            return None
        return self.members(node, value, where, "parse_json")

    def scalar(self, node: SchemaNode, value: Any, where: _Where, read: str) -> Scalar | None:
        if value is None:
            self.refuse((*where, Elem(node.name)), "null is no value", "delete the leaf instead")
            return None
        try:
            return getattr(codec_of(node), read)(value)  # type: ignore[no-any-return]
        except ValueError as error:
            self.refuse((*where, Elem(node.name)), str(error))
            return None

    def members(self, node: SchemaNode, values: Any, where: _Where, read: str) -> tuple[Scalar, ...]:
        decoded = tuple(
            member for value in values if (member := self.scalar(node, value, where, read)) is not None
        )
        if node.config and len({(type(member), member) for member in decoded}) < len(decoded):
            self.refuse((*where, Elem(node.name)), "a value occurs twice")  # RFC 7950 section 7.7
        return decoded

    def _member(self, node: SchemaNode, name: str, where: _Where) -> SchemaNode | None:
        child = node.children.get(name)
        if child is None and ":" in name:
            module, _, bare = name.partition(":")
            child = node.children.get(bare)
            if child is not None and not self.table.is_module(module, child.module):
                child = None
        if child is None:
            below = f"{node.name!r}" if node.name else "the top level"
            self.refuse((*where, Elem(name)), f"there is no {name!r} below {below}")
        elif not child.supported:
            self.refuse((*where, Elem(name)), "is not implemented on this host", fault=Fault.NOT_SERVED)
        elif not child.config and self.writable:
            self.refuse(
                (*where, Elem(child.name)), "is state and cannot be written", "leave it out", Fault.READ_ONLY
            )
        else:
            return child
        return None

    def _not(self, expected: str, node: SchemaNode, value: Any, where: _Where) -> None:
        remedy = "delete the node instead" if value is None else ""
        what = f"{node.kind.value} {node.name!r}" if node.name else "the top level"
        self.refuse(where, f"{what} must be {expected}, not {shown(value)}", remedy)


def _sent(value: Any, names: Names) -> Any:
    """What a JSON object holds at these names, with or without the names of their modules; None: nothing."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = next((held for key, held in value.items() if key.rpartition(":")[2] == name), None)
    return value


def _below(node: Node, names: Names) -> Node | None:
    for name in names:
        found = node.children.get(name) if isinstance(node, Container) else None
        if found is None:
            return None
        node = found
    return node


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {shown(twice)} occurs twice in one object")
    return members


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {shown(text)} has too large an exponent") from None


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
