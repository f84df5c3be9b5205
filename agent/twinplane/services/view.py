"""What a caller sees of trees: what rules let them read, and of secrets what they may write.

What is not seen is left out as if it were not there (RFC 8341 section 3.2.4). A tree in which nothing is
hidden is the very same tree; what of a node is seen is kept with the node, so that reading again costs what
has changed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from twinplane.errors import ApplyError, DegradedError, Fault, RequestError, Violation
from twinplane.identity.role import Access
from twinplane.identity.rule import ANY, EVERY_ORIGIN, Rule, Standing
from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.schema.table import Names, SchemaNode, SchemaTable
from twinplane.services.auth import Caller
from twinplane.services.rules import resolved
from twinplane.state.change import Change, Part
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import Forest
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane.tree.query import get
from twinplane_wire.path import Elem, Path, PathSyntaxError, parse

_SEEN = "seen"  # memo of a container or list: by view, where it stood and what is seen of it
_ALARM = ("system", "alarms", "alarm")
_KEYS = r"(?:\[[\w.:-]+=(?:\\.|[^\]\\])*\])"
_NAME = r"[A-Za-z_][\w-]*(?:[.:][\w-]+)*"
_PATHS = re.compile(rf"(?<![\w/\]])(?:[A-Za-z][\w-]*:)?(?:/{_NAME}{_KEYS}*)+")
ANOTHER = "another object that you may not read"
_NOT_SHOWN = "what it says may concern what you may not read, and is not shown to you"
_SOMETHING = "something that is not shown to you"
KEPT = 8
"""How many views of one node are remembered: each user may have rules of their own."""


class View:
    """What callers with the same rules see. Two views are equal only if they are the same one."""

    def __init__(self, schemas: Schemas, rules: tuple[Rule, ...]) -> None:
        self._schemas = schemas
        self._rules = rules
        self.hides = any(rule.access is Access.NONE for rule in rules)
        """Whether more than secrets is kept from the callers."""

    def reaches(self, path: Path) -> bool:
        """Whether the node at a concrete path is seen where it is there, or something below it."""
        standing = Standing.at(self._rules, path)
        if standing.access is not Access.READ:
            return standing.reaches
        return not is_secret(self._schemas, path)

    def nearest(self, path: Path) -> Path:
        """The longest part of a path that names nothing unseen."""
        standing = Standing.at_root(self._rules, path.origin)
        for depth, elem in enumerate(path.elems):
            standing = standing.below(elem)
            if not standing.reaches:
                return Path(path.elems[:depth], path.origin)
        return path if self.reaches(path) else Path(path.elems[:-1], path.origin)

    def text(self, text: str) -> str:
        """A text in which no path stands that is unseen. Messages name objects by their paths."""
        if not self.hides:
            return text
        return _PATHS.sub(lambda found: found[0] if self._may_name(found[0]) else ANOTHER, text)

    def part(self, path: Path, node: Node | None, root: Container) -> Node | None:
        """What is seen of the node at a concrete path of a tree; None where that is nothing."""
        depth = len(_ALARM)
        if node is not None and self.hides and _names(path)[:depth] == _ALARM and path.elems[depth - 1].keys:
            row = get(root, Path(path.elems[:depth]))
            seen = self._alarm(row) if isinstance(row, Container) else None
            node = None if seen is None else get(seen, Path(path.elems[depth:]))
        return None if node is None else self._part(path, node)

    def _part(self, path: Path, node: Node) -> Node | None:
        table = self._schemas.table(path.origin)
        standing = Standing.at(self._rules, path)
        schema = table.at(path)
        if path.elems and not schema.is_leaf and not path.elems[-1].keys and isinstance(node, Entries):
            standing = Standing.at(self._rules, Path(path.elems[:-1], path.origin))
            return self._entries(node, schema, standing, table)
        return self._of(node, schema, standing, table)

    def tree(self, origin: str, root: Container) -> Container:
        """What is seen of the tree of one origin."""
        found = self._part(Path((), origin), root)
        return found if isinstance(found, Container) else Container()

    def forest(self, forest: Forest) -> Forest:
        """What is seen of the trees of all origins."""
        trees = {origin: self.tree(origin, root) for origin, root in forest.trees.items()}
        return Forest(trees, forest.annotation if self.reaches_all else "")

    @property
    def reaches_all(self) -> bool:
        """Whether the root of the default origin is seen, and with it the text that clients keep there."""
        return Standing.at_root(self._rules, "").access is not Access.NONE

    def objects(self, changes: Iterable[ObjectChange]) -> Iterator[ObjectChange]:
        """What is seen of objects that differ."""
        for one in changes:
            before, after = (
                None if node is None else self._part(one.path, node) for node in (one.before, one.after)
            )
            if before is not None or after is not None:
                yield ObjectChange(
                    one.path,
                    before if isinstance(before, Container) else None,
                    after if isinstance(after, Container) else None,
                )

    def change(self, change: Change, root: Container) -> Change | None:
        """What is seen of what a pass changed, which led to the tree `root`; None where that is nothing. Of
        what is deleted that is seen of which something was."""
        table = self._schemas.table(change.object.origin)
        standing = Standing.at(self._rules, change.object)
        names = tuple(elem.name for elem in change.object.elems)
        if self._is_whole(standing, names, table):
            return change
        parts = [kept for part in change.parts if (kept := self._some(part, table, root)) is not None]
        before = None if change.before is None else self._part(change.object, change.before)
        depth = len(change.object.elems)
        deletes = [
            gone
            for gone in change.deletes
            if isinstance(before, Container) and get(before, Path(gone.elems[depth:])) is not None
        ]
        if not parts and not deletes:
            return None
        return Change(change.object, change.time, tuple(parts), tuple(deletes), before, atomic=change.atomic)

    def told(self, violation: Violation) -> Violation:
        """A violation without what is unseen. A refusal for want of rights names paths of its own choice."""
        if violation.fault is Fault.DENIED:
            return violation
        if self.reaches(violation.path):
            constraint, remedy = self.text(violation.constraint), self.text(violation.remedy)
            return replace(violation, constraint=constraint, remedy=remedy)
        hidden = "something that you may not read stands against it"
        return Violation(self.nearest(violation.path), violation.fault, hidden, operation=violation.operation)

    def failure(self, error: ApplyError) -> ApplyError:
        """What failed on the host without what is unseen."""
        if self.reaches(error.path):
            path, step, cause = error.path, self.text(error.step), self.text(error.cause)
            left = (_SOMETHING,) if error.left and self.hides else error.left  # it can be of any object
            if (step, cause, left) == (error.step, error.cause, error.left):
                return error
        else:
            path, step, cause = self.nearest(error.path), "a step", "what failed is not shown to you"
            left = (_SOMETHING,)
        told = ApplyError(path, step, cause, undone=error.undone, left=left)
        told.retry = error.retry
        return told

    def degraded(self, error: DegradedError) -> DegradedError:
        """What an undo left over without what is unseen; what it is can be of any object."""
        seen = tuple(path for path in error.objects if self.reaches(path))
        if not self.hides or (seen and seen == error.objects):
            return error
        return DegradedError((_SOMETHING,), seen)

    def _may_name(self, path: str) -> bool:
        try:
            named = parse(path.removeprefix(f"{DEFAULT_ORIGIN}:"))
            return Standing.at(self._rules, named).reaches
        except PathSyntaxError:
            return False

    def _alarm(self, row: Container) -> Container | None:
        """The row of an alarm without what its text says of what is unseen; None where it is about that. The
        text of an alarm of the whole host, whose name holds no path, may name anything."""
        state, name = row.children.get("state"), row.children.get("id")
        if not isinstance(state, Container):
            return row
        resource, text = state.children.get("resource"), state.children.get("text")
        if any(isinstance(one, str) and self.text(one) != one for one in (resource, name)):
            return None
        if not isinstance(text, str):
            return row
        told = self.text(text) if isinstance(name, str) and "/" in name else _NOT_SHOWN
        if told == text:
            return row
        return Container({**row.children, "state": Container({**state.children, "text": told})})

    def _is_whole(self, standing: Standing, names: Names, table: SchemaTable) -> bool:
        """Whether everything at and below a node is seen."""
        if standing.live or standing.access is Access.NONE:
            return False
        if self.hides and names == _ALARM[: len(names)]:
            return False
        return standing.access is Access.WRITE or names not in table.secrets

    def _some(self, part: Part, table: SchemaTable, root: Container) -> Part | None:
        standing, schema = Standing.at(self._rules, part.container), table.at(part.container)
        leaves = tuple(
            (name, value)
            for name, value in part.leaves
            if _is_seen(schema.children[name], standing.below(Elem(name)))
            or (name in schema.keys and standing.reaches)
        )
        if self.hides and schema.path[: len(_ALARM)] == _ALARM:
            now = self.part(part.container, get(root, part.container), root)
            there = now.children if isinstance(now, Container) else {}
            leaves = tuple(
                (name, value) for name, _ in leaves if (value := _leaf(there.get(name))) is not None
            )
        elif len(leaves) == len(part.leaves):
            return part
        return Part(part.container, leaves) if leaves else None

    def _of(self, node: Node, schema: SchemaNode, standing: Standing, table: SchemaTable) -> Node | None:
        if not isinstance(node, Container):
            return node if _is_seen(schema, standing) else None
        if self._is_whole(standing, schema.path, table):
            return node
        if not standing.reaches:
            return None
        seen = _memo(node)
        kept = seen.get(self)
        if kept is None or kept[0] is not schema or kept[1] != standing:
            _keep(seen, self, kept := (schema, standing, self._container(node, schema, standing, table)))
        return kept[2]

    def _container(
        self, node: Container, schema: SchemaNode, standing: Standing, table: SchemaTable
    ) -> Container | None:
        children: dict[str, Node] = {}
        for name, child in node.children.items():
            below = schema.children[name]
            part: Node | None
            if isinstance(child, Entries):
                part = self._entries(child, below, standing, table)
            else:
                part = self._of(child, below, standing.below(Elem(name)), table)
                if part is None and name in schema.keys:
                    part = child  # what is seen of an entry is seen with its key
            if part is not None:
                children[name] = part
        if len(children) == len(node.children) and all(
            node.children[name] is child for name, child in children.items()
        ):
            return node if children or standing.access is not Access.NONE else None
        return Container(children) if children or schema.presence else None

    def _entries(
        self, node: Entries, schema: SchemaNode, above: Standing, table: SchemaTable
    ) -> Entries | None:
        """What is seen of a list; `above` is what rules say of the container that holds it."""
        if not above.live:
            if self._is_whole(above, schema.path, table):
                return node
            if above.access is Access.NONE:
                return None
        seen = _memo(node)
        kept = seen.get(self)
        if kept is None or kept[0] is not schema or kept[1] != above:
            _keep(seen, self, kept := (schema, above, self._list(node, schema, above, table)))
        return kept[2]

    def _list(self, node: Entries, schema: SchemaNode, above: Standing, table: SchemaTable) -> Entries | None:
        entries: dict[tuple[str, ...], Container] = {}
        for key, entry in node.entries.items():
            there = above
            if above.live:
                keys = tuple(zip(node.key_names, key, strict=True)) if node.key_names else ()
                there = above.below(Elem(schema.name, keys))
            known = self._alarm(entry) if self.hides and schema.path == _ALARM else entry
            part = None if known is None else self._of(known, schema, there, table)
            if isinstance(part, Container):
                entries[key] = part
        if len(entries) == len(node.entries) and all(
            node.entries[key] is entry for key, entry in entries.items()
        ):
            return node
        return Entries(node.key_names, entries, node.ordered) if entries else None


class Views:
    """Views of callers, the same for all who have the same rules."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._made = lru_cache(maxsize=256)(self._make)

    def of(self, caller: Caller) -> View | None:
        """What one caller sees; None: everything, as nearly all do."""
        return self._made(caller.rules)

    def told(self, caller: Caller, error: Exception) -> Exception:
        """A failure as its caller may know it: without what they may not see, and without secret values."""
        view = self.of(caller)
        if isinstance(error, RequestError):
            found = [self._without_secret(one) for one in error.violations]
            if view is not None:
                found = [view.told(one) for one in found]
            return error if tuple(found) == error.violations else RequestError(*dict.fromkeys(found))
        if isinstance(error, ApplyError) and view is not None:
            return view.failure(error)
        if isinstance(error, DegradedError) and view is not None:
            return view.degraded(error)
        return error

    def _without_secret(self, violation: Violation) -> Violation:
        if violation.fault not in (Fault.VALUE, Fault.CONSTRAINT, Fault.REFERENCE):
            return violation
        if violation.constraint == _MISSING or not is_secret(self._schemas, violation.path):
            return violation
        return replace(violation, constraint=_NOT_VALID, remedy="see the type of the leaf")

    def _make(self, rules: tuple[Rule, ...]) -> View | None:
        mine = resolved(self._schemas, rules)
        if all(rule.access is not Access.NONE and not self._meets_secrets(rule) for rule in mine):
            return None
        return View(self._schemas, mine)

    def _meets_secrets(self, rule: Rule) -> bool:
        """Whether a rule takes secrets away from somebody."""
        return rule.access is Access.READ and any(
            _meet(tuple(elem.name for elem in rule.path.elems), secret)
            for origin, table in self._schemas.tables.items()
            if rule.path.origin in (EVERY_ORIGIN, "" if origin == DEFAULT_ORIGIN else origin)
            for secret in table.secrets
            if (node := table.find(secret)) is not None and node.is_secret
        )


_MISSING = "is mandatory and missing"
_NOT_VALID = "the value is not valid; it is not shown, as the leaf is secret"


def is_secret(schemas: Schemas, path: Path) -> bool:
    """Whether a path, which may name what no schema has, is that of a secret leaf."""
    table = schemas.tables.get(path.origin or DEFAULT_ORIGIN)
    node = None if table is None else table.find(tuple(elem.name for elem in path.elems))
    return node is not None and node.is_secret


def _meet(rule: Names, leaf: Names) -> bool:
    return len(rule) <= len(leaf) and all(
        mine in (ANY, theirs) for mine, theirs in zip(rule, leaf, strict=False)
    )


def _names(path: Path) -> Names:
    return tuple(elem.name for elem in path.elems)


def _leaf(node: Node | None) -> Leaf | None:
    return None if isinstance(node, Container | Entries) else node


def _is_seen(leaf: SchemaNode, standing: Standing) -> bool:
    if standing.access is Access.READ:
        return not leaf.is_secret
    return standing.access is Access.WRITE


def _memo(node: Container | Entries) -> dict[View, Any]:
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    seen: dict[View, Any] = memo.setdefault(_SEEN, {})
    return seen


def _keep(seen: dict[View, Any], view: View, found: tuple[Any, ...]) -> None:
    while len(seen) >= KEPT:
        del seen[next(iter(seen))]
    seen[view] = found
