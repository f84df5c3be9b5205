"""Edits: what a write does to a tree. The one edit type of both northbound faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from twinplane.errors import MOST_VIOLATIONS, Fault, RequestError, Violation
from twinplane.tree.draft import Draft, SchemaPath
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import entry_key, get, is_concrete, select
from twinplane_wire.path import Elem, Path


class Operation(Enum):
    """What an edit does at its path (gNMI 3.4; the config service adds RFC 8072 operations)."""

    DELETE = "delete"
    REPLACE = "replace"
    UPDATE = "update"


class Presence(Enum):
    """What has to be at the path of an edit before it (RFC 8072: create and delete)."""

    ABSENT = "absent"
    PRESENT = "present"


class Where(Enum):
    """A place in a list whose order is the user's (RFC 7950 section 7.8.6)."""

    FIRST = "first"
    LAST = "last"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Place:
    """Where to; `point` is the path of the entry that BEFORE and AFTER speak of."""

    where: Where
    point: Path | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One operation on one path, resolved against the schema.

    `path` has bare names and canonical keys in schema order; only a DELETE may hold wildcards or leave keys
    out. `value` is None for DELETE, else the decoded payload (`Container` for a container or one entry,
    `Entries` for a list addressed without keys, a leaf otherwise). `entries` holds, for each keyed element of
    the path from left to right, the entry as it looks when the edit has to create it (key leaves and what
    mirrors them). `index` is the operation's place in its request, in application order. `needs` is what the
    edit is refused without, at its path or, where that is but a part of what was asked for, at `whole`;
    `place` is where the entry of a user-ordered list is put once the edit is done.
    """

    operation: Operation
    path: Path
    value: Node | None = None
    entries: tuple[Container, ...] = ()
    index: int = 0
    needs: Presence | None = None
    place: Place | None = None
    whole: Path | None = None


def apply(
    root: Container,
    edits: Sequence[Edit],
    *,
    union_leaf_lists: bool = True,
    presence: frozenset[SchemaPath] = frozenset(),
    ordered: frozenset[SchemaPath] = frozenset(),
) -> Container:
    """The tree after the edits, in the order given (the caller sorted delete, replace, update: gNMI 3.4).

    Update merges and removes nothing; replace puts its payload in the place of what is there; delete expands
    wildcards and keys left out, and of what is not there nothing is deleted (gNMI 3.4.4 to 3.4.6). With
    `union_leaf_lists` an update of a leaf-list adds the values that are missing, else it overwrites, as it
    always does where the order is the user's: `ordered` names such lists and leaf-lists by schema path. Empty
    containers (but those named in `presence`) and lists are not kept. Untouched subtrees stay the same
    objects; where nothing differs, the very root is returned.

    Raises:
        RequestError: DATA_EXISTS or NO_DATA, what an edit needs is not so; VALUE, its point is not there; all
            that were found, as if the edits refused had not been there.
    """
    draft = Draft(root, presence, ordered)
    merge = _Merge(union_leaf_lists, ordered)
    refused: list[Violation] = []
    for edit in edits:
        try:
            _apply(draft, edit, merge, presence)
        except RequestError as error:
            refused += error.violations
            if len(refused) > MOST_VIOLATIONS:
                break
    if refused:
        raise RequestError(*refused)
    return draft.freeze()


def _apply(draft: Draft, edit: Edit, merge: "_Merge", presence: frozenset[SchemaPath]) -> None:
    if edit.needs is not None:
        _check(draft.root, edit)
    if edit.operation is Operation.DELETE:
        for path in _targets(draft.root, edit.path):
            draft.remove(path)
        return
    value = _payload(edit)
    names = tuple(elem.name for elem in edit.path.elems)
    if edit.operation is Operation.UPDATE:
        value = merge(get(draft.root, edit.path), value, names)
    kept = _without_empty(value, names, presence, top=bool(edit.path.elems and edit.path.elems[-1].keys))
    if kept is not None:
        draft.put(edit.path, kept, edit.entries)
    elif edit.operation is Operation.REPLACE:
        draft.remove(edit.path)
    if edit.place is not None:
        listed = _list_of(edit.path)
        draft.put(listed, _moved(draft.root, listed, edit, edit.place))


def _check(root: Container, edit: Edit) -> None:
    where = edit.whole or edit.path
    there = next((found for path in _targets(root, where) if (found := get(root, path)) is not None), None)
    if edit.needs is Presence.ABSENT and there is not None:
        raise _refused(edit, Fault.DATA_EXISTS, "exists already", "replace or merge it")
    if edit.needs is Presence.PRESENT and there is None:
        raise RequestError(Violation(where, Fault.NO_DATA, "does not exist", operation=edit.index))


def _moved(root: Container, listed: Path, edit: Edit, place: Place) -> Entries:
    """The list with the entry of the edit at its place."""
    node = get(root, listed)
    assert isinstance(node, Entries)
    key = entry_key(node.key_names, edit.path.elems[-1].keys)
    others = [known for known in node.entries if known != key]
    position = 0 if place.where is Where.FIRST else len(others)
    if place.where in (Where.BEFORE, Where.AFTER):
        near = place.point if place.point is not None and place.point.elems else None
        point = None if near is None else entry_key(node.key_names, near.elems[-1].keys)
        if near is None or _list_of(near) != listed or point not in others:
            # RFC 7950 section 15.7
            raise _refused(
                edit, Fault.VALUE, f"the point {place.point} is not in the list", tag="missing-instance"
            )
        position = others.index(point) + (place.where is Where.AFTER)
    others.insert(position, key)
    return Entries(node.key_names, {known: node.entries[known] for known in others}, node.ordered)


def _list_of(entry: Path) -> Path:
    return Path((*entry.elems[:-1], Elem(entry.elems[-1].name)), entry.origin)


def _refused(edit: Edit, fault: Fault, text: str, remedy: str = "", tag: str = "") -> RequestError:
    return RequestError(Violation(edit.path, fault, text, remedy, edit.index, tag))


def _targets(root: Container, path: Path) -> list[Path]:
    if is_concrete(root, path):
        return [path]
    return [found for found, _ in select(root, path)]


def _payload(edit: Edit) -> Node:
    """What the edit puts at its path; an entry holds its keys whether or not the payload repeats them."""
    value = Container() if edit.value is None else edit.value
    keyed = [elem for elem in edit.path.elems if elem.keys]
    if keyed and edit.path.elems[-1].keys and len(edit.entries) == len(keyed):
        return _Merge()(edit.entries[-1], value, ())
    return value


@dataclass(frozen=True, slots=True)
class _Merge:
    """Brings a payload into what is there and removes nothing."""

    union_leaf_lists: bool = False
    ordered: frozenset[SchemaPath] = frozenset()

    def __call__(self, old: Node | None, new: Node, names: SchemaPath) -> Node:
        if isinstance(old, Container) and isinstance(new, Container):
            children = dict(old.children)
            for name, child in new.children.items():
                children[name] = self(children.get(name), child, (*names, name))
            return Container(children)
        if isinstance(old, Entries) and isinstance(new, Entries):
            entries = dict(old.entries)
            for key, entry in new.entries.items():
                before = entries.get(key)
                merged = entry if before is None else self(before, entry, names)
                entries[key] = merged if isinstance(merged, Container) else entry
            return Entries(old.key_names, entries, old.ordered)
        if self.union_leaf_lists and isinstance(old, tuple) and isinstance(new, tuple):
            if names in self.ordered:
                return new
            have = {(type(value), value) for value in old}
            return old + tuple(value for value in new if (type(value), value) not in have)
        return new


def _without_empty(
    node: Node, names: SchemaPath, presence: frozenset[SchemaPath], *, top: bool = False
) -> Node | None:
    """The node without empty containers and lists inside, the same object where there are none; None where
    nothing is left (an entry always stays: `top`)."""
    if isinstance(node, Container):
        children = {
            name: kept
            for name, child in node.children.items()
            if (kept := _without_empty(child, (*names, name), presence)) is not None
        }
        if not children and not top and names not in presence:
            return None
        unchanged = len(children) == len(node.children) and all(
            node.children[name] is child for name, child in children.items()
        )
        return node if unchanged else Container(children)
    if isinstance(node, Entries):
        entries = {
            key: kept
            for key, entry in node.entries.items()
            if isinstance(kept := _without_empty(entry, names, presence, top=True), Container)
        }
        if not entries:
            return None
        if all(node.entries[key] is entry for key, entry in entries.items()):
            return node
        return Entries(node.key_names, entries, node.ordered)
    return None if node == () else node
