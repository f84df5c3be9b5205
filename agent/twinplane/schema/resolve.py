"""Paths against the schema: bare names, canonical keys in schema order, and the node they lead to."""

from collections.abc import Iterator
from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.scalar import codec_of, key_text
from twinplane.schema.table import NodeKind, SchemaNode, SchemaTable
from twinplane.tree.node import Container, Leaf, Node
from twinplane_wire.path import Elem, Path

_WILD_NAMES = ("*", "...")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that the schema knows, and its node.

    `path` has bare names and canonical keys in schema order; a key that may have any value is left out, as
    is the origin when it is the default one. `entries` holds, for each list element with all keys, from left
    to right, the entry as it looks when a write has to create it: keys and what mirrors them.
    """

    path: Path
    node: SchemaNode
    entries: tuple[Container, ...] = ()


def resolve(table: SchemaTable, path: Path, *, write: bool, operation: int | None = None) -> Resolved:
    """Resolve a path without wildcard names.

    With `write` (update and replace) all keys have to be there, except of a list that is named last and takes
    an array; without (reads and deletes) keys may be ``*`` or absent.

    Raises:
        RequestError: SYNTAX, VALUE (key text), UNKNOWN_PATH or with `write` UNKNOWN_TARGET, NOT_SERVED; the
            violation names the element.
    """
    node = table.root
    elems: list[Elem] = []
    entries: list[Container] = []
    last = len(path.elems) - 1
    for position, elem in enumerate(path.elems):
        child = _child(table, node, elem.name)
        if child is None:
            raise _unknown(path, position, node, write, operation)
        node = child
        if not node.supported:
            constraint = f"{node.name!r} is not implemented on this host"
            raise _refusal(path, position, Fault.NOT_SERVED, constraint, operation)
        if node.kind is NodeKind.LIST:
            resolved, entry = _keys(node, elem, path, position, write, operation, position == last)
            elems.append(resolved)
            if entry is not None:
                entries.append(entry)
        else:
            if elem.keys:
                constraint = f"{node.name!r} is a {node.kind.value} and has no keys"
                raise _refusal(path, position, Fault.SYNTAX, constraint, operation)
            elems.append(Elem(node.name))
    return Resolved(Path(tuple(elems), _origin(table, path)), node, tuple(entries))


def expand(table: SchemaTable, path: Path, *, operation: int | None = None) -> tuple[Resolved, ...]:
    """Resolve a path of a read or delete in which names may be ``*`` (one level) or ``...`` (any number).

    Keys after ``*`` select the lists that have them and can hold what they say; ``...`` takes none.

    The answer has one element for each schema node that matches and lies below no other match; its path has
    no wildcard names. A path without wildcard names gives exactly one.

    Raises:
        RequestError: as `resolve`; also UNKNOWN_PATH when no schema node matches.
    """
    if not any(elem.name in _WILD_NAMES for elem in path.elems):
        return (resolve(table, path, write=False, operation=operation),)
    for position, elem in enumerate(path.elems):
        if elem.name == "..." and elem.keys:
            constraint = "'...' is any number of levels and has no keys"
            raise _refusal(path, position, Fault.SYNTAX, constraint, operation)
    found: dict[Path, Resolved] = {}
    pattern = tuple(
        elem
        for elem, before in zip(path.elems, (None, *path.elems), strict=False)
        if not (elem.name == "..." and before == elem)  # two in a row are one
    )
    refused: RequestError | None = None
    for candidate in _candidates(table, table.root, pattern, (), set()):
        try:
            resolved = resolve(table, Path(candidate, path.origin), write=False, operation=operation)
        except RequestError as error:  # no match, as long as another one is
            refused = refused or error
        else:
            found.setdefault(resolved.path, resolved)
    if not found:
        if refused is not None:
            raise refused
        violation = Violation(path, Fault.UNKNOWN_PATH, "no node of the schema matches", operation=operation)
        raise RequestError(violation)
    covering: list[Resolved] = []
    for candidate_path in sorted(found, key=lambda item: len(item.elems)):
        if not any(other.path.is_prefix_of(candidate_path) for other in covering):
            covering.append(found[candidate_path])
    order = {known: position for position, known in enumerate(found)}
    return tuple(sorted(covering, key=lambda item: order[item.path]))


def with_stars(table: SchemaTable, path: Path) -> Path:
    """A resolved path in which each list element that has some of its keys has ``*`` for the others."""
    elems: list[Elem] = []
    names: tuple[str, ...] = ()
    for elem in path.elems:
        names = (*names, elem.name)
        node = table.find(names)
        if node is not None and 0 < len(elem.keys) < len(node.keys):
            given = dict(elem.keys)
            elem = Elem(elem.name, tuple((name, given.get(name, "*")) for name in node.keys))
        elems.append(elem)
    return Path(tuple(elems), path.origin)


def _candidates(
    table: SchemaTable,
    node: SchemaNode,
    elems: tuple[Elem, ...],
    done: tuple[Elem, ...],
    seen: set[tuple[int, tuple[Elem, ...]]],
) -> Iterator[tuple[Elem, ...]]:
    """Paths without wildcard names that match, in schema order.

    `seen` holds the places from where the same rest was tried: the ways in which several ``...`` share the
    levels of a path are more than anyone can walk.
    """
    if not elems:
        yield done
        return
    place = (len(elems), done)
    if place in seen:
        return
    seen.add(place)
    elem, rest = elems[0], elems[1:]
    if elem.name == "...":
        yield from _candidates(table, node, rest, done, seen)
        for child in node.children.values():
            if child.supported:
                yield from _candidates(table, child, elems, (*done, Elem(child.name)), seen)
    elif elem.name == "*":
        for child in node.children.values():
            if child.supported and all(name in child.keys for name, _ in elem.keys):
                yield from _candidates(table, child, rest, (*done, Elem(child.name, elem.keys)), seen)
    elif (named := _child(table, node, elem.name)) is not None:
        yield from _candidates(table, named, rest, (*done, elem), seen)


def _child(table: SchemaTable, node: SchemaNode, name: str) -> SchemaNode | None:
    child = node.children.get(name)
    if child is None and ":" in name:
        module, _, bare = name.partition(":")
        child = node.children.get(bare)
        if child is not None and not table.is_module(module, child.module):
            return None
    return child


def _keys(
    node: SchemaNode, elem: Elem, path: Path, position: int, write: bool, operation: int | None, last: bool
) -> tuple[Elem, Container | None]:
    """The element with canonical keys, and the new entry where all keys are given."""
    given: dict[str, str] = {}
    for name, text in elem.keys:
        bare = name.rpartition(":")[2]
        if bare not in node.keys or bare in given:
            constraint = f"{name!r} is given twice" if bare in given else _no_key(node, name)
            raise _refusal(path, position, Fault.SYNTAX, constraint, operation)
        given[bare] = text
    keys: list[tuple[str, str]] = []
    values: list[tuple[str, Leaf]] = []
    for name in node.keys:
        written = given.get(name)
        if written is None or (written == "*" and not write):
            continue
        if written == "*":
            constraint = f"key {name!r} is a wildcard, which a write cannot have"
            raise _refusal(path, position, Fault.SYNTAX, constraint, operation)
        leaf = node.children[name]
        try:
            value = codec_of(leaf).parse_text(written)
        except ValueError as error:
            raise _refusal(path, position, Fault.VALUE, f"key {name!r}: {error}", operation) from None
        keys.append((name, key_text(leaf, value)))
        values.append((name, value))
    complete = len(keys) == len(node.keys)
    if write and not complete and (keys or not last):
        missing = ", ".join(repr(name) for name in node.keys if name not in given)
        constraint = f"the key {missing} of list {node.name!r} is missing"
        raise _refusal(path, position, Fault.SYNTAX, constraint, operation)
    entry = new_entry(node, dict(values)) if complete and keys else None
    return Elem(node.name, tuple(keys)), entry


def new_entry(node: SchemaNode, values: dict[str, Leaf]) -> Container:
    """An entry of a list as a write creates it: its key leaves, and the leaves that mirror them."""
    children: dict[str, Node] = {}
    nested: dict[str, dict[tuple[str, ...], Leaf]] = {}
    for name, mirror in zip(node.keys, node.mirrors, strict=True):
        children[name] = values[name]
        mirrored = node.children.get(mirror[0]) if mirror else None
        if mirrored is not None and mirrored.config is node.config:
            nested.setdefault(mirror[0], {})[mirror[1:]] = values[name]
    for first, leaves in nested.items():
        children[first] = _nest(leaves)
    return Container(children)


def _nest(leaves: dict[tuple[str, ...], Leaf]) -> Node:
    if () in leaves:
        return leaves[()]
    below: dict[str, dict[tuple[str, ...], Leaf]] = {}
    for names, value in leaves.items():
        below.setdefault(names[0], {})[names[1:]] = value
    return Container({name: _nest(rest) for name, rest in below.items()})


def _origin(table: SchemaTable, path: Path) -> str:
    return "" if path.origin in ("", "openconfig") else table.origin


def _no_key(node: SchemaNode, name: str) -> str:
    keys = ", ".join(node.keys)
    return f"list {node.name!r} has no key {name!r}" + (
        f", its keys are {keys}" if keys else " and no keys at all"
    )


def _unknown(path: Path, position: int, node: SchemaNode, write: bool, operation: int | None) -> RequestError:
    name = path.elems[position].name
    if not name:
        return _refusal(path, position, Fault.SYNTAX, f"element {position + 1} has no name", operation)
    if name in _WILD_NAMES:
        return _refusal(path, position, Fault.SYNTAX, f"{name!r} is not allowed in a write", operation)
    where = f"{node.name!r}" if node.name else "the top level"
    constraint = f"there is no {name!r} below {where}"
    return _refusal(
        path, position, Fault.UNKNOWN_TARGET if write else Fault.UNKNOWN_PATH, constraint, operation
    )


def _refusal(path: Path, position: int, fault: Fault, constraint: str, operation: int | None) -> RequestError:
    return RequestError(
        Violation(Path(path.elems[: position + 1], path.origin), fault, constraint, "", operation)
    )
