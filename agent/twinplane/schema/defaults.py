"""Configuration defaults: an object with every default that is in use (RFC 7950 sections 7.6.1 and 7.9.3)."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twinplane.schema.table import NodeKind, SchemaNode, SchemaTable
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import Elem, Path


def with_defaults(table: SchemaTable, object_path: Path, container: Container) -> Container:
    """The container at a resolved path with the defaults of config leaves filled in.

    Defaults come into containers without presence, also absent ones, and into entries that exist. Where
    nothing is missing the same container comes back; the answer stays with the container, so a second call
    costs nothing.
    """
    return _fill(container, table.at(object_path))


def standing(table: SchemaTable, origin: str = "") -> Iterator[Path]:
    """Objects that are there without being configured: containers (not entries of a list) with defaults."""
    for top in table.roots.values():
        for step in _steps(top):
            if isinstance(step.absent, Container):
                yield Path((Elem(top.name), Elem(step.name)), origin)


@dataclass(frozen=True, slots=True)
class _Step:
    """What to do for one child: its schema, and the node to put where it is absent (None: nothing)."""

    name: str
    schema: SchemaNode
    absent: Node | None


@functools.cache
def _steps(schema: SchemaNode) -> tuple[_Step, ...]:
    """The children with defaults in them; empty for nearly all nodes."""
    steps = []
    for name, child in schema.children.items():
        if not child.config or not child.supported:
            continue
        if child.is_leaf:
            if child.default is not None:
                steps.append(_Step(name, child, child.default))
        elif _steps(child):
            fresh = child.kind is NodeKind.CONTAINER and not child.presence
            filled = _fill(Container(), child) if fresh else None
            steps.append(_Step(name, child, filled if filled is not None and filled.children else None))
    return tuple(steps)


def _fill(container: Container, schema: SchemaNode) -> Container:
    steps = _steps(schema)
    if not steps:
        return container
    memo = container.memo
    if memo is None:
        memo = container.memo = {}
    kept = memo.get("defaults")
    if kept is not None and kept[0] is schema:
        return kept[1]  # type: ignore[no-any-return]
    changed: dict[str, Node] = {}
    for step in steps:
        present = container.children.get(step.name)
        if present is None:
            if step.absent is not None and _in_use(step.schema, schema, container.children):
                changed[step.name] = step.absent
        elif isinstance(present, Container):
            if (filled := _fill(present, step.schema)) is not present:
                changed[step.name] = filled
        elif isinstance(present, Entries):
            entries = {key: _fill(entry, step.schema) for key, entry in present.entries.items()}
            if any(entries[key] is not entry for key, entry in present.entries.items()):
                changed[step.name] = Entries(present.key_names, entries, present.ordered)
    filled = Container({**container.children, **changed}) if changed else container
    memo["defaults"] = (schema, filled)
    return filled


def _in_use(child: SchemaNode, schema: SchemaNode, present: Mapping[str, Node]) -> bool:
    """False where the child lies in a case of a choice that is not the one in force."""
    for choice, case in child.choices:
        active = next(
            (
                dict(schema.children[name].choices)[choice]
                for name in present
                if choice in dict(schema.children[name].choices)
            ),
            None,
        )
        if (active or dict(schema.choice_defaults).get(choice)) != case:
            return False
    return True
